"""
Abandoned Order: a cart that was left before it was paid for.

Source: the published page, "Abandoned Order": the structure of placed orders. CheckoutUrl is our choice.
"""

from vrio_klaviyo.klaviyo.requests import EventRequest
from vrio_klaviyo.vrio import event_ids
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.properties import order_properties, row_totals
from vrio_klaviyo.vrio.records import Customer, Order, Transaction


def abandoned_order(order: Order) -> list[EventRequest]:
    """
    One request for one cart.

    Shape:  all fields of a payment are there and empty. CheckoutUrl is there when Vrio tells it.
    Units:  value is the cart's total, else what its lines come to before any discount.
    """
    customer = order.customer or Customer()
    unpaid = Transaction(
        transaction_id="",
        order=order,
        customer=customer,
        lines=order.lines,
        discount=order.discount,
        discount_code=next((line.discount_code for line in order.lines if line.discount_code), ""),
        billing=order.billing,
        shipping=order.shipping,
    )
    return [
        EventRequest(
            metric="Abandoned Order",
            unique_id=event_ids.of_cart(order),
            time=order.happened_at,
            value=row_totals(order.lines) if order.cart_total is None else order.cart_total,
            currency=order.currency,
            profile=customer_profile(customer, order),
            properties=order_properties(unpaid) | ({"CheckoutUrl": order.checkout_url} if order.checkout_url else {}),
        )
    ]
