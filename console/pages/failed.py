"""Failed: what stands still, grouped by its cause, with what to do; and what somebody has looked at already."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from console.explaining import explained
from console.pages import frame, guard
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.errors import InvalidInput, NotFound
from vrio_klaviyo.store.causes import groups_by_cause
from vrio_klaviyo.store.connections import list_connections
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.glances import customers_in_order
from vrio_klaviyo.store.listing import Wanted, count_of_deliveries, page_of_deliveries
from vrio_klaviyo.store.paging import MANY
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.resending import look_at
from vrio_klaviyo.vrio.routes import BEYOND, METRICS

# In an address, an empty value is no filter; a profile's metric is empty.
PROFILE = "profile"
FILTERS = ("connection", "cause", "event", "since", "until")

# Marked in one transaction, and at most for one click.
PORTION = 500
MOST_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Tab:
    """One list of what stands still."""

    word: str
    status: DeliveryStatus
    looked_at: bool | None
    empty: str


TABS = {
    "failed": Tab("Failed", DeliveryStatus.FAILED, False, "Nothing has failed that nobody has looked at."),
    "held": Tab("Held", DeliveryStatus.HELD, None, "Nothing is held."),
    "skipped": Tab("Not sent", DeliveryStatus.SKIPPED, None, "Everything that came in was sent on."),
    "looked-at": Tab("Looked at", DeliveryStatus.FAILED, True, "No failure is put aside as looked at."),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address, or a form that was made for one, asks for: the words as they stand there."""

    show: str
    words: dict[str, str]
    deliveries: tuple[str, ...]

    @classmethod
    def of(cls, values: MultiDict[str, str], show: str = "") -> "Asked":
        """
        What is asked for; `show` is the list where the address itself names it.

        Raises: NotFound when there is no such list.
        """
        show = show or values.get("show", "failed")
        if show not in TABS:
            raise NotFound(f"there is no list called {show}")
        words = {name: values.get(name, "").strip() for name in FILTERS}
        return cls(show, {name: word for name, word in words.items() if word}, tuple(values.getlist("delivery")))

    @property
    def tab(self) -> Tab:
        """The list that is looked at."""
        return TABS[self.show]

    def pairs(self, **changes: str) -> list[tuple[str, str]]:
        """The same as names and values, for an address or for hidden fields; an empty change takes one out."""
        words = {"show": self.show} | self.words | changes
        return [(name, word) for name, word in words.items() if word] + [("delivery", one) for one in self.deliveries]

    def kept(self, *names: str) -> dict[str, str]:
        """Some of its filters."""
        return {name: self.words[name] for name in names if name in self.words}

    def address(self, endpoint: str, **changes: str) -> str:
        """The address of another page that asks for the same."""
        words: dict[str, Any] = dict(self.pairs(**changes))
        return url_for(endpoint, **words | {"delivery": list(self.deliveries)})

    def wanted(self) -> Wanted:
        """
        The same in the store's words.

        Raises: InvalidInput.
        """
        metric = self.words.get("event", "")
        return Wanted(
            status=[self.tab.status],
            looked_at=self.tab.looked_at,
            connections=self._one("connection"),
            causes=self._one("cause"),
            event=["" if metric == PROFILE else metric] if metric else [],
            ids=self.deliveries,
            since=_moment(self.words.get("since", "")),
            until=_moment(self.words.get("until", "")),
        )

    def _one(self, name: str) -> list[str]:
        return [self.words[name]] if name in self.words else []


def blueprint(site: Site) -> Blueprint:
    """`/failed`."""
    routes = Blueprint("failed", __name__, url_prefix="/failed")
    routes.add_app_template_global(explained, "explained")
    frame.COUNTS["failed.index"] = open_failures

    @routes.get("", defaults={"show": "failed"})
    @routes.get("/<show>")
    @needs(Role.VIEWER)
    def index(show: str) -> ResponseReturnValue:
        asked, here = Asked.of(request.args, show), guard.visitor().workspace.id
        wanted = asked.wanted()
        with site.db.read() as session:
            groups = groups_by_cause(
                session,
                here,
                statuses=wanted.status,
                connections=wanted.connections,
                since=wanted.since,
                until=wanted.until,
                looked_at=wanted.looked_at,
            )
            around = _around(session, here, asked)
        return render_template("failed/index.html", asked=asked, groups=groups, **around)

    @routes.get("/<show>/requests")
    @needs(Role.VIEWER)
    def requests(show: str) -> ResponseReturnValue:
        asked, here = Asked.of(request.args, show), guard.visitor().workspace.id
        with site.db.read() as session:
            page = page_of_deliveries(session, here, asked.wanted(), place=frame.place())
            ids = [delivery.customer_id for delivery in page.rows if delivery.customer_id]
            customers = {one.id: one for one in customers_in_order(session, here, ids)}
            count = count_of_deliveries(session, here, asked.wanted())
            around = _around(session, here, asked)
        return render_template(
            "failed/requests.html",
            asked=asked,
            page=page,
            count=count,
            customers=customers,
            metrics=[(PROFILE, "Profile"), *((metric, metric) for metric in (*METRICS, *BEYOND))],
            **around,
        )

    @routes.post("/put-aside")
    @needs(Role.SUPPORT)
    def put_aside() -> ResponseReturnValue:
        asked, count = _marked(site.now())
        flash(f"{_requests(count)} put aside as looked at. What fails again comes back.{_rest(count)}")
        return redirect(_back(asked), 303)

    @routes.post("/bring-back")
    @needs(Role.SUPPORT)
    def bring_back() -> ResponseReturnValue:
        asked, count = _marked(None)
        flash(f"{_requests(count)} stand among the failed ones again.{_rest(count)}")
        return redirect(_back(asked), 303)

    def _marked(now: datetime | None) -> tuple[Asked, int]:
        """Mark those that were chosen, or all that match; how many that were."""
        asked, here = Asked.of(request.form), guard.visitor().workspace.id
        wanted, count = replace(asked.wanted(), looked_at=now is None), 0
        if wanted.status != [DeliveryStatus.FAILED]:
            raise InvalidInput("only what has failed can be looked at")
        if "chosen" in request.args and not asked.deliveries:
            return asked, 0
        action = "failures.looked_at" if now else "failures.brought_back"
        for _ in range(MOST_AT_ONCE // PORTION):
            with site.db.write() as session:
                ids = [one.id for one in page_of_deliveries(session, here, wanted, limit=PORTION).rows]
                marked = look_at(session, ids, now)
                if marked:
                    guard.note(session, action, ids[0] if marked == 1 else "", **asked.words, count=marked)
            count += marked
            if len(ids) < PORTION:
                break
        return asked, count

    return routes


def open_failures(session: Session, workspace_id: str) -> int:
    """How many deliveries failed that nobody has looked at, counted up to many."""
    count = count_of_deliveries(session, workspace_id, Wanted(status=[DeliveryStatus.FAILED], looked_at=False))
    return MANY + 1 if count is None else count


def _around(session: Session, workspace_id: str, asked: Asked) -> dict[str, Any]:
    """What both pages show beside their rows: the other lists with their counts, and what may be filtered by."""
    every = replace(asked.wanted(), causes=[], event=[], ids=[])
    sizes = {
        name: count_of_deliveries(session, workspace_id, replace(every, status=[tab.status], looked_at=tab.looked_at))
        for name, tab in TABS.items()
    }
    connections = {one.id: one for one in list_connections(session, workspace_id)}
    choices = [(one.id, one.name) for one in connections.values()]
    return {"tabs": TABS, "sizes": sizes, "connections": connections, "connection_choices": choices, "MANY": MANY}


def _moment(text: str) -> datetime | None:
    """A day or a time, in the visitor's zone when it names none."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=guard.visitor().zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{text} is no time; write it as 2026-08-30T12:00") from error


def _back(asked: Asked) -> str:
    """Where the rest of what was looked at stands."""
    return replace(asked, deliveries=()).address("failed.requests" if "chosen" in request.args else "failed.index")


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count:,} requests"


def _rest(count: int) -> str:
    return " There are more: do it again for the rest." if count >= MOST_AT_ONCE else ""
