"""Add New Connection: choose Klaviyo, give name and key, and save: the key is checked before anything is kept."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError, fields, validate, validates_schema

from console import steering
from console.pages import guard
from console.pages.forms import Form, blank
from console.pages.guard import needs
from console.schemas.connections import CAMPAIGN, ConnectionSchema
from console.site import Site
from vrio_klaviyo.connecting import KeyCheck, Verdict, check_key
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.klaviyo.client import KlaviyoClient
from vrio_klaviyo.store.accounts import describe_account
from vrio_klaviyo.store.campaigns import campaigns_seen
from vrio_klaviyo.store.connections import Connection, KeyStatus, private_key
from vrio_klaviyo.store.key_checks import record_key
from vrio_klaviyo.store.people import Role

ALL, CHOSEN = "all", "chosen"
NO_CAMPAIGN = "No campaign is chosen: choose one, or all campaigns."


class CampaignsSchema(ConnectionSchema):
    """The part of a form in which campaigns are chosen: boxes for those that were seen, and a line for others."""

    which = fields.String(load_default=ALL, validate=validate.OneOf([ALL, CHOSEN], error="Choose one of the two."))
    more_campaigns = fields.String(load_default="", validate=validate.Length(max=5000))

    @validates_schema
    def _chooses(self, told: dict[str, Any], **_rest: object) -> None:
        if told.get("which") != CHOSEN:
            return
        campaigns = chosen(told)
        if not campaigns:
            raise ValidationError(NO_CAMPAIGN, "which")
        for campaign in campaigns:
            try:
                CAMPAIGN(campaign)
            except ValidationError as error:
                raise ValidationError(f"“{campaign[:40]}” cannot be a campaign's id.", "more_campaigns") from error


class NewConnectionForm(CampaignsSchema):
    """A connection as it is made; what else can be set has a usual value, and is on its own page."""

    class Meta:
        fields = ("name", "key", "push_events", "which", "campaigns", "more_campaigns", "start")

    start = fields.String(load_default="active", validate=validate.OneOf(["active", "paused"]))

    @validates_schema
    def _is_filled(self, told: dict[str, Any], **_rest: object) -> None:
        if "name" not in told:
            raise ValidationError("Give it a name.", "name")


def chosen(told: dict[str, Any]) -> list[str]:
    """The ids of the campaigns that a form names; none stands for all."""
    if told.get("which") != CHOSEN:
        return []
    typed = (campaign.strip() for campaign in told.get("more_campaigns", "").replace("\n", ",").split(","))
    return list(dict.fromkeys([*told.get("campaigns", []), *(campaign for campaign in typed if campaign)]))


def add_routes(routes: Blueprint, site: Site) -> None:
    """`/connections/new` and `/connections/new/klaviyo`."""

    @routes.get("/new")
    @needs(Role.MANAGER)
    def choose() -> ResponseReturnValue:
        return render_template("connections/choose.html")

    @routes.get("/new/klaviyo")
    @needs(Role.MANAGER)
    def new() -> ResponseReturnValue:
        return _form(blank(push_events="on", which=ALL, start="active"), None)

    @routes.post("/new/klaviyo")
    @needs(Role.MANAGER)
    def add() -> ResponseReturnValue:
        form, check = Form(NewConnectionForm()), None
        key = _key(form)
        if form.valid:
            check = check_key(KlaviyoClient(site.settings.klaviyo_api_url.rstrip("/"), key, site.http))
            if check.verdict == Verdict.REJECTED:
                form.refuse(check.sentence, "key")
        if check is not None and form.valid:
            try:
                connection = _saved(form, check)
            except InvalidInput as error:
                form.refuse(sentence_of(error), "name")
            else:
                if check.verdict == Verdict.ACCEPTED and form.values["start"] == "active":
                    steering.let_go(guard.hand(), connection)
                flash(_told(connection, check, wanted=form.values["start"]))
                return redirect(url_for("connections.show", connection_id=connection.id), 303)
        return _form(form, check), form.status

    def _form(form: Form, check: KeyCheck | None) -> str:
        with site.db.read() as session:
            seen = campaigns_seen(session, guard.visitor().workspace.id)
        return render_template("connections/new.html", form=form, check=check, campaigns=seen)

    def _saved(form: Form, check: KeyCheck) -> Connection:
        wanted = form.values | {"campaigns": chosen(form.values)}
        with site.db.write() as session:
            connection = steering.connect(guard.hand(), session, guard.visitor().workspace.id, wanted)
            session.flush()
            if check.verdict == Verdict.ACCEPTED:
                record_key(session, connection.id, KeyStatus.ACCEPTED, "", site.now(), scopes=check.scopes)
                describe_account(session, connection.account_id, **asdict(check.account))
            else:
                record_key(session, connection.id, KeyStatus.UNCHECKED, check.sentence, site.now())
            return connection


def _key(form: Form) -> str:
    """The key that was typed, with its mistakes told where they can be seen without asking anybody."""
    try:
        return private_key(str(form.typed.get("key", "")))
    except InvalidInput as error:
        form.refuse(sentence_of(error), "key")
        return ""


def sentence_of(error: InvalidInput) -> str:
    """What is wrong, as it stands under a field."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _told(connection: Connection, check: KeyCheck, wanted: str) -> str:
    if check.verdict == Verdict.UNKNOWN:
        return f"{connection.name} is saved, and paused: {check.sentence} Check the key again, then activate it."
    about = filter(None, (check.account.klaviyo_id, check.account.time_zone, check.account.currency))
    account = f" Account: {check.account.name} ({', '.join(about)})." if check.account.name else ""
    active = "It is active: what Vrio sends from now on goes to Klaviyo."
    state = active if wanted == "active" else "It is paused."
    return f"{connection.name} is saved. {check.sentence}{account} {state}"
