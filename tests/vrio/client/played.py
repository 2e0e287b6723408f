"""What Vrio is played to know and to say, and how its client is looked at."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses

from vrio_klaviyo.errors import CallFailed
from vrio_klaviyo.vrio.client import VrioClient

API = "https://api.vrio.test"
KEY = "vk_Zq81-secret"
BILLING = {"customer_address_id": 20493, "fname": "John", "lname": "Doe", "city": "Austin", "country": "US"}
SHIPPING = {"customer_address_id": 20494, "fname": "John", "lname": "Doe", "city": "Dallas", "country": "US"}
CUSTOMER = {
    "customer_id": 68441,
    "first_name": "John",
    "last_name": "Doe",
    "email": "john@acme.test",
    "phone": "(555) 123-4567",
    "active_subscriber": True,
    "date_modified": "2025-08-15 09:12:44",
}
ORDER = {
    "order_id": 1253,
    "campaign_id": 1,
    "customer_id": 68441,
    "status_type_id": 3,
    "is_test": False,
    "order_discount": "5.00",
    "tracking1": "newsletter",
    "tracking2": None,
}
ORDER_OFFER = {
    "order_offer_id": 40541,
    "status_type_id": 1,
    "offer_id": 1,
    "offer_name": "Monthly Vitamins",
    "order_id": 1253,
    "order_offer_price": "29.99",
    "order_offer_quantity": 1,
    "is_recurring": True,
    "discount_id": 11,
    "charge_timeframe_name": "Monthly",
    "next_recurring_date": "2025-10-15 03:00:00",
}
SALE = {
    "transaction_id": 1668,
    "customer_id": 68441,
    "order_id": 1253,
    "transaction_type_id": 1,
    "transaction_declined": False,
    "response_code": 100,
    "currency_id": 1,
    "transaction_total": "24.99",
    "date_complete": "2025-08-15 09:12:44",
}
REFUND = SALE | {"transaction_id": 1669, "transaction_type_id": 2, "transaction_parent_id": 1668}
LINE_ITEM = {
    "order_offer_id": 40541,
    "offer_id": 1,
    "offer_name": "Monthly Vitamins",
    "item_id": 2,
    "item_name": "Vitamin D3",
    "item_quantity": 1,
    "discount_code": "SAVE10",
    "line_item_price": "29.99",
    "line_item_shipments": [{"item_id": 2, "shipment_item_sku": "VIT-D3", "quantity": 1}],
}
ITEM = {"item_id": 2, "item_name": "Vitamin D3", "item_price": "31.50", "item_sku": "VIT-D3", "item_quantity": 3}
NOT_FOUND = {"error": {"code": "not_found", "message": "No such record"}}
HTML = b"<html><body><h1>403 Forbidden</h1></body></html>"
LOOKUPS: dict[str, Callable[[VrioClient, str], object]] = {
    "transactions": VrioClient.transaction,
    "customers": VrioClient.customer,
    "orders": VrioClient.order,
    "order_offers": VrioClient.order_offer,
}


def sales(*numbers: int, **changes: Any) -> list[dict[str, Any]]:
    """Transactions with these numbers."""
    return [SALE | {"transaction_id": number} | changes for number in numbers]


def unfinished(url: Any = f"{API}/api_requests/7f") -> dict[str, Any]:
    """What Vrio says of an answer that it is still working on."""
    return {"error": {"code": "request_processing", "message": "Still working", "api_request": url}}


def error(code: Any, **more: Any) -> bytes:
    """What Vrio says when it refuses; its message holds what nobody else may learn."""
    return json.dumps({"error": {"code": code, "message": "john@acme.test was refused"} | more}).encode()


def asked(vrio: responses.RequestsMock) -> list[tuple[str, dict[str, str]]]:
    """Path and query of every request."""
    urls = [urlsplit(str(call.request.url)) for call in vrio.calls]
    return [(url.path, {name: values[0] for name, values in parse_qs(url.query).items()}) for url in urls]


def assert_tells_no_secret(failed: CallFailed) -> None:
    """Neither the key nor what Vrio wrote about a customer."""
    for told in (failed.reason, str(failed), repr(failed)):
        assert KEY not in told
        assert "john@acme.test" not in told
