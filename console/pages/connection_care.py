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
from vrio_klaviyo.store.deliveries import DeliveryStatus
from vrio_klaviyo.store.listing import Wanted, count_of_deliveries
from vrio_klaviyo.store.people import Role

OWED = (DeliveryStatus.QUEUED, DeliveryStatus.RETRYING)


def add_routes(routes: Blueprint, site: Site) -> None:
    """`/connections/<connection_id>/check`, `/key`, `/pause`, `/activate`, `/archive`."""

    @routes.post("/<connection_id>/check")
    @needs(Role.MANAGER)
    def check(connection_id: str) -> ResponseReturnValue:
        found = steering.verify(guard.hand(), _connection(connection_id))
        return _done(_key_of(connection_id), found.sentence)

    @routes.post("/<connection_id>/key")
    @needs(Role.MANAGER)
    def replace_key(connection_id: str) -> ResponseReturnValue:
        connection = _connection(connection_id)
        try:
            found = steering.give_key(guard.hand(), connection, request.form.get("key", ""))
            sentence, taken = found.sentence, found.verdict == Verdict.ACCEPTED
        except InvalidInput as error:
            sentence, taken = str(error), False
        if not taken:
            return _done(_key_of(connection_id), f"The key was not replaced. {sentence}", "bad")
        told = f"The key was replaced. {sentence} What was held because of the old one goes now."
        return _done(_key_of(connection_id), told)

    @routes.get("/<connection_id>/pause")
    @needs(Role.MANAGER)
    def ask_to_pause(connection_id: str) -> ResponseReturnValue:
        connection = _connection(connection_id)
        return _asked(
            connection,
            "Pause",
            "New webhooks will be recorded as “Not sent: connection paused”. You can send them again later.",
            f"{_owed(connection)} will be held, and will go by itself when you activate the connection.",
        )

    @routes.post("/<connection_id>/pause")
    @needs(Role.MANAGER)
    def pause(connection_id: str) -> ResponseReturnValue:
        connection = _connection(connection_id)
        held = steering.pause(guard.hand(), connection)
        told = f"{connection.name} is paused. {_many(held)} {'is' if held == 1 else 'are'} held."
        return _done(_page_of(connection_id), told)

    @routes.post("/<connection_id>/activate")
    @needs(Role.MANAGER)
    def activate(connection_id: str) -> ResponseReturnValue:
        connection = _connection(connection_id)
        found, resumed = steering.activate(guard.hand(), connection)
        if found.verdict != Verdict.ACCEPTED:
            return _done(_key_of(connection_id), f"{connection.name} was not activated. {found.sentence}", "bad")
        told = f"{connection.name} is active. {_many(resumed)} that {'was' if resumed == 1 else 'were'} held will go."
        return _done(_page_of(connection_id), told)

    @routes.get("/<connection_id>/archive")
    @needs(Role.MANAGER)
    def ask_to_archive(connection_id: str) -> ResponseReturnValue:
        connection = _connection(connection_id)
        return _asked(
            connection,
            "Archive",
            "Nothing is sent through it any more, and it cannot be activated again. Its log stays, and its name "
            "is free for another connection.",
            f"{_owed(connection)} will be held for good.",
        )

    @routes.post("/<connection_id>/archive")
    @needs(Role.MANAGER)
    def archive(connection_id: str) -> ResponseReturnValue:
        connection = _connection(connection_id)
        steering.archive(guard.hand(), connection)
        return _done(url_for("connections.index"), f"{connection.name} is archived.")

    def _connection(connection_id: str) -> Connection:
        with site.db.read() as session:
            return guard.find(session, Connection, connection_id)

    def _owed(connection: Connection) -> str:
        wanted = Wanted(status=OWED, connections=[connection.id])
        with site.db.read() as session:
            count = count_of_deliveries(session, connection.workspace_id, wanted)
        return "What waits, more than 1,000 deliveries," if count is None else f"What waits now, {_many(count)},"


def _asked(connection: Connection, word: str, *sentences: str) -> str:
    """The page that asks first; it posts to its own address."""
    return render_template(
        "confirm.html",
        title=f"{word} {connection.name}?",
        sentences=sentences,
        action=request.path,
        word=word,
        back=_page_of(connection.id),
        form=blank(),
    )


def _done(target: str, sentence: str, kind: str = "message") -> ResponseReturnValue:
    flash(sentence, kind)
    return redirect(target, 303)


def _many(count: int) -> str:
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"


def _page_of(connection_id: str) -> str:
    return url_for("connections.show", connection_id=connection_id)


def _key_of(connection_id: str) -> str:
    return url_for("connections.settings", connection_id=connection_id, _anchor="key")
