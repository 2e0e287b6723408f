"""What an event may say beside the page's own properties: never instead of them, and only where it is asked for."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vrio_klaviyo.klaviyo.requests import EventRequest, Known, Style, dumps, loads, render
from vrio_klaviyo.vrio import routes
from vrio_klaviyo.vrio.additional import additional_properties, decline_class
from vrio_klaviyo.vrio.completing import SourceDefaults, with_defaults
from vrio_klaviyo.vrio.records import Order, OrderOffer, Record, Shipment, SubscriptionChange, Transaction
from vrio_klaviyo.vrio.schemas import load

FIXTURES = Path(__file__).parents[1] / "fixtures" / "vrio"
AT = datetime(2025, 9, 1, 10, tzinfo=UTC)


def requests_of(case: str) -> list[Any]:
    webhook = load((FIXTURES / case / "webhook.json").read_bytes())
    assert webhook.record
    record, _ = with_defaults(webhook.record, SourceDefaults(zone=UTC), webhook.event_at or AT)
    return routes.requests_for(webhook.event, record)


def properties(request: EventRequest, style: Style) -> dict[str, Any]:
    body = json.loads(render(request, style, Known()).body)
    found: dict[str, Any] = body["data"]["attributes"]["properties"]
    return found


@pytest.mark.parametrize("case", ["placed_order", "declined_order", "abandoned_order", "order_auth"])
def test_they_stand_beside_the_pages_own_and_change_none_of_them(case: str) -> None:
    for request in requests_of(case):
        own = properties(request, Style())
        more = properties(request, Style(additional=True))
        assert {name: value for name, value in more.items() if name in own} == own
        assert {"CampaignId", "CampaignName", "OrderTotal", "OrderCurrency"} <= more.keys() - own.keys()


def test_they_are_kept_with_the_request_and_are_the_same_when_it_is_sent_later() -> None:
    (request,) = requests_of("declined_order")
    assert loads(dumps(request)) == request


def test_a_request_that_was_kept_before_there_were_any_has_none() -> None:
    (request,) = requests_of("declined_order")
    kept = json.loads(dumps(request))
    del kept["additional"]
    assert loads(json.dumps(kept).encode()) == replace(request, additional={})


def test_a_declined_payment_says_what_to_expect() -> None:
    attempt = Transaction(
        transaction_id="1670",
        approved=False,
        decline_code="200",
        decline_reason="Insufficient funds",
        next_attempt_on=date(2025, 9, 4),
        campaign_id="7",
        campaign_name="Vitamin Shop",
        total=Decimal("29.99"),
        tax=Decimal("2.10"),
        shipping_total=Decimal("4.95"),
        currency="USD",
    )
    assert additional_properties(attempt) == {
        "CampaignId": "7",
        "CampaignName": "Vitamin Shop",
        "OrderTotal": Decimal("29.99"),
        "OrderTax": Decimal("2.10"),
        "OrderShipping": Decimal("4.95"),
        "OrderCurrency": "USD",
        "DeclineCode": "200",
        "DeclineClass": "soft",
        "NextAttemptDate": "2025-09-04",
    }


@pytest.mark.parametrize(
    ("answer", "said", "told"),
    [
        ("Insufficient funds", None, "soft"),
        ("NOT SUFFICIENT FUNDS", None, "soft"),
        ("Do not honour", None, "soft"),
        ("Exceeds withdrawal amount limit", None, "soft"),
        ("Issuer or switch inoperative", None, "soft"),
        ("Pick-up card, special conditions", None, "hard"),
        ("PICKUP CARD", None, "hard"),
        ("Lost card", None, "hard"),
        ("Closed account", None, "hard"),
        ("Invalid card number", None, "hard"),
        ("Revocation of all authorizations", None, "hard"),
        # The networks do not agree on these, or the words say nothing.
        ("Expired card", None, ""),
        ("Suspected fraud", None, ""),
        ("Invalid merchant", None, ""),
        ("DECLINED", None, ""),
        ("", None, ""),
        ("Insufficient funds", True, "hard"),
        ("Lost card", False, "soft"),
        ("", True, "hard"),
    ],
)
def test_a_decline_is_hard_where_another_try_is_of_no_use(answer: str, said: bool | None, told: str) -> None:
    assert decline_class(Transaction(transaction_id="1670", decline_reason=answer, is_hard_decline=said)) == told


@pytest.mark.parametrize("code", ["51", "05", "04", "14", "57", "R1", "100", "200", "2"])
def test_a_code_alone_classes_nothing_because_each_gateway_has_its_own(code: str) -> None:
    assert decline_class(Transaction(transaction_id="1670", decline_code=code)) == ""


def test_a_refund_says_what_the_order_was() -> None:
    sale = Transaction(transaction_id="1668", total=Decimal("29.99"), currency="USD")
    refund = Transaction(transaction_id="1669", total=Decimal("9.99"), currency="USD", parent=sale)
    assert additional_properties(refund)["OrderTotal"] == Decimal("29.99")


@pytest.mark.parametrize(
    "record",
    [
        Order(campaign_id="7", currency="USD"),
        Shipment(order=Order(campaign_id="7"), currency="USD"),
        Shipment(order=Order(campaign_id="7"), transaction=Transaction(transaction_id="1668", currency="USD")),
        SubscriptionChange(kind="paused", offer=OrderOffer(campaign_id="7"), at=AT, currency="USD"),
        SubscriptionChange(
            kind="paused",
            offer=OrderOffer(),
            at=AT,
            order=Order(campaign_id="7"),
            transaction=Transaction(transaction_id="1668", currency="USD"),
        ),
    ],
)
def test_campaign_and_money_are_told_of_everything_and_empty_where_they_are_not_known(record: Record) -> None:
    assert additional_properties(record) == {
        "CampaignId": "7",
        "CampaignName": "",
        "OrderTotal": "",
        "OrderTax": "",
        "OrderShipping": "",
        "OrderCurrency": "USD",
    }
