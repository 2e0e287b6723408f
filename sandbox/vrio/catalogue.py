"""What the merchant of the story sells: items, offers made of them, discount codes, campaigns, a payment account."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True)
class Item:
    """A thing with a SKU; the price is what it costs inside its offers."""

    item_id: int
    name: str
    sku: str
    category_id: int
    category: str
    price: Decimal


@dataclass(frozen=True)
class TimeFrame:
    """How often is charged. Vrio: the label is all that it tells of the length."""

    charge_timeframe_id: int
    name: str
    length: timedelta


@dataclass(frozen=True)
class Offer:
    """What is sold: one item or a bundle, once (no time frame) or again and again."""

    offer_id: int
    name: str
    items: tuple[Item, ...]
    timeframe: TimeFrame | None = None

    @property
    def price(self) -> Decimal:
        return sum((item.price for item in self.items), Decimal(0))


@dataclass(frozen=True)
class Discount:
    """A code that takes a fixed amount off the first charge."""

    discount_id: int
    code: str
    name: str
    flat: Decimal


@dataclass(frozen=True)
class Campaign:
    campaign_id: int
    name: str


@dataclass(frozen=True)
class Merchant:
    merchant_id: int
    name: str
    descriptor: str


def _item(item_id: int, name: str, sku: str, category: tuple[int, str], price: str) -> Item:
    return Item(item_id, name, sku, *category, Decimal(price))


def _frame(frame_id: int, name: str, days: int) -> TimeFrame:
    return TimeFrame(frame_id, name, timedelta(days=days))


_SUPPLEMENTS, _TEAS, _GEAR = (4, "Supplements"), (5, "Teas"), (6, "Gear")

VITAMIN_D3 = _item(2, "Vitamin D3", "VIT-D3", _SUPPLEMENTS, "29.99")
MAGNESIUM = _item(3, "Magnesium", "MAG-120", _SUPPLEMENTS, "19.99")
NIGHT_TEA = _item(4, "Night Tea", "TEA-NIGHT", _TEAS, "10.00")
GREENS = _item(5, "Greens Powder", "GRN-250", _SUPPLEMENTS, "12.50")
PROTEIN = _item(6, "Whey Protein", "PRO-900", _SUPPLEMENTS, "45.00")
OMEGA = _item(8, "Omega Oil", "OIL-OM3", _SUPPLEMENTS, "24.00")
SHAKER = _item(9, "Shaker Bottle", "GEA-SHAKE", _GEAR, "12.00")
POUCH = _item(10, "Travel Pouch", "GEA-POUCH", _GEAR, "9.50")
SACHET = _item(11, "Sample Sachet", "SMP-1", _TEAS, "0.00")
INSURANCE = _item(12, "Parcel Insurance", "SRV-INS", _GEAR, "4.95")

WEEKLY, TEN_DAYS, BIWEEKLY = _frame(47, "Weekly", 7), _frame(48, "Every 10 days", 10), _frame(50, "Biweekly", 14)
MONTHLY, QUARTERLY = _frame(49, "Monthly", 30), _frame(51, "Quarterly", 90)

MONTHLY_VITAMINS = Offer(1, "Monthly Vitamins", (VITAMIN_D3,), MONTHLY)
WEEKLY_GREENS = Offer(2, "Weekly Greens", (GREENS,), WEEKLY)
SLEEP_BUNDLE = Offer(3, "Sleep Bundle", (MAGNESIUM, NIGHT_TEA), TEN_DAYS)
PROTEIN_CLUB = Offer(4, "Protein Club", (PROTEIN,), BIWEEKLY)
FULL_SHELF = Offer(5, "Full Shelf", (VITAMIN_D3, MAGNESIUM, OMEGA), QUARTERLY)
OMEGA_WEEKLY = Offer(6, "Omega Weekly", (OMEGA,), WEEKLY)
SHAKER_ONCE = Offer(7, "Shaker Bottle One-Time", (SHAKER,))
STARTER_KIT = Offer(8, "Starter Kit", (VITAMIN_D3, SHAKER, NIGHT_TEA))
POUCH_ONCE = Offer(9, "Travel Pouch One-Time", (POUCH,))
WELCOME_GIFT = Offer(10, "Welcome Gift", (SACHET,))
MEMBER_GIFT = Offer(11, "Member Gift", (SACHET,), MONTHLY)
INSURANCE_UPSELL = Offer(12, "Parcel Insurance", (INSURANCE,))

SAVE_FIVE = Discount(11, "SAVE5", "Save five", Decimal("5.00"))
WELCOME_TWO = Discount(12, "WELCOME2", "Welcome", Decimal("2.00"))

SUPPLEMENTS_CAMPAIGN = Campaign(1, "Example Supplements")

MERCHANT = Merchant(5, "Example Merchant", "EXAMPLE*VITAMINS")
