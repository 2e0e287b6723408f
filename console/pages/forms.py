"""
What a person typed, checked by a marshmallow schema; the API checks with the same schemas.

    form = Form(SignInSchema())            # reads request.form
    if form.valid: use(form.values["email"])
    return render_template("sign_in.html", form=form), form.status
"""

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict

# White space may be part of these.
_AS_TYPED = {"password", "current_password", "new_password"}


class Form:
    """
    One form as it came in, or as it is shown first.

    Shape:  typed is what stands in the fields again; values what the schema made of it; errors one sentence for each
            field that is wrong, under "" what is about no field.
    """

    def __init__(self, schema: Schema | None = None, typed: Mapping[str, Any] | None = None) -> None:
        self.typed: MultiDict[str, Any] = MultiDict(typed if typed is not None else request.form)
        self.values: dict[str, Any] = {}
        self.errors: dict[str, str] = {}
        if schema is None:
            return
        try:
            self.values = schema.load(_given(schema, self.typed), unknown=EXCLUDE)
        except ValidationError as error:
            self.values = error.valid_data if isinstance(error.valid_data, dict) else {}
            self.errors = {name: _sentence(told) for name, told in _messages(error).items()}

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.errors

    @property
    def status(self) -> int:
        """What the page that shows the form again is answered with."""
        return 200 if self.valid else 422

    def refuse(self, sentence: str, field: str = "") -> None:
        """Say that a field is wrong, or the whole form."""
        self.errors[field] = sentence


def blank(**typed: Any) -> Form:
    """A form that nobody filled in yet."""
    return Form(typed=typed)


def _given(schema: Schema, typed: MultiDict[str, Any]) -> dict[str, Any]:
    """Browsers send text, and one value for each box that is ticked; a list's field gets all of them."""
    given: dict[str, Any] = {}
    for name, field in schema.load_fields.items():
        key = field.data_key or name
        if isinstance(field, fields.List):
            given[key] = [value for value in typed.getlist(key) if value != ""]
        elif isinstance(field, fields.Boolean):
            # An unticked box is not sent at all.
            given[key] = key in typed
        elif key in typed:
            given[key] = typed[key].strip() if key not in _AS_TYPED else typed[key]
    return given


def _messages(error: ValidationError) -> dict[str, Any]:
    told = error.messages
    return (
        {"" if name == "_schema" else name: said for name, said in told.items()}
        if isinstance(told, dict)
        else {"": told}
    )


def _sentence(told: Any) -> str:
    """The first thing that is wrong with a field, as a sentence."""
    while isinstance(told, dict | list) and told:
        told = next(iter(told.values())) if isinstance(told, dict) else told[0]
    text = str(told)
    return text if text.endswith((".", "!", "?")) else f"{text}."
