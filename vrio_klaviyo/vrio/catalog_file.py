"""
The file that a catalogue is imported from: JSON that a person wrote, so a mistake is told and not forgiven.

Shape:  as `FORMAT`. Ids are Vrio's, as text or number. Needed are offer_id and item_id alone. A category is a name, or
        an id that `categories` names. `intervals` are the days of a charge_timeframe_id, `cancel_reasons` the words of
        a cancel_type_id.
Source: our choice; Vrio exports no such file.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing

from vrio_klaviyo.errors import InvalidInput, UnreadableWebhook
from vrio_klaviyo.vrio.amounts import Count, Money
from vrio_klaviyo.vrio.catalog import Catalog, CatalogItem, CatalogOffer
from vrio_klaviyo.vrio.fields import Id, Text, Unreadable
from vrio_klaviyo.vrio.reading import notes, parsed

FORMAT = """\
    {
      "offers": [
        {
          "offer_id": "1", "name": "Monthly Vitamins", "interval_days": 30,
          "items": [
            {"item_id": "2", "name": "Vitamin D3", "sku": "VIT-D3", "price": "29.99", "quantity": 1,
             "categories": ["12", "Bestsellers"]}
          ]
        }
      ],
      "categories": {"12": "Supplements"},
      "cancel_reasons": {"5": "Too expensive"},
      "intervals": {"49": 30}
    }"""

# A label of an interval has room for three digits.
MOST_DAYS = 999
MOST_IN_AN_OFFER = 1000

# What costs a webhook one field refuses a file.
_COSTS = re.compile(r"(: (left out|cut))?\.$")

# marshmallow: its own words would stand in the same sentences as those of our fields.
_NOT_AN_OBJECT: dict[str, Any] = dict.fromkeys(("type", "invalid", "null"), "is not an object")
_NOT_A_LIST: dict[str, Any] = dict.fromkeys(("invalid", "null"), "is not a list")


class Key(Id):
    """An id of something that there is; Vrio's "0" is none."""

    def read(self, value: Any) -> Any:
        found = super().read(value)
        if found is missing:
            raise Unreadable("is not an id")
        return found


class Number(Count):
    """A whole number from 1 up to the most that makes sense."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def read(self, value: Any) -> int:
        number = super().read(value)
        if not 1 <= number <= self.most:
            raise Unreadable(f"is not between 1 and {self.most}")
        return number


class Price(Money):
    """An amount that is not below zero."""

    def read(self, value: Any) -> Decimal:
        price = super().read(value)
        if price < 0:
            raise Unreadable("is below zero")
        return price


class FileSchema(Schema):
    class Meta:
        unknown = RAISE

    error_messages = _NOT_AN_OBJECT | {"unknown": "is no word of a catalogue"}


def _list_of(part: Any) -> fields.List[Any]:
    return fields.List(part, error_messages=_NOT_A_LIST)


def _by_id(part: Any) -> fields.Dict:
    return fields.Dict(Key(required=True), part, error_messages=_NOT_AN_OBJECT)


class ItemSchema(FileSchema):
    item_id = Key(required=True)
    name = Text()
    sku = Text()
    price = Price()
    quantity = Number(MOST_IN_AN_OFFER)
    categories = _list_of(Text(required=True))


class OfferSchema(FileSchema):
    offer_id = Key(required=True)
    name = Text()
    interval_days = Number(MOST_DAYS)
    items = _list_of(fields.Nested(ItemSchema, error_messages=_NOT_AN_OBJECT))


class CatalogSchema(FileSchema):
    offers = _list_of(fields.Nested(OfferSchema, error_messages=_NOT_AN_OBJECT))
    categories = _by_id(Text(required=True))
    cancel_reasons = _by_id(Text(required=True))
    intervals = _by_id(Number(MOST_DAYS, required=True))


def read_catalog(content: bytes) -> Catalog:
    """
    The catalogue in a file.

    Raises: InvalidInput, with a line for each entry that cannot be taken and its place in the file.
    """
    try:
        values = CatalogSchema().load(parsed(content))
    except UnreadableWebhook as error:
        raise InvalidInput("the catalogue is not a JSON object") from error
    except ValidationError as error:
        raise _refused(notes(error.messages_dict)) from error
    catalog = Catalog(**values | {"offers": tuple(map(_offer, values.get("offers", ())))})
    wrong = tuple(_wrong(catalog))
    if wrong:
        raise _refused(wrong)
    return catalog


def _offer(values: Mapping[str, Any]) -> CatalogOffer:
    items = tuple(
        CatalogItem(**item | {"categories": tuple(item.get("categories", ()))}) for item in values.get("items", ())
    )
    return CatalogOffer(**{**values, "items": items})


def _wrong(catalog: Catalog) -> Iterator[str]:
    """What each entry alone does not show."""
    yield from _twice("offers", "offer_id", [offer.offer_id for offer in catalog.offers])
    for number, offer in enumerate(catalog.offers):
        here = f"offers[{number}].items"
        yield from _twice(here, "item_id", [item.item_id for item in offer.items])
        for place, item in enumerate(offer.items):
            for category in item.categories:
                if category.isdecimal() and category not in catalog.categories:
                    yield f"{here}[{place}].categories has the id {category}, which `categories` does not name."


def _twice(where: str, what: str, ids: list[str]) -> Iterator[str]:
    yield from (f"{where} has the {what} {found} twice." for found, times in Counter(ids).items() if times > 1)


def _refused(sentences: tuple[str, ...]) -> InvalidInput:
    told = (_COSTS.sub("", sentence.replace("._schema ", " ")) for sentence in sentences)
    return InvalidInput("\n".join(("nothing was imported:", *told)))
