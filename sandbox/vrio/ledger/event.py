"""One event that Klaviyo must hold, and what may stand beside its own properties."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from sandbox.vrio.charges import Transaction
from sandbox.vrio.records import Order
from sandbox.vrio.words import Currency
from sandbox.vrio.world import World

# The bank's answers of the story. What the networks do not agree on has no class.
CLASSES = {"Insufficient funds": "soft", "Do not honor": "soft"}


@dataclass(frozen=True)
class Event:
    """
    One event.

    Shape:  `paid` is the transaction whose amounts are told, `refused` the attempt that the bank refused.
    Units:  `at` is wall-clock time of the account's zone.
    """

    metric: str
    unique_id: str
    value: Decimal
    currency: Currency
    at: datetime
    order_id: int = 0
    paid: Transaction | None = None
    refused: Transaction | None = None

    def as_json(self, zone: tzinfo) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "unique_id": self.unique_id,
            "value": float(self.value),
            "value_currency": self.currency.label,
            # An hour that comes twice is its first, one that is missing moves forward.
            "time": self.at.replace(tzinfo=zone).astimezone(UTC).isoformat(),
        }


def additional(world: World, event: Event, with_rest: bool) -> dict[str, str]:
    """
    The additional properties of an event.

    Shape:  "" for what is not known. An order's webhook names its campaign by its id only, and has no totals. The date
            of the next attempt is left out: it is told after the refusal, so it depends on which is read first.
    """
    campaign = world.at(world.ends_at).get(Order, event.order_id).campaign
    is_cart = event.metric == "Abandoned Order"
    paid = event.paid
    if paid and paid.parent_id:
        paid = world.at(world.ends_at).find(Transaction, paid.parent_id) or paid
    amounts = [f"{amount:.2f}" for amount in (paid.total, paid.tax, paid.shipping)] if paid else ["", "", ""]
    if is_cart and with_rest:
        amounts[0] = f"{event.value:.2f}"
    names = ("OrderTotal", "OrderTax", "OrderShipping")
    told = {
        "CampaignId": str(campaign.campaign_id),
        "CampaignName": campaign.name if with_rest or not is_cart else "",
        "OrderCurrency": event.currency.label,
        **dict(zip(names, amounts, strict=True)),
    }
    if event.refused:
        told |= {"DeclineClass": CLASSES.get(event.refused.response, "")}
    return told
