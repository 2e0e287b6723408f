"""What the demo plays: one webhook after another, as their dates have it, but for one that comes too early."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "samples"


@dataclass(frozen=True)
class Scene:
    """
    One webhook, or a few that tell one story.

    Shape:  the bodies are the samples', and then the given one; `fault` is what Klaviyo does wrong with what follows.
            `commands` are run before; `{folder}` in them is the demo's. `stays` is how many requests are still being
            tried when the scene is over.
    """

    title: str
    samples: tuple[str, ...] = ()
    other_body: bytes = b""
    fault: dict[str, Any] | None = None
    commands: tuple[str, ...] = ()
    stays: int = 0

    @property
    def bodies(self) -> Iterator[bytes]:
        """What is posted."""
        for sample in self.samples:
            yield (SAMPLES / f"{sample}.json").read_bytes()
        if self.other_body:
            yield self.other_body


def retold(sample: str, words: Mapping[str, str]) -> bytes:
    """A sample with other words in it. Raises: ValueError, when it does not have one of them."""
    text = (SAMPLES / f"{sample}.json").read_text()
    for ours, theirs in words.items():
        if ours not in text:
            raise ValueError(f"{sample} does not say {ours}")
        text = text.replace(ours, theirs)
    return text.encode()


RECOVERED = retold(
    "transaction_completed_declined_rebill_attempt2",
    {
        "1711": "1719",
        "6007": "6031",
        "DECLINED": "APPROVED",
        "Insufficient funds": "Approved",
        '"gateway_response_code": "51"': '"gateway_response_code": "00"',
        '"transaction_attempt": "2"': '"transaction_attempt": "3"',
        "2025-10-15": "2025-10-18",
    },
)
REFUSED = retold(
    "transaction_completed_sale_onetime",
    {
        "1690": "1721",
        "6003": "6032",
        "1260": "1271",
        "4010": "4021",
        '"302"': '"331"',
        "9302": "9331",
        "Grace": "Hugo",
        "grace@": "hugo@",
    },
)
IN_TROUBLE = retold(
    "transaction_completed_declined_cycle1",
    {
        "1670": "1722",
        "6006": "6033",
        "1254": "1272",
        "4002": "4022",
        '"301"': '"332"',
        "9301": "9332",
        "John": "Ruth",
        "john@": "ruth@",
    },
)
NEVER_PAID = retold("v2_shipment_shipped", {"4503": "4504", "6021": "6034", "1701": "1723"})

# Klaviyo: so it complains of an address that it does not believe in.
NO_SUCH_ADDRESS = {
    "errors": [
        {
            "id": "00000000-0000-4000-8000-000000000400",
            "status": 400,
            "code": "invalid",
            "title": "Invalid input.",
            "detail": "Invalid email address",
            "source": {"pointer": "/data/attributes/profile/data/attributes/email"},
        }
    ]
}

SCENES = (
    Scene("John leaves his name and his address.", ("customer_created",)),
    Scene("He starts a subscription.", ("transaction_completed_sale_subscription_cycle1",)),
    Scene(
        "Vrio posts the very same webhook once more, and then another one of the same payment, with more details.",
        ("transaction_completed_sale_subscription_cycle1", "transaction_completed_sale_with_line_items"),
    ),
    Scene("Vrio says that something about John's order has changed.", ("order_updated",)),
    Scene(
        "A payment of John's is authorized, and voided before it is taken.",
        ("transaction_completed_auth", "transaction_completed_void"),
    ),
    Scene("The bank declines a payment of his.", ("transaction_completed_declined_cycle1",)),
    Scene("Grace buys something once.", ("transaction_completed_sale_onetime",)),
    Scene("Vrio has an event that we have never heard of.", ("order_gift_wrapped",)),
    Scene(
        "John orders a subscription together with something that he buys once.", ("transaction_completed_sale_mixed",)
    ),
    Scene(
        "Jane starts a subscription. Klaviyo refuses her phone number.", ("transaction_completed_sale_refused_phone",)
    ),
    Scene("Somebody buys who has left no e-mail address.", ("transaction_completed_sale_no_email",)),
    Scene("The shop tries its checkout with a test order.", ("transaction_completed_sale_test_order",)),
    Scene("John's first parcel is packed, and shipped.", ("shipment_fulfilled", "shipment_shipped")),
    Scene(
        "One payment is given back to him, and a part of another one.",
        ("transaction_completed_refund_full", "transaction_completed_refund_partial"),
    ),
    Scene("He pauses his subscription.", ("order_offer_updated_paused",)),
    Scene("Mia leaves her cart behind.", ("order_abandonned",)),
    Scene("A parcel is shipped of whose payment Vrio has told nothing yet.", ("v2_shipment_shipped",)),
    Scene(
        "Vrio tells of that payment, and the parcel has waited for long enough.",
        ("transaction_completed_capture_recurring_cycle2",),
    ),
    Scene("John's bank warns of a dispute.", ("transaction_completed_alert",)),
    Scene("He skips his next payment, and then he does not.", ("transaction_skipped", "transaction_unskipped")),
    Scene(
        "The bank declines it. Klaviyo is busy, and asks us to wait for two seconds.",
        ("transaction_completed_declined_rebill_attempt2",),
        fault={"fault": "throttle", "retry_after": 2, "match": {"unique_id": "1711"}},
    ),
    Scene("The dispute is lost: the bank takes the payment back.", ("transaction_completed_chargeback",)),
    Scene(
        "John takes his subscription up again, cancels it, and comes back.",
        ("order_offer_updated_unpaused", "order_offer_cancelled", "order_offer_updated_reactivated"),
    ),
    Scene("Somebody posts what is no webhook at all.", other_body=b"hello?"),
    Scene(
        "Two more connections: one for campaign 2 only, and one that is paused. From now on all three are asked.",
        commands=(
            "connection add Skincare --workspace Demo --campaign 2 --key-file {folder}/skincare.key",
            "connection add Trial --workspace Demo --paused --key-file {folder}/trial.key",
        ),
    ),
    Scene(
        "The shop wants to know of payments that are made good. Then the declined one goes through after all.",
        other_body=RECOVERED,
        commands=("connection set Klaviyo --workspace Demo --metric-on 'Payment Recovered'",),
    ),
    Scene(
        "Hugo buys something. Klaviyo does not take his address.",
        other_body=REFUSED,
        fault={
            "fault": "status",
            "status": 400,
            "times": 2,
            "body": NO_SUCH_ADDRESS,
            "match": {"email": "hugo@example.com"},
        },
    ),
    Scene("A parcel is shipped of whose payment Vrio never tells.", other_body=NEVER_PAID),
    Scene(
        "The bank declines a payment of Ruth's. Klaviyo is in trouble, and stays so: we keep trying.",
        other_body=IN_TROUBLE,
        fault={"fault": "status", "status": 503, "times": None, "match": {"email": "ruth@example.com"}},
        stays=1,
    ),
)
