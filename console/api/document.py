"""The OpenAPI document, made from the operations and their schemas."""

from collections.abc import Iterable
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import fields

from console.api.answering import KEY_HEADER
from console.api.fields import Id, Moment, Several
from console.api.operations import Operation
from console.api.problems import CONTENT_TYPE, KINDS, PREFIX
from console.api.schemas import Told
from vrio_klaviyo import VERSION
from vrio_klaviyo.store.tokens import LONGEST_KEY

DESCRIPTION = """\
Every screen of the console has its twin here. Ids are text that sorts by time. Times are RFC 3339 in UTC with
milliseconds. Money is text, exactly as it was received. Lists come newest first, page by page: follow `page.next`, or
the `Link` header; a cursor is opaque and signed. Commas in a filter mean "or"; several filters mean "and"; a parameter
that is not known is refused. What goes wrong is answered as `application/problem+json` (RFC 9457)."""

# What every operation may answer.
ALWAYS = ("not-authenticated", "scope-missing", "too-many-requests", "our-fault", "database-away")


class ProblemAnswer(Told):
    """What went wrong."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    errors = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda schema: _name_of(schema))
    spec = APISpec(
        title="Vrio to Klaviyo",
        version=VERSION,
        openapi_version="3.1.0",
        info={"description": DESCRIPTION},
        servers=[{"url": PREFIX}],
        security=[{"token": []}],
        plugins=[plugin],
    )
    assert plugin.converter is not None
    for field, kind in ((Moment, ("string", "date-time")), (Id, ("string", None)), (Several, ("string", None))):
        plugin.converter.field_mapping[field] = kind
    plugin.converter.add_attribute_function(_says_what_it_is)  # type: ignore[no-untyped-call]
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Problem", schema=ProblemAnswer)
    for operation in operations:
        spec.path(path=operation.path, operations={operation.method.lower(): _operation(plugin, operation)})
    return spec.to_dict()


def _says_what_it_is(_converter: Any, field: fields.Field[Any], **_rest: Any) -> dict[str, Any]:
    if isinstance(field, fields.Decimal):
        # apispec: documents a decimal that is written as text as a number.
        return {"type": "string"}
    if isinstance(field, Several) and field.choices:
        one = "|".join(field.choices)
        return {"description": f"Of {', '.join(field.choices)}; commas mean or.", "pattern": f"^({one})(,({one}))*$"}
    return {}


def _operation(plugin: MarshmallowPlugin, operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[1]],
        "description": f"{operation.description}\n\nScope: `{operation.scope}`.".strip(),
        "parameters": [*_parameters(plugin, operation), *_headers(operation)],
        "responses": {str(operation.status): _answer(operation)},
    }
    if operation.body:
        required = any(field.required for field in operation.body().fields.values()) or operation.method == "PATCH"
        told["requestBody"] = {"required": required, "content": {"application/json": {"schema": operation.body}}}
    by_status: dict[int, list[str]] = {}
    for kind in _problems(operation):
        status, title = KINDS[kind]
        by_status.setdefault(status, []).append(title)
    for status, titles in sorted(by_status.items()):
        content = {CONTENT_TYPE: {"schema": ProblemAnswer}}
        told["responses"][str(status)] = {"description": "; ".join(titles) + ".", "content": content}
    return told


def _problems(operation: Operation) -> Iterable[str]:
    yield from ALWAYS
    yield "unknown-parameter"
    yield "invalid-parameter"
    if "{" in operation.path or operation.name == "start_replay":
        yield "not-found"
    if operation.body:
        yield from ("unreadable-request", "too-large", "unsupported-media-type", "invalid-body")
    if operation.idempotency != "no":
        yield from ("request-in-progress", "key-used-before")
    if operation.needs_etag:
        yield from ("precondition-required", "stale")
    yield from operation.problems


def _parameters(plugin: MarshmallowPlugin, operation: Operation) -> Iterable[dict[str, Any]]:
    for part in operation.path.split("/"):
        if part.startswith("{"):
            yield {"in": "path", "name": part.strip("{}"), "required": True, "schema": {"type": "string"}}
    if operation.query:
        assert plugin.converter is not None
        yield from plugin.converter.schema2parameters(operation.query(), location="query")


def _headers(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.idempotency != "no":
        yield {
            "in": "header",
            "name": KEY_HEADER,
            "required": operation.idempotency == "must",
            "description": "A value of your own. For 24 hours the same request with it gets the same answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
        }
    if operation.needs_etag:
        yield {
            "in": "header",
            "name": "If-Match",
            "required": True,
            "description": "The ETag of what you have read.",
            "schema": {"type": "string", "minLength": 1, "pattern": "^[!-~]+$"},
        }


def _answer(operation: Operation) -> dict[str, Any]:
    if operation.answer is None:
        schema = {"type": "string", "format": "binary"}
        return {"description": "The bytes.", "content": {"application/octet-stream": {"schema": schema}}}
    words = (operation.answer.__doc__ or "").strip()
    schema_of: Any = operation.answer
    if operation.is_list:
        cursor = {"type": ["string", "null"]}
        page = {"type": "object", "required": ["next", "prev"], "properties": {"next": cursor, "prev": cursor}}
        items = {"type": "array", "items": operation.answer}
        schema_of = {"type": "object", "required": ["data", "page"], "properties": {"data": items, "page": page}}
    told: dict[str, Any] = {"description": words, "content": {"application/json": {"schema": schema_of}}}
    if operation.has_etag:
        told["headers"] = {"ETag": {"description": "Names this state.", "schema": {"type": "string"}}}
    if operation.is_list:
        told["headers"] = {"Link": {"description": "The pages beside this one.", "schema": {"type": "string"}}}
    return told


def _name_of(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Answer").removesuffix("Schema") or "Schema"
