"""A connection's settings: shown to everybody, changed by managers, and never written over unseen."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from console import steering
from console.connection_words import PHONES, VALUES, WORDS, differences, in_words, settings_now
from console.pages import guard
from console.pages.connection_head import about_connection
from console.pages.forms import Form, blank
from console.pages.guard import needs
from console.pages.new_connection import ALL, CHOSEN, CampaignsSchema, chosen, sentence_of
from console.site import Site
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.campaigns import campaigns_seen
from vrio_klaviyo.store.connections import Connection
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.vrio.routes import BEYOND, METRICS


class SettingsForm(CampaignsSchema):
    """All settings but the key, which is changed by itself."""

    class Meta:
        exclude = ("key", "metrics_off", "metrics_on")

    metrics = fields.List(fields.String(validate=validate.OneOf([*METRICS, *BEYOND])))
    version = fields.String(load_default="")


def add_routes(routes: Blueprint, site: Site) -> None:
    """`/connections/<connection_id>/settings`."""

    @routes.get("/<connection_id>/settings")
    @needs(Role.VIEWER)
    def settings(connection_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            current = settings_now(session, guard.find(session, Connection, connection_id))
        return _page(connection_id, _filled(current), [])

    @routes.post("/<connection_id>/settings")
    @needs(Role.MANAGER)
    def change(connection_id: str) -> ResponseReturnValue:
        form = _read()
        clash: list[tuple[str, str, str]] = []
        with site.db.write() as session:
            connection = guard.find(session, Connection, connection_id)
            before = settings_now(session, connection)
            wanted = _wanted(form)
            if form.valid and form.values["version"] != version_of(before):
                clash = differences(before, wanted)
            if form.valid and not clash:
                try:
                    changed = steering.change(guard.hand(), session, connection, wanted)
                except InvalidInput as error:
                    form.refuse(sentence_of(error), "name")
        if clash:
            # Saving once more writes over what is shown now.
            form.typed["version"] = version_of(before)
            return _page(connection_id, form, clash), 409
        if not form.valid:
            return _page(connection_id, form, []), form.status
        flash("The settings are saved." if changed else "Nothing was changed.")
        return redirect(url_for("connections.settings", connection_id=connection_id), 303)

    def _page(connection_id: str, form: Form, clash: list[tuple[str, str, str]]) -> str:
        with site.db.read() as session:
            about = about_connection(session, connection_id)
            seen = campaigns_seen(session, guard.visitor().workspace.id)
            current = settings_now(session, about["connection"])
        unseen = {campaign: "" for campaign in current["campaigns"] if campaign not in seen}
        return render_template(
            "connections/settings.html",
            **about,
            form=form,
            clash=clash,
            campaigns=seen | unseen,
            page_metrics=METRICS,
            beyond=tuple(BEYOND),
            values=VALUES.items(),
            phones=PHONES.items(),
            shown=[(WORDS[name], in_words(name, value, seen)) for name, value in current.items()],
        )


def version_of(settings: Mapping[str, Any]) -> str:
    """What tells these settings from others: a form that was opened before a change of them knows another one."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _filled(current: Mapping[str, Any]) -> Form:
    """The form with the settings as they are."""
    boxes = {name: "on" for name, value in current.items() if value is True}
    rest = {name: value for name, value in current.items() if not isinstance(value, bool) and value is not None}
    which = CHOSEN if current["campaigns"] else ALL
    return blank(**rest, **boxes, which=which, version=version_of(current))


def _read() -> Form:
    form = Form(SettingsForm(), {name: request.form.getlist(name) for name in request.form})
    if form.errors.get("rate_per_minute") and not form.typed.get("rate_per_minute", "").strip():
        del form.errors["rate_per_minute"]
        form.values["rate_per_minute"] = None
    return form


def _wanted(form: Form) -> dict[str, Any]:
    """What the form wants, in the words that `steering.change` and the API know."""
    told = form.values
    if not form.valid:
        return {}
    return told | {
        "campaigns": chosen(told),
        "metrics_off": [name for name in METRICS if name not in told["metrics"]],
        "metrics_on": [name for name in BEYOND if name in told["metrics"]],
    }
