"""What a connection is made and changed with."""

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from vrio_klaviyo.trying_out import METRICS_TO_TRY
from vrio_klaviyo.vrio.routes import BEYOND, METRICS

LONGEST_NAME = 80
RATES = (1, 100_000)


def _one_line(text: str) -> None:
    if not text.strip():
        raise ValidationError("Give it a name.")
    if not text.isprintable():
        raise ValidationError("A name is one line of text.")


NAME = (validate.Length(1, LONGEST_NAME, error=f"A name has 1 to {LONGEST_NAME} characters."), _one_line)
CAMPAIGN = validate.Regexp(
    r"(?=.{1,40}\Z)[^\s,](.*[^\s,])?\Z",
    error="A campaign's id has 1 to 40 characters, and begins and ends with no comma and no blank.",
)


class ConnectionSchema(Schema):
    """A connection as it is changed: what is left out stays as it is."""

    name = fields.String(validate=NAME, metadata={"description": "Unique within the workspace."})
    key = fields.String(
        load_only=True,
        validate=validate.Length(1, 200),
        metadata={"description": "Klaviyo's private key. It is checked first, and never shown again."},
    )
    push_events = fields.Boolean(metadata={"description": "Whether customer and order events are sent at all."})
    campaigns = fields.List(
        fields.String(validate=CAMPAIGN),
        validate=validate.Length(max=500),
        metadata={"description": "The campaigns whose events are sent; none stands for all."},
    )
    metrics_off = fields.List(
        fields.String(validate=validate.OneOf(METRICS)), metadata={"description": "Events that are not sent."}
    )
    metrics_on = fields.List(
        fields.String(validate=validate.OneOf(BEYOND)),
        metadata={"description": "Events beyond the published page that are sent too."},
    )
    additional_properties = fields.Boolean(
        metadata={"description": "Whether events carry properties beyond the published page."}
    )
    values = fields.String(
        validate=validate.OneOf(["strings", "typed"]),
        metadata={"description": "How amounts and counts are written in properties."},
    )
    one_time_as_placed_order = fields.Boolean()
    test_orders = fields.Boolean()
    phone = fields.String(validate=validate.OneOf(["both", "attribute", "property"]))
    rate_per_minute = fields.Integer(
        allow_none=True,
        validate=validate.Range(*RATES, error="Write a number from 1 to 100,000, or leave it empty."),
        error_messages={"invalid": "Write a whole number, or leave it empty."},
        metadata={
            "description": "Requests a minute to each endpoint, at most; null is as many as Klaviyo takes. It holds "
            "for every connection to the same Klaviyo account."
        },
    )


class NewConnectionSchema(ConnectionSchema):
    """A connection as it is made."""

    name = fields.String(required=True, validate=NAME)
    key = fields.String(required=True, load_only=True, validate=validate.Length(1, 200))
    paused = fields.Boolean(
        load_default=False, metadata={"description": "Save it paused, even when Klaviyo takes the key."}
    )


class TestEventSchema(Schema):
    """A test event."""

    event = fields.String(load_default="Placed Order", validate=validate.OneOf(METRICS_TO_TRY))
    email = fields.Email(
        required=True, validate=validate.Length(max=100), metadata={"description": "Whose timeline it goes to."}
    )
    mark = fields.Boolean(
        load_default=True, metadata={"description": "Puts VrioTest on it, by which a flow can leave it out."}
    )

    @validates_schema
    def _reaches_klaviyo(self, told: dict[str, str], **_rest: object) -> None:
        # Klaviyo: accepts these and drops them without a word.
        if told["email"].lower().endswith(("@example.com", "@test.com")):
            raise ValidationError("Klaviyo drops what goes to this domain. Use an address of your own.", "email")
