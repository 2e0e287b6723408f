"""
The schemas of who buys: customer, address and card.

Source: Vrio API reference; Vrio help centre, "Transaction webhook".
"""

from typing import Any

from marshmallow import missing

from vrio_klaviyo.vrio import records
from vrio_klaviyo.vrio.amounts import Moment
from vrio_klaviyo.vrio.fields import CountryCode, Email, Id, Name, Text, Tracking
from vrio_klaviyo.vrio.labels import Flag
from vrio_klaviyo.vrio.reading import Parts, RecordSchema


class CardSchema(RecordSchema):
    """A card is read as its last four digits; nothing else of it is wanted."""

    number = Text(data_key="card_number")

    def made_of(self, values: dict[str, Any]) -> str:
        # Vrio: how many X stand in a masked number varies, so only the end of it counts.
        last_four = str(values.get("number", ""))[-4:]
        return last_four if last_four.isdecimal() else ""


class AddressSchema(RecordSchema):
    record = records.Address

    first_name = Name(data_key="fname")
    last_name = Name(data_key="lname")
    company = Text(data_key="organization")
    address1 = Text()
    address2 = Text()
    city = Name()
    state = Name()
    country = CountryCode()
    zip = Text(data_key="zipcode")

    def made_of(self, values: dict[str, Any]) -> Any:
        """The address; one of which nothing is said is none."""
        return super().made_of(values) if values else missing


class CustomerSchema(RecordSchema):
    thing = "customer"
    record = records.Customer

    # A customer without an id is still known by the e-mail address.
    customer_id = Id(data_key="id")
    email = Email()
    first_name = Name()
    last_name = Name()
    phone = Text()
    active_subscriber = Flag()
    addresses = Parts(AddressSchema(), data_key="customer_addresses")
    tracking = Tracking(data_key="")
    modified_at = Moment(data_key="date_modified")
