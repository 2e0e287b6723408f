"""Vrio's REST API: what a webhook leaves out. It is read and never written to."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import tzinfo
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlencode, urlsplit

import requests

from vrio_klaviyo.calling import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, call, retry_after_s
from vrio_klaviyo.errors import (
    Answer,
    CallFailed,
    EndpointRefused,
    NotAuthorized,
    Rejected,
    Retriable,
    Throttled,
    UnreadableWebhook,
)
from vrio_klaviyo.vrio import answers
from vrio_klaviyo.vrio.answers import Found, FoundAll, FoundOrderOffer, FoundTransaction, Page
from vrio_klaviyo.vrio.reading import parsed
from vrio_klaviyo.vrio.records import Customer, Order, OrderOffer, Transaction

# One lookup with all of its pages, and with waiting for a slot and for an answer that is not finished yet.
TOTAL_TIMEOUT_S = 30.0
# Vrio: 200 transactions with all that it writes about each are half a megabyte.
LONGEST_ANSWER = 8 * 1024 * 1024

# Vrio: it takes three requests at once, and counts one until it has answered it.
MOST_AT_ONCE = 3
# Vrio: how long an answer that is not finished takes is written nowhere.
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)

PAGE = 200

OF_TRANSACTION = (
    "sale,line_items,order,customer,customer_card,customer_address_billing,customer_address_shipping,campaign,credits"
)
OF_CUSTOMER = "customer_addresses"
OF_ORDER = "order_offers,customer,cart,customer_address_billing,customer_address_shipping"
OF_ORDER_OFFER = "order_offer_items,discount"

# An id comes from a webhook, and nobody vouches for that: what could lead to another address is not asked for.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]+")
_CODE = re.compile(r"[a-z_]{1,40}", re.ASCII)
_PATH = re.compile(r"/[\w/.~%-]{1,500}", re.ASCII)
_QUERY = re.compile(r"[\w.~%=&+-]{0,500}", re.ASCII)
_PORTS = {"http": 80, "https": 443}

F = TypeVar("F", bound=Found[Any])
R = TypeVar("R")


class VrioClient:
    """
    Looks things up with one API key; several threads may share it.

    Shape:  None is what Vrio does not know. `wait` sleeps; it may return early, when the process is to end.
    Units:  dates without a zone are in `zone`.
    Raises: Retriable, Throttled, NotAuthorized, EndpointRefused, Rejected; each carries the answer, if any came.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        session: requests.Session,
        zone: tzinfo,
        *,
        read_timeout_s: float = READ_TIMEOUT_S,
        total_timeout_s: float = TOTAL_TIMEOUT_S,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._session = session
        self._zone = zone
        self._read_timeout_s = read_timeout_s
        self._total_timeout_s = total_timeout_s
        self._wait = wait
        self._slots = threading.BoundedSemaphore(MOST_AT_ONCE)

    def transaction(self, transaction_id: str) -> FoundTransaction | None:
        """A transaction with its sale, lines, order, customer and credits."""
        return self._one("transaction", transaction_id, OF_TRANSACTION, answers.transaction)

    def customer(self, customer_id: str) -> Found[Customer] | None:
        """A customer with the addresses."""
        return self._one("customer", customer_id, OF_CUSTOMER, answers.customer)

    def order(self, order_id: str) -> Found[Order] | None:
        """An order with its offers, customer, cart and addresses."""
        return self._one("order", order_id, OF_ORDER, answers.order)

    def order_offer(self, order_offer_id: str) -> FoundOrderOffer | None:
        """An order offer with its items and its discount code. Vrio: whose it is, only its order says."""
        return self._one("order_offer", order_offer_id, OF_ORDER_OFFER, answers.order_offer)

    def order_offers_of(self, customer_id: str) -> FoundAll[OrderOffer]:
        """All order offers of a customer, without their items."""
        return self._all("order_offers", customer_id, answers.order_offers)

    def transactions_of(self, customer_id: str) -> FoundAll[Transaction]:
        """All transactions of a customer. Vrio: which of them belong to test orders does not stand there."""
        return self._all("transactions", customer_id, answers.transactions)

    def _one(
        self, thing: str, thing_id: str, expansions: str, read: Callable[[Mapping[str, Any]], F | None]
    ) -> F | None:
        if not _ID.fullmatch(thing_id):
            return None
        answer = self._get(f"/{thing}s/{thing_id}", {"with": expansions}, self._deadline())
        if answer is None:
            return None
        with answers.in_zone(self._zone):
            found = read(_object_in(answer))
        if found is None or getattr(found.record, f"{thing}_id") != thing_id:
            raise Retriable(f"{answer.status} and not the {thing} that was asked for", answer)
        return found

    def _all(
        self, things: str, customer_id: str, read: Callable[[Mapping[str, Any], str], Page[R] | None]
    ) -> FoundAll[R]:
        """
        All pages of a search for what a customer has.

        Shape:  Vrio: how the parameter is called that turns pages is written nowhere that we could read. Where it is
                not `offset`, the first page comes again and again, which is noticed: what was found is then not whole.
        """
        if not _ID.fullmatch(customer_id):
            return FoundAll(records=(), is_whole=False)
        deadline = self._deadline()

        def page_after(length: int) -> Page[R]:
            asked = {"customer_id": customer_id, "limit": str(PAGE)} | ({"offset": str(length)} if length else {})
            answer = self._get(f"/{things}", asked, deadline)
            if answer is None:
                return Page()
            with answers.in_zone(self._zone):
                page = read(_object_in(answer), customer_id)
            if page is None:
                raise Retriable(f"{answer.status} without {things}", answer)
            return page

        return answers.gathered(page_after)

    def _deadline(self) -> float:
        return time.monotonic() + self._total_timeout_s

    def _get(self, path: str, asked: Mapping[str, str], deadline: float) -> Answer | None:
        """
        The finished answer to one question; None when Vrio says that there is no such thing.

        Shape:  the slot is kept while Vrio works on what it has not finished.
        """
        url = f"{self._base_url}{path}?{urlencode(asked, safe=',')}"
        with self._slot(deadline):
            answer = self._call(url, deadline)
            if answer.status == 404 and _error_in(answer):
                return None
            for pause_s in PAUSES_S:
                if not _is_unfinished(answer):
                    break
                url = self._where_finished(answer)
                self._wait(max(0.0, min(pause_s, deadline - time.monotonic())))
                answer = self._call(url, deadline)
        if not 200 <= answer.status < 300:
            raise failure_of(answer)
        return answer

    @contextmanager
    def _slot(self, deadline: float) -> Iterator[None]:
        if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise Retriable(f"{MOST_AT_ONCE} other calls were under way all the time")
        try:
            yield
        finally:
            self._slots.release()

    def _where_finished(self, answer: Answer) -> str:
        """
        The URL at which an answer will be, once it is finished.

        Shape:  made of our own scheme, host and port and of the path that Vrio names: wherever two readers of a URL see
                two hosts in it, the key still goes to Vrio.
        Raises: Retriable, when Vrio names another host, or no URL at all.
        """
        told = _error_in(answer).get("api_request")
        ours = urlsplit(self._base_url)
        try:
            parts = urlsplit(told if isinstance(told, str) else "")
            same = _origin(parts) == _origin(ours) and "@" not in parts.netloc
        except ValueError:
            same = False
        if not same or not _PATH.fullmatch(parts.path) or not _QUERY.fullmatch(parts.query):
            raise Retriable(f"{answer.status} request_processing, and its api_request is no URL of this API", answer)
        return f"{ours.scheme}://{ours.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def _call(self, url: str, deadline: float) -> Answer:
        if not _KEY.fullmatch(self._api_key):
            raise NotAuthorized("the API key is empty, or has characters that no header can carry")
        if deadline <= time.monotonic():
            raise Retriable(f"no answer within {self._total_timeout_s:g} s altogether")
        came = call(
            self._session,
            "GET",
            url,
            {"accept": "application/json", "x-api-key": self._api_key},
            read_timeout_s=self._read_timeout_s,
            # Also when every single wait is short enough.
            ends=min(deadline, time.monotonic() + CONNECT_TIMEOUT_S + self._read_timeout_s),
            longest=LONGEST_ANSWER,
        )
        if came.cut:
            raise Retriable(came.cut)
        return came.answer


def failure_of(answer: Answer) -> CallFailed:
    """
    The typed error of an answer that is not 2xx.

    Shape:  the reason is Vrio's status and code; its message may hold anything.
    Source: Vrio API reference, gateway responses. Vrio: with which status it throttles is written nowhere.
    """
    code = _error_in(answer).get("code")
    is_code = isinstance(code, str) and _CODE.fullmatch(code)
    reason = f"{answer.status} {code}" if is_code else str(answer.status)
    match answer.status:
        case 429:
            return Throttled(reason, retry_after_s(answer.headers), answer)
        case 401:
            return NotAuthorized(reason, answer)
        case 403 if _document_in(answer):
            # Vrio: also for a missing key.
            return NotAuthorized(reason, answer)
        case 403 | 404:
            # Something before Vrio said so, or of an answer that was to be fetched; nothing follows from that.
            return Retriable(f"{reason} (not Vrio's own answer)", answer)
        case 405 | 410 | 415:
            return EndpointRefused(reason, answer)
        case 408:
            return Retriable(reason, answer)
        case status if 400 <= status < 500:
            return Rejected(reason, answer)
    return Retriable(reason, answer)


def _is_unfinished(answer: Answer) -> bool:
    return answer.status == 504 and _error_in(answer).get("code") == "request_processing"


def _object_in(answer: Answer) -> dict[str, Any]:
    """The JSON object that a good answer is; Retriable when it is none."""
    try:
        return parsed(answer.body)
    except UnreadableWebhook as error:
        raise Retriable(f"{answer.status} without a JSON object", answer) from error


def _document_in(answer: Answer) -> dict[str, Any]:
    try:
        return parsed(answer.body)
    except UnreadableWebhook:
        return {}


def _error_in(answer: Answer) -> dict[str, Any]:
    """What Vrio says went wrong; empty when it is not Vrio that says it."""
    error = _document_in(answer).get("error")
    return error if isinstance(error, dict) else {}


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
