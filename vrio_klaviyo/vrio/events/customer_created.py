"""
Customer Created: a new customer, of whom Klaviyo gets the profile.

Source: the published page, "Customer Created": no event, only profile data.
"""

from vrio_klaviyo.klaviyo.requests import ProfileRequest
from vrio_klaviyo.vrio.profiles import customer_profile
from vrio_klaviyo.vrio.records import Customer, Order


def customer_created(customer: Customer) -> list[ProfileRequest]:
    """
    One request for one customer.

    Shape:  there is no order yet, so the tracking fields are those that Vrio keeps on the customer.
    """
    return [ProfileRequest(profile=customer_profile(customer, Order(tracking=customer.tracking)))]
