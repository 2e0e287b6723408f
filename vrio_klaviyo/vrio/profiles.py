"""
Who an event is about.

Source: the published page, "Profile Data" and "Customer Profile Data".
"""

from vrio_klaviyo.klaviyo.requests import Profile
from vrio_klaviyo.vrio.records import Customer, Order


def customer_profile(customer: Customer, order: Order) -> Profile:
    """
    The profile of a customer as this order shows it.

    Shape:  what is not known is left out, so that it stays in Klaviyo as it is; a date of the next charge that is no
            longer one is taken away. The tracking fields are the order's.
    """
    known = {
        "CLV": customer.clv,
        "NextChargeDate": customer.next_charge_on and customer.next_charge_on.isoformat(),
        "ActiveSubscriber": customer.active_subscriber,
    }
    over = customer.had_next_charge and customer.next_charge_on is None
    return Profile(
        email=customer.email,
        first_name=customer.first_name,
        last_name=customer.last_name,
        phone=customer.phone_e164,
        properties={name: value for name, value in known.items() if value is not None} | dict(order.tracking),
        unset=("NextChargeDate",) if over else (),
    )
