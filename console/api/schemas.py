"""The shapes of answers: what each thing is called, and what of it is shown."""

from marshmallow import EXCLUDE, Schema, fields

from console.api.fields import Id, Moment, Personal, PersonalEmail, PersonalPhone


class Told(Schema):
    """What is answered: more may come to it, so nobody may rely on what is not there."""

    class Meta:
        unknown = EXCLUDE


class AccountSchema(Told):
    """The Klaviyo account behind a connection."""

    id = fields.String(
        attribute="klaviyo_id",
        allow_none=True,
        metadata={"description": "Klaviyo's id; null until Klaviyo has told it."},
    )
    name = fields.String()
    time_zone = fields.String(metadata={"description": "Klaviyo's name of it; empty when the key may not read it."})
    currency = fields.String(metadata={"description": "Three letters; empty when the key may not read it."})
    is_test = fields.Boolean(metadata={"description": "Klaviyo's flag for an account that is there to test with."})


class ConnectionAnswer(Told):
    """A connection, of its key only the end."""

    id = Id()
    name = fields.String()
    status = fields.String(metadata={"enum": ["active", "paused", "key_rejected", "archived"]})
    account = fields.Nested(AccountSchema)
    key_hint = fields.String()
    key_status = fields.String()
    key_reason = fields.String()
    scopes = fields.Dict(keys=fields.String(), values=fields.String())
    push_events = fields.Boolean()
    campaigns = fields.List(fields.String())
    metrics_off = fields.List(fields.String())
    metrics_on = fields.List(fields.String())
    additional_properties = fields.Boolean()
    values = fields.String(metadata={"enum": ["strings", "typed"]})
    one_time_as_placed_order = fields.Boolean()
    test_orders = fields.Boolean()
    phone = fields.String(metadata={"enum": ["both", "attribute", "property"]})
    rate_per_minute = fields.Integer(allow_none=True)
    revision = fields.String()
    activated_at = Moment(allow_none=True)
    checked_at = Moment(allow_none=True)
    archived_at = Moment(allow_none=True)
    created_at = Moment()


class KeyCheckAnswer(Told):
    """What Klaviyo says of a key."""

    verdict = fields.String(metadata={"enum": ["accepted", "rejected", "unknown"]})
    sentence = fields.String()
    scopes = fields.Dict(keys=fields.String(), values=fields.String())
    connection = fields.Nested(ConnectionAnswer)


class ExplanationAnswer(Told):
    """Why something was not sent, for people."""

    title = fields.String()
    meaning = fields.String()
    remedy = fields.String()
    again_helps = fields.Boolean()


class WebhookAnswer(Told):
    """One webhook from Vrio, without its body."""

    id = Id()
    source = Id(attribute="source_id")
    type = fields.String()
    event = fields.String()
    event_id = fields.String()
    customer = Id(attribute="customer_id", allow_none=True)
    status = fields.String()
    reason = fields.Function(lambda inbound: inbound.reason[:200], metadata={"type": "string"})
    notes = fields.List(fields.String())
    received_at = Moment()
    finished_at = Moment(allow_none=True)


class AttemptAnswer(Told):
    """One HTTP exchange with Klaviyo, without its bodies; the key is in no header that is kept."""

    id = Id()
    delivery = Id(attribute="delivery_id")
    connection = Id(attribute="connection_id")
    number = fields.Integer()
    trigger = fields.String()
    started_at = Moment()
    duration_ms = fields.Integer(allow_none=True)
    method = fields.String()
    url = fields.String()
    request_headers = fields.Dict(keys=fields.String(), values=fields.String())
    response_status = fields.Integer(allow_none=True)
    response_headers = fields.Dict(keys=fields.String(), values=fields.String(), allow_none=True)
    error = fields.String(allow_none=True)
    exchange = Id(attribute="exchange_id")


class DeliveryAnswer(Told):
    """One request that is owed to Klaviyo, without its body."""

    id = Id()
    connection = Id()
    customer = Id(allow_none=True)
    inbound_event = Id()
    kind = fields.String(metadata={"enum": ["event", "profile"]})
    metric = fields.String(metadata={"description": "Empty for a profile."})
    unique_id = fields.String()
    status = fields.String()
    reason = fields.String()
    explanation = fields.Nested(ExplanationAnswer, allow_none=True)
    notes = fields.List(fields.String())
    attempts = fields.Integer(metadata={"description": "How many there were."})
    expanded = fields.List(
        fields.Nested(AttemptAnswer), metadata={"description": "The attempts themselves, with expand=attempts."}
    )
    next_attempt_at = Moment(allow_none=True)
    created_at = Moment()
    finished_at = Moment(allow_none=True)


class CustomerAnswer(Told):
    """A customer of one source; masked for a token without read:pii."""

    id = Id()
    source = Id(attribute="source_id")
    vrio_id = fields.String()
    email = PersonalEmail()
    first_name = Personal()
    last_name = Personal()
    phone = PersonalPhone()
    as_of = Moment()
    created_at = Moment()


class HappeningAnswer(Told):
    """One webhook from Vrio, and every delivery that followed from it."""

    webhook = fields.Nested(WebhookAnswer)
    deliveries = fields.List(fields.Nested(DeliveryAnswer))


class CauseAnswer(Told):
    """Deliveries that stand still for one cause."""

    status = fields.String(metadata={"enum": ["failed", "held", "skipped"]})
    cause = fields.String()
    count = fields.Integer(allow_none=True, metadata={"description": "Null when there are more than 1,000."})
    first_at = Moment()
    last_at = Moment()
    sample = Id(metadata={"description": "The newest of them."})
    explanation = fields.Nested(ExplanationAnswer)


class CausesAnswer(Told):
    """What went wrong, by cause, the one heard of last first."""

    data = fields.List(fields.Nested(CauseAnswer))


class ReplayAnswer(Told):
    """Deliveries that are sent again together."""

    id = Id()
    connection = Id(attribute="connection_id")
    status = fields.String(metadata={"enum": ["running", "done", "stopped"]})
    rebuild = fields.Boolean()
    rate = fields.Integer(metadata={"description": "Deliveries a second, at most."})
    total = fields.Integer()
    released = fields.Integer()
    summary = fields.Dict(keys=fields.String(), values=fields.Integer())
    started_by = fields.String()
    started_at = Moment()
    ended_at = Moment(allow_none=True)


class PlanAnswer(Told):
    """What a replay through one connection would send."""

    connection = Id()
    count = fields.Integer()
    by_metric = fields.Dict(keys=fields.String(), values=fields.Integer())
    left_out = fields.Dict(keys=fields.String(), values=fields.Integer())
    oldest = Moment(allow_none=True)


class PlansAnswer(Told):
    """What a replay would send, connection by connection."""

    data = fields.List(fields.Nested(PlanAnswer))


class TotalsAnswer(Told):
    """What became of the deliveries that were opened in a time, by how they stand today."""

    opened = fields.Integer()
    accepted = fields.Integer()
    not_sent = fields.Integer()
    failed = fields.Integer()
    waiting = fields.Integer()


class AcceptTimesAnswer(Told):
    """From the webhook's arrival until Klaviyo had taken what followed from it, in seconds."""

    p50 = fields.Float(attribute="p50_s")
    p95 = fields.Float(attribute="p95_s")
    p99 = fields.Float(attribute="p99_s")


class SummaryAnswer(Told):
    """Figures of a time; `before` is the one just as long before it. Webhooks belong to all connections together."""

    since = Moment(attribute="span.since")
    until = Moment(attribute="span.until")
    webhooks = fields.Integer(attribute="pipeline.webhooks")
    deliveries = fields.Nested(TotalsAnswer, attribute="totals")
    before = fields.Nested(TotalsAnswer)
    accept_seconds = fields.Nested(AcceptTimesAnswer, attribute="waited", allow_none=True)
    oldest_waiting_at = Moment(attribute="oldest_waiting", allow_none=True)


class AuditAnswer(Told):
    """One thing that somebody did."""

    id = Id()
    at = Moment()
    actor = fields.String()
    action = fields.String()
    subject = fields.String()
    details = fields.Dict()
