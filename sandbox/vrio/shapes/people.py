"""Customers, their cards and addresses."""

from sandbox.vrio.records import Address, Card, Customer, Order, OrderOffer
from sandbox.vrio.shapes import STAFF, Fields
from sandbox.vrio.shapes.orders import NO_TRACKING, tracking
from sandbox.vrio.world import Moment


def customer(moment: Moment, told: Customer) -> Fields:
    """Vrio: a customer is an active subscriber while one subscription is charged."""
    offers = moment.all(OrderOffer, told.id)
    orders = [order for order in moment.all(Order, told.id) if not order.is_test] or moment.all(Order, told.id)
    return {
        "customer_id": told.id,
        "connection_customer_id": None,
        "connection_id": 1,
        "first_name": told.first_name,
        "last_name": told.last_name,
        "email": told.email,
        "ip_address": told.ip_address,
        "phone": told.phone.typed,
        "birthday": None,
        "gender": "",
        "pronoun_id": None,
        "active_subscriber": any(offer.is_active_subscription for offer in offers),
        "is_blacklist": told.is_blacklist,
        "is_fraud": False,
        "date_created": told.created_at,
        "date_modified": told.modified_at,
        "created_by": STAFF,
        "modified_by": STAFF,
        "customer_notes": None,
        **(tracking(orders[-1]) if orders else NO_TRACKING),
    }


def card(told: Card) -> Fields:
    return {
        "customer_card_id": told.card_id,
        "card_type_id": told.type,
        "card_number": told.number,
        "card_exp_month": 12,
        "card_exp_year": 2030,
        "card_prepaid": False,
        "date_created": told.created_at,
        "date_modified": told.created_at,
        "created_by": STAFF,
        "modified_by": STAFF,
    }


def address(told: Address) -> Fields:
    return {
        "customer_address_id": told.address_id,
        "fname": told.first_name,
        "lname": told.last_name,
        "organization": "",
        "address1": told.street,
        "address2": "",
        "city": told.city,
        "country": told.country,
        "state": told.state,
        "zipcode": told.zipcode,
        "address_valid": True,
        "date_created": told.created_at,
        "date_modified": told.created_at,
        "created_by": STAFF,
        "modified_by": STAFF,
    }
