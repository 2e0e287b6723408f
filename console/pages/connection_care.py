"""What else is done to a connection: its key, pause, activation, and putting it away."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import steering
from console.pages import guard
from console.pages.forms import blank
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.connecting import Verdict
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.db import Session
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.listing import Wanted, count_of_deliveries
from vrio_klaviyo.store.people import Role

OWED = (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING)


def add_routes(routes: Blueprint, site: Site) -> None:
    """`/connections/<connection_id>/check`, `/key`, `/pause`, `/activate`, `/archive`."""

    @routes.post("/<connection_id>/check")
    @needs(Role.MANAGER)
    def check(connection_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            guard.find(session, Connection, connection_id)
            guard.note(session, "connection.verified", connection_id)
        flash(steering.verify(site, connection_id).sentence)
        return redirect(_key_of(connection_id), 303)

    @routes.post("/<connection_id>/key")
    @needs(Role.MANAGER)
    def replace_key(connection_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            before = guard.find(session, Connection, connection_id).key_hint
        try:
            found = steering.give_key(site, connection_id, request.form.get("key", ""))
            sentence, taken = found.sentence, found.verdict == Verdict.ACCEPTED
        except InvalidInput as error:
            sentence, taken = str(error), False
        if not taken:
            flash(f"The key was not replaced. {sentence}", "bad")
            return redirect(_key_of(connection_id), 303)
        with site.db.write() as session:
            after = guard.find(session, Connection, connection_id).key_hint
            guard.note(session, "connection.key_replaced", connection_id, before=before, after=after)
        flash(f"The key was replaced. {sentence} What was held because of the old one goes now.")
        return redirect(_key_of(connection_id), 303)

    @routes.get("/<connection_id>/pause")
    @needs(Role.MANAGER)
    def ask_to_pause(connection_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            connection = guard.find(session, Connection, connection_id)
            owed = _owed(session, connection)
        return render_template(
            "confirm.html",
            title=f"Pause {connection.name}?",
            sentences=[
                "New webhooks will be recorded as “Not sent: connection paused”. You can send them again later.",
                f"{owed} will be held, and will go by itself when you activate the connection.",
            ],
            action=url_for("connections.pause", connection_id=connection_id),
            word="Pause",
            back=_page_of(connection_id),
            form=blank(),
        )

    @routes.post("/<connection_id>/pause")
    @needs(Role.MANAGER)
    def pause(connection_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            connection = guard.find(session, Connection, connection_id)
            held = steering.pause(site, session, connection)
            guard.note(session, "connection.paused", connection_id, held=held)
        flash(f"{connection.name} is paused. {_many(held)} {'is' if held == 1 else 'are'} held.")
        return redirect(_page_of(connection_id), 303)

    @routes.post("/<connection_id>/activate")
    @needs(Role.MANAGER)
    def activate(connection_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            connection = guard.find(session, Connection, connection_id)
        if connection.archived_at is not None:
            raise InvalidInput(f"{connection.name} is archived")
        found = steering.verify(site, connection_id)
        if found.verdict != Verdict.ACCEPTED:
            flash(f"{connection.name} was not activated. {found.sentence}", "bad")
            return redirect(_key_of(connection_id), 303)
        with site.db.write() as session:
            resumed = steering.activate(site, session, guard.find(session, Connection, connection_id))
            guard.note(session, "connection.activated", connection_id, resumed=resumed)
        steering.ring(site, connection_id)
        flash(f"{connection.name} is active. {_many(resumed)} that {'was' if resumed == 1 else 'were'} held will go.")
        return redirect(_page_of(connection_id), 303)

    @routes.get("/<connection_id>/archive")
    @needs(Role.MANAGER)
    def ask_to_archive(connection_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            connection = guard.find(session, Connection, connection_id)
            owed = _owed(session, connection)
        return render_template(
            "confirm.html",
            title=f"Archive {connection.name}?",
            sentences=[
                "Nothing is sent through it any more, and it cannot be activated again. Its log stays, and its name "
                "is free for another connection.",
                f"{owed} will be held for good.",
            ],
            action=url_for("connections.archive", connection_id=connection_id),
            word="Archive",
            back=_page_of(connection_id),
            form=blank(),
        )

    @routes.post("/<connection_id>/archive")
    @needs(Role.MANAGER)
    def archive(connection_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            connection = guard.find(session, Connection, connection_id)
            steering.archive(site, session, connection)
            guard.note(session, "connection.archived", connection_id)
        flash(f"{connection.name} is archived.")
        return redirect(url_for("connections.index"), 303)


def _owed(session: Session, connection: Connection) -> str:
    wanted = Wanted(status=OWED, connections=[connection.id])
    count = count_of_deliveries(session, connection.workspace_id, wanted)
    return "What waits, more than 1,000 deliveries," if count is None else f"What waits now, {_many(count)},"


def _many(count: int) -> str:
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"


def _page_of(connection_id: str) -> str:
    return url_for("connections.show", connection_id=connection_id)


def _key_of(connection_id: str) -> str:
    return url_for("connections.settings", connection_id=connection_id, _anchor="key")
