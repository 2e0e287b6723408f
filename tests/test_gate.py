"""The gate: one test per reason, and which reason comes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.bodies import event
from tests.building import NOON
from vrio_klaviyo.gate import SkipReason, explain, is_email, skip_reason
from vrio_klaviyo.klaviyo.requests import EventRequest, Profile, ProfileRequest, Request
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.vrio.records import (
    Customer,
    Order,
    OrderOffer,
    Record,
    Shipment,
    SubscriptionChange,
    Transaction,
)

SECOND = timedelta(seconds=1)
YEAR = timedelta(days=365)


def connection(
    *,
    active: bool = True,
    push_events: bool = True,
    activated_at: datetime | None = NOON,
    campaigns: tuple[str, ...] = (),
) -> Connection:
    return Connection(
        active=active,
        push_events=push_events,
        activated_at=activated_at,
        campaigns=list(campaigns),
        metrics_off=[],
        metrics_on=[],
        test_orders=False,
    )


def sale(campaign_id: str = "", order: Order | None = None, offers: tuple[OrderOffer, ...] = ()) -> Transaction:
    return Transaction(transaction_id="1668", campaign_id=campaign_id, order=order or Order(), offers=offers)


def reason(
    request: Request | None = None,
    record: Record | None = None,
    through: Connection | None = None,
    received_at: datetime = NOON,
) -> SkipReason | None:
    return skip_reason(request or event(), record or sale(), through or connection(), received_at)


def to(email: str) -> EventRequest:
    return event(email=email)


def test_what_nothing_speaks_against_may_go() -> None:
    assert reason() is None


@pytest.mark.requirement("003-13")
def test_what_comes_while_the_connection_is_paused_is_skipped() -> None:
    assert reason(through=connection(active=False)) == SkipReason.CONNECTION_PAUSED


@pytest.mark.requirement("003-10")
@pytest.mark.parametrize("request_", [event(), ProfileRequest(profile=Profile(email="john@acme.test"))])
def test_without_push_events_neither_events_nor_profiles_go(request_: Request) -> None:
    assert reason(request_, through=connection(push_events=False)) == SkipReason.PUSH_EVENTS_OFF


@pytest.mark.requirement("003-12")
@pytest.mark.parametrize(
    ("received_at", "skipped"), [(NOON - timedelta(microseconds=1), True), (NOON, False), (NOON + SECOND, False)]
)
def test_what_came_before_the_first_activation_is_skipped(received_at: datetime, skipped: bool) -> None:
    assert reason(received_at=received_at) == (SkipReason.BEFORE_ACTIVATION if skipped else None)


def test_nothing_goes_through_what_was_never_activated() -> None:
    assert reason(through=connection(activated_at=None)) == SkipReason.BEFORE_ACTIVATION


@pytest.mark.requirement("003-67")
def test_a_customer_without_an_e_mail_is_skipped() -> None:
    assert reason(to("")) == SkipReason.NO_EMAIL


@pytest.mark.requirement("003-67")
def test_an_e_mail_that_cannot_be_one_is_skipped() -> None:
    assert reason(to("john@acme")) == SkipReason.INVALID_EMAIL


@pytest.mark.parametrize(
    "record",
    [
        sale(order=Order(is_test=True)),
        sale(offers=(OrderOffer(), OrderOffer(is_test=True))),
        Order(is_test=True),
        OrderOffer(is_test=True),
    ],
)
def test_a_test_order_is_skipped(record: Record) -> None:
    assert reason(record=record) == SkipReason.TEST_ORDER


@pytest.mark.parametrize(
    "record", [sale(order=Order(is_test=False)), sale(offers=(OrderOffer(is_test=None),)), Order()]
)
def test_an_order_that_is_not_known_to_be_a_test_goes(record: Record) -> None:
    assert reason(record=record) is None


@pytest.mark.requirement("003-11")
@pytest.mark.parametrize("record", [sale("7"), sale("8"), sale(), Order(campaign_id="8"), Customer()])
def test_without_a_filter_every_campaign_goes(record: Record) -> None:
    assert reason(record=record) is None


@pytest.mark.requirement("003-11")
@pytest.mark.parametrize(
    ("record", "skipped"),
    [
        (sale("7"), None),
        (sale("9"), None),
        (sale("8"), SkipReason.CAMPAIGN_NOT_SELECTED),
        (sale("77"), SkipReason.CAMPAIGN_NOT_SELECTED),
        (sale(order=Order(campaign_id="7")), None),
        (sale("8", order=Order(campaign_id="7")), SkipReason.CAMPAIGN_NOT_SELECTED),
        (Order(campaign_id="7"), None),
        (Order(campaign_id="8"), SkipReason.CAMPAIGN_NOT_SELECTED),
        (sale(), SkipReason.CAMPAIGN_UNKNOWN),
        (Order(), SkipReason.CAMPAIGN_UNKNOWN),
        (OrderOffer(), SkipReason.CAMPAIGN_UNKNOWN),
        (Customer(), SkipReason.CAMPAIGN_UNKNOWN),
    ],
)
def test_with_a_filter_only_its_campaigns_go(record: Record, skipped: SkipReason | None) -> None:
    assert reason(record=record, through=connection(campaigns=("7", "9"))) == skipped


@pytest.mark.parametrize(
    ("time", "skipped"),
    [
        (datetime(1990, 1, 1, tzinfo=UTC), False),
        (datetime(1990, 1, 1, tzinfo=UTC) - SECOND, True),
        (NOON + YEAR, False),
        (NOON + YEAR + SECOND, True),
        (datetime(2, 1, 2, tzinfo=UTC), True),
        (datetime(9998, 12, 31, tzinfo=UTC), True),
    ],
)
def test_a_date_that_klaviyo_refuses_is_skipped(time: datetime, skipped: bool) -> None:
    assert reason(event(time=time)) == (SkipReason.INVALID_TIME if skipped else None)


def test_a_profile_has_no_date_to_be_refused() -> None:
    assert reason(ProfileRequest(profile=Profile(email="john@acme.test"))) is None


def test_what_a_person_switched_comes_before_what_the_data_lack() -> None:
    """All reasons at once; each that is put right uncovers the next one."""
    request = event(email="", time=datetime(1970, 1, 1, tzinfo=UTC))
    record = sale(order=Order(is_test=True))
    through = connection(active=False, push_events=False, campaigns=("7",), activated_at=NOON + SECOND)
    through.metrics_off = [request.metric]
    found = []
    repairs = [
        lambda: setattr(through, "active", True),
        lambda: setattr(through, "push_events", True),
        lambda: setattr(through, "activated_at", NOON),
        lambda: setattr(through, "metrics_off", []),
    ]
    for repair in repairs:
        found.append(reason(request, record, through))
        repair()
    found.append(reason(request, record, through))
    request = event(email="john@", time=request.time)
    found.append(reason(request, record, through))
    request = event(time=request.time)
    found.append(reason(request, record, through))
    record = replace(record, order=Order())
    found.append(reason(request, record, through))
    record = replace(record, campaign_id="8")
    found.append(reason(request, record, through))
    record = replace(record, campaign_id="7")
    found.append(reason(request, record, through))

    assert found == [
        SkipReason.CONNECTION_PAUSED,
        SkipReason.PUSH_EVENTS_OFF,
        SkipReason.BEFORE_ACTIVATION,
        SkipReason.METRIC_OFF,
        SkipReason.NO_EMAIL,
        SkipReason.INVALID_EMAIL,
        SkipReason.TEST_ORDER,
        SkipReason.CAMPAIGN_UNKNOWN,
        SkipReason.CAMPAIGN_NOT_SELECTED,
        SkipReason.INVALID_TIME,
    ]
    # These two belong to other things than a payment.
    assert set(found) | {SkipReason.CUSTOMER_UNKNOWN, SkipReason.ORDER_COMPLETED} == set(SkipReason)


@pytest.mark.parametrize(
    "record", [Shipment(shipment_id="4501"), SubscriptionChange(kind="paused", offer=OrderOffer(), at=NOON)]
)
def test_what_is_of_nobody_we_know_of_is_skipped_with_that_reason(record: Shipment | SubscriptionChange) -> None:
    assert reason(to(""), record) == SkipReason.CUSTOMER_UNKNOWN
    assert reason(to(""), replace(record, customer=Customer(first_name="John"))) == SkipReason.NO_EMAIL


@pytest.mark.requirement("003-29")
@pytest.mark.parametrize(("ordered_at", "skipped"), [(NOON, True), (NOON - SECOND, True), (NOON + SECOND, False)])
def test_a_cart_that_was_an_order_by_then_is_skipped(ordered_at: datetime, skipped: bool) -> None:
    record = Order(order_id="1253", abandoned_at=NOON, ordered_at=ordered_at)
    assert reason(record=record) == (SkipReason.ORDER_COMPLETED if skipped else None)


def test_a_connection_that_wants_test_orders_gets_them() -> None:
    through = connection()
    through.test_orders = True
    assert reason(record=sale(order=Order(is_test=True)), through=through) is None


@pytest.mark.requirement("003-67")
@pytest.mark.parametrize(
    "email",
    [
        "john@example.com",
        "john+klaviyo@example.com",
        "o'brien@example.com",
        "john.doe@mail.example.co.uk",
        "j@acme.io",
        "1234567890@example.com",
        "john_doe-1%x@example.com",
        "josé@exämple.com",
        "用户@例子.世界",
        "john@xn--exmple-cua.com",
        f"{'j' * 88}@example.com",
    ],
)
def test_this_may_be_an_e_mail(email: str) -> None:
    assert is_email(email)


@pytest.mark.requirement("003-67")
@pytest.mark.parametrize(
    "email",
    [
        "",
        " ",
        "john",
        "john@",
        "@example.com",
        "john@example",
        "john@example.c",
        "john@@example.com",
        "john@doe@example.com",
        "john doe@example.com",
        "john@exam ple.com",
        "john@example.com ",
        " john@example.com",
        "john\u00a0doe@example.com",
        "john@example.com\n",
        "john@example..com",
        "john..doe@example.com",
        "john@.com",
        "john@example.com.",
        "john@example.com, jane@example.com",
        "john@example.com;jane@example.com",
        "John <john@example.com>",
        '"john"@example.com',
        "john\x00@example.com",
        "john@exam\x00ple.com",
        "john@exam\x01ple.com",
        f"{'j' * 89}@example.com",
        f"john@{'x' * 100}.com",
    ],
)
def test_this_cannot_be_an_e_mail(email: str) -> None:
    assert not is_email(email)


def test_an_e_mail_is_judged_at_once_however_it_is_made() -> None:
    assert not is_email("@." * 500_000)
    assert not is_email("a" * 99 + "@")


@pytest.mark.parametrize("skipped", list(SkipReason))
def test_every_reason_has_its_words(skipped: SkipReason) -> None:
    meaning, remedy, _ = explain(skipped)

    assert meaning.endswith(".")
    assert remedy.endswith(".")
