"""Forms: what a schema makes of what a browser sends."""

import pytest
from marshmallow import Schema, ValidationError, fields, validates_schema
from werkzeug.datastructures import MultiDict

from console.pages.forms import Form, blank


class PaintSchema(Schema):
    name = fields.String(required=True, error_messages={"required": "Enter a name."})
    coats = fields.Integer(load_default=1, error_messages={"invalid": "Enter a number"})
    glossy = fields.Boolean(load_default=False)
    colours = fields.List(fields.String(), load_default=list)
    new_password = fields.String(load_default="")

    @validates_schema
    def check(self, values, **_):
        if values.get("coats") == 13:
            raise ValidationError("Nobody paints that often.")


def sent(*pairs):
    return Form(PaintSchema(), MultiDict(pairs))


def test_text_is_trimmed_boxes_are_read_and_lists_take_all_values():
    form = sent(
        ("name", " Blue "),
        ("glossy", "on"),
        ("colours", "a"),
        ("colours", "b"),
        ("colours", ""),
        ("new_password", " as typed "),
        ("csrf_token", "x"),
    )

    assert form.valid
    assert form.values == {
        "name": "Blue",
        "coats": 1,
        "glossy": True,
        "colours": ["a", "b"],
        "new_password": " as typed ",
    }


def test_a_box_that_is_not_ticked_is_not_sent():
    assert sent(("name", "Blue")).values["glossy"] is False


@pytest.mark.parametrize(
    ("pairs", "errors"),
    [
        ([], {"name": "Enter a name."}),
        ([("coats", "many"), ("name", "x")], {"coats": "Enter a number."}),
        ([("coats", "13"), ("name", "x")], {"": "Nobody paints that often."}),
    ],
)
def test_each_mistake_is_a_sentence_beside_its_field(pairs, errors):
    form = sent(*pairs)

    assert (form.errors, form.status) == (errors, 422)
    assert form.typed.to_dict() == dict(pairs)


def test_a_blank_form_shows_what_it_is_given():
    form = blank(name="Blue")

    assert form.valid
    assert form.typed["name"] == "Blue"
