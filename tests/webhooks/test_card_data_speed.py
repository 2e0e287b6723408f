"""How much work it is to look for card data."""

import json
import sys
import time
from collections.abc import Callable

import pytest

from tests.webhooks.cards import WEBHOOK
from webhooks.card_data import scrubbed

pytestmark = pytest.mark.requirement("003-A")


@pytest.mark.parametrize(
    ("before", "piece", "after"),
    [
        (b"", b"4", b""),
        (b'["', b"4", b'"]'),
        (b"[", b"4", b"]"),
        (b"", b"4+", b""),
        (b'["', b"4 ", b'"]'),
        (b'["', b"4242-", b'"]'),
        (b'["', b"4242424242424242 ", b'"]'),
        (b"[", b'"4242424242424242",', b"1]"),
        (b'["', b"\\u0034", b'"]'),
        (b"", b'"', b""),
        (b"", b"\\", b""),
        (b'["', b"\\", b'"]'),
        (b'{"', b'"\\', b""),
        (b"", b'{"a":', b""),
        (b"{", b'"cvv":1,', b'"a":1}'),
        (b"{", b'"cvv":1,', b""),
        (b"", b"cvv=1&", b""),
        (b"", b"a", b""),
        (b'{"a"', b" ", b":1}"),
        (b"{", b'"cvv" ', b":1}"),
    ],
)
def test_four_times_the_body_takes_about_four_times_as_long(before: bytes, piece: bytes, after: bytes) -> None:
    quarter, whole = (before + piece * (size // len(piece)) + after for size in (1 << 18, 1 << 20))

    # A few milliseconds go to what a processor's cache cannot hold; and a computer may be busy, but not each time.
    assert any(timed(lambda: scrubbed(whole)) < 8 * timed(lambda: scrubbed(quarter)) + 0.02 for _ in range(3))


@pytest.mark.parametrize("number", ["4242", "424242XXXXXX4242"])
def test_a_usual_webhook_is_not_looked_at_value_by_value(number: str) -> None:
    """Webhooks of one kind have the same names, and these are judged once."""
    document = json.loads(WEBHOOK % b'"4242"')
    document["offers"] = [{f"order_offer_field_{at}": f"value {at}", "is_gift": "0"} for at in range(115)]
    document["customer_card"] = {"card_number": number}
    transaction = document["webhook_data"]["transaction"]
    del transaction["gateway_response_id"], transaction["transaction_fraction"], transaction["shipments"]
    del transaction["customer"]["merchant_phone"]
    body = json.dumps(document, indent=2).encode()
    assert 7_000 < len(body) < 20_000
    scrubbed(body)

    assert calls_in(lambda: scrubbed(body)) < 100 < len(document["offers"])


def timed(act: Callable[[], object]) -> float:
    """Seconds of this process's own time, in which others have no part."""
    start = time.process_time()
    act()
    return time.process_time() - start


def calls_in(act: Callable[[], object]) -> int:
    """How many functions are called meanwhile, in Python and in C."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(before)
    return calls
