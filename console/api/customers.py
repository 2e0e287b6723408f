"""`/customers`: whom webhooks were about, and everything that happened to one of them."""

from typing import Any

from console.api.answering import needs_scope
from console.api.filters import CustomersQuery, HappeningsQuery, wanted
from console.api.operations import Call, Operations
from console.api.schemas import CustomerAnswer, HappeningAnswer
from console.api.webhooks import shape
from vrio_klaviyo.store.customers import Customer
from vrio_klaviyo.store.listing import page_of_happenings
from vrio_klaviyo.store.paging import Page
from vrio_klaviyo.store.searching import QueryKind, search_customers, understood
from vrio_klaviyo.store.tenancy import find_in
from vrio_klaviyo.store.tokens import Scope

operations = Operations("customers")


@operations.list("/customers", CustomerAnswer, CustomersQuery)
def list_customers(call: Call) -> Page[Customer]:
    """
    The customers that are looked for; all of them, the newest first, when nobody is.

    Looking for an e-mail or a name needs read:pii, and finds in alphabetical order what begins so.
    """
    asked = call.asked
    typed = asked.get("q", "")
    if understood(typed).kind in (QueryKind.EMAIL, QueryKind.NAME):
        # Whoever may ask for what begins so could find out every address, sign by sign.
        needs_scope(call, Scope.READ_PII, "Looking for an e-mail or a name")
    with call.site.db.read() as session:
        return search_customers(session, call.workspace_id, typed, place=asked["place"], limit=asked["limit"])


@operations.get("/customers/{customer_id}", CustomerAnswer)
def show_customer(call: Call, customer_id: str) -> Customer:
    """One customer."""
    with call.site.db.read() as session:
        return find_in(session, call.workspace_id, Customer, customer_id)


@operations.list("/customers/{customer_id}/webhooks", HappeningAnswer, HappeningsQuery)
def list_happenings(call: Call, customer_id: str) -> Page[dict[str, Any]]:
    """
    What happened to a customer: each webhook from Vrio, the newest first, with all that followed from it.

    A filter keeps the webhooks that have at least one delivery which meets all of it.
    """
    asked = call.asked
    with call.site.db.read() as session:
        find_in(session, call.workspace_id, Customer, customer_id)
        page = page_of_happenings(
            session, call.workspace_id, wanted(asked, [customer_id]), place=asked["place"], limit=asked["limit"]
        )
        return page.of(shape(session, happening) for happening in page.rows)
