"""The profile that goes with every event."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from vrio_klaviyo.klaviyo.requests import Known, ProfileRequest, Style, render
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.records import Customer, Order

JOHN = Customer(
    email="john@example.com",
    first_name="John",
    last_name="Doe",
    phone_e164="+15551234567",
    clv=Decimal("150"),
    next_charge_on=date(2025, 9, 15),
    modified_at=datetime(2025, 8, 15, 10, 30, tzinfo=UTC),
)


def attributes(customer: Customer, order: Order) -> Any:
    request = ProfileRequest(profile=customer_profile(customer, order))
    return json.loads(render(request, Style(), Known()).body)["data"]["attributes"]


@pytest.mark.requirement("003-20", "003-21", "003-22", "003-57")
def test_a_profile_is_the_pages_block_and_the_phone_in_its_own_place() -> None:
    assert attributes(JOHN, Order()) == {
        "email": "john@example.com",
        "first_name": "John",
        "last_name": "Doe",
        "phone_number": "+15551234567",
        "properties": {"CLV": "150.00", "NextChargeDate": "2025-09-15", "$phone_number": "+15551234567"},
    }


@pytest.mark.requirement("003-20")
def test_what_is_not_known_is_left_out() -> None:
    assert attributes(Customer(email="john@example.com"), Order()) == {"email": "john@example.com", "properties": {}}


@pytest.mark.requirement("003-24")
@pytest.mark.parametrize("active", [True, False])
def test_an_active_subscriber_is_true_or_false(active: bool) -> None:
    found = attributes(Customer(email="john@example.com", active_subscriber=active), Order())
    assert found["properties"] == {"ActiveSubscriber": active}
    assert type(found["properties"]["ActiveSubscriber"]) is bool


@pytest.mark.requirement("003-25")
def test_the_orders_filled_tracking_fields_are_properties() -> None:
    order = Order(tracking={"tracking1": "newsletter", "tracking7": "summer", "tracking20": "podcast"})
    assert attributes(Customer(email="john@example.com"), order)["properties"] == {
        "tracking1": "newsletter",
        "tracking7": "summer",
        "tracking20": "podcast",
    }
