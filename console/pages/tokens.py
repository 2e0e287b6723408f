"""API tokens: the programs that may read and steer this workspace, and what each of them may do."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from console.pages import guard
from console.pages.forms import Form, blank
from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store import tokens
from vrio_klaviyo.store.people import Role
from vrio_klaviyo.store.tokens import ApiToken, Scope

SCOPES = {
    Scope.READ: "see everything but personal data and bodies",
    Scope.READ_PII: "see personal data and bodies, too; needs read beside it",
    Scope.RESEND: "send again, one or many",
    Scope.MANAGE: "make and change connections",
}


class NewTokenSchema(Schema):
    name = fields.String(
        required=True,
        validate=validate.Length(1, 80, error="Give it a name of at most 80 characters."),
        error_messages={"required": "Give it a name."},
    )
    scopes = fields.List(
        fields.String(validate=validate.OneOf(list(SCOPES), error="Choose from these.")),
        required=True,
        validate=validate.Length(1, error="Choose at least one."),
        error_messages={"required": "Choose at least one."},
    )


def blueprint(site: Site) -> Blueprint:
    """`/tokens`."""
    routes = Blueprint("tokens", __name__, url_prefix="/tokens")

    @routes.get("")
    @needs(Role.OPERATOR)
    def index() -> ResponseReturnValue:
        return _list(blank(scopes=Scope.READ))

    @routes.post("")
    @needs(Role.OPERATOR)
    def add() -> ResponseReturnValue:
        filled, by = Form(NewTokenSchema()), guard.visitor()
        if filled.valid:
            try:
                with site.db.write() as session:
                    token, text = tokens.add_token(
                        session, by.workspace, **filled.values, now=site.now(), user_id=by.user.id
                    )
                    guard.note(session, "token.added", token.id, name=token.name, scopes=token.scopes)
            except InvalidInput as error:
                filled.refuse(f"{error}.", "name")
            else:
                # Shown on the answer itself and nowhere kept: whoever has the text is this token.
                return render_template("tokens/made.html", token=token, text=text)
        return _list(filled), filled.status

    @routes.get("/<token_id>/revoke")
    @needs(Role.OPERATOR)
    def confirm(token_id: str) -> ResponseReturnValue:
        with site.db.read() as session:
            token = guard.find(session, ApiToken, token_id)
        return render_template(
            "confirm.html",
            title=f"Revoke {token.name}?",
            sentences=[f"The program that uses the token …{token.hint} is refused from then on. It cannot be undone."],
            action=request.path,
            word="Revoke",
            back=url_for("tokens.index"),
            form=blank(),
        )

    @routes.post("/<token_id>/revoke")
    @needs(Role.OPERATOR)
    def revoke(token_id: str) -> ResponseReturnValue:
        with site.db.write() as session:
            token = tokens.revoke_token(session, guard.find(session, ApiToken, token_id).id, site.now())
            guard.note(session, "token.revoked", token.id, name=token.name)
        flash(f"{token.name} is revoked.")
        return redirect(url_for("tokens.index"), 303)

    def _list(form: Form) -> str:
        with site.db.read() as session:
            found = tokens.list_tokens(session, guard.visitor().workspace.id)
        return render_template("tokens/index.html", tokens=found, scopes=SCOPES, form=form)

    return routes
