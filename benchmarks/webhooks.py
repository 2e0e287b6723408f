"""What Vrio posts in the benchmarks: single sales of 8 KB, and a mix as a busy day brings it."""

import copy
import json
from functools import cache
from itertools import chain, islice
from typing import Any

from sandbox.vrio import bursts, tell_month
from tests.product import SAMPLES

# Where the sales' numbers begin, far above those of any month.
FIRST = 50_000_000
SALE = "transaction_completed_sale_subscription_cycle1"
LARGE_SALE = "transaction_completed_sale_with_line_items"
# A month's customer pays, is declined or gets something back so often.
PAYMENTS_OF_A_CUSTOMER = 2


def sales(count: int, first: int = 0, sample: str = LARGE_SALE, email: str = "customer{}@acme.test") -> list[bytes]:
    """So many sales, each of another customer."""
    return [_sale(FIRST + number, sample, email) for number in range(first, first + count)]


def mix(count: int) -> list[bytes]:
    """
    Sales, rebills, declines, refunds and chargebacks: of a merchant's month every payment, and as many first sales.

    Shape:  some three requests each. The month's other webhooks hardly make any.
    """
    payments = _payments(1 + count // 2 // PAYMENTS_OF_A_CUSTOMER)
    assert len(payments) >= count // 2
    first_sales = sales(count, sample=SALE)
    return list(islice(chain.from_iterable(zip(first_sales, payments, strict=False)), count))


def month(customers: int) -> list[bytes]:
    """A whole month as it is, most of which makes no request."""
    return [body for burst in bursts(tell_month(customers, seed=1)) for body in burst.bodies]


@cache
def _payments(customers: int) -> list[bytes]:
    return [body for body in month(customers) if b'"transaction_completed"' in body]


def _sale(number: int, sample: str, email: str) -> bytes:
    webhook = copy.deepcopy(_sample(sample))
    webhook["webhook_event_id"] = number
    transaction = webhook["webhook_data"]["transaction"]
    transaction["id"] = str(number)
    transaction["order"] |= {"id": str(number), "customer_id": str(number)}
    transaction["customer"] |= {"id": str(number), "email": email.format(number), "phone": ""}
    for offer in transaction["transaction_order_offers"]:
        offer |= {"id": f"{number}{offer['id']}", "customer_id": str(number)}
    # With its line items, and spelled as the sample is, it has 8 KB.
    return json.dumps(webhook, indent=2 if sample == LARGE_SALE else None).encode()


@cache
def _sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())
