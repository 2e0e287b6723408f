"""`docs/api.md`: the OpenAPI document as a page to read."""

from collections.abc import Iterator, Mapping
from typing import Any

from console.api.problems import KINDS

CONVENTIONS = """\
- **Tokens**: `flask token add NAME --scope read --scope resend`; sent as `Authorization: Bearer vkt_…`. Its text is
  shown once, and kept as a hash.
- **Scopes**: `read`; `read:pii` (personal data and bodies: without it e-mail, name and phone are masked); `resend`;
  `manage`.
- **Ids**: a prefix and 26 signs, which sort by time.
- **Times**: RFC 3339, UTC, `Z`, milliseconds. **Money**: text, exactly as it was received.
- **Lists**: newest first, without bodies; `?limit=50&cursor=…`, 1 to 200;
  `{"data": […], "page": {"next": …, "prev": …}}` and a `Link` header. A cursor is opaque and signed.
- **Filters**: commas mean "or" within one, several mean "and"; a parameter that is not known is refused with those
  that are.
- **Errors**: `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `instance`, and `errors` with
  pointers into the body.
- **Twice**: `Idempotency-Key` on every POST that does something; for 24 hours the same request with it gets the same
  answer, marked `Idempotency-Replayed: true`. It is required to send again.
- **Changes**: `ETag` and `If-Match` on connections; without it 428, stale 412.
- **Limits**: 600 requests a minute for each token, then 429 with `Retry-After`.
- **Versions**: additions only; what goes is announced by `Deprecation` and `Sunset`.
"""


def handbook(document: Mapping[str, Any]) -> str:
    """The page, in Markdown."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    base = document["servers"][0]["url"]
    yield "# The JSON API"
    yield ""
    yield "This page is made by `flask openapi --markdown > docs/api.md`. The same for programs is at"
    yield f"`{base}/openapi.json`, and to click through at `/api/docs`."
    yield ""
    yield CONVENTIONS
    yield "## What it can do"
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from (
                "",
                f"### {method.upper()} {base}{path}",
                "",
                f"{operation['summary']}. {operation['description']}",
            )
            yield from _parameters(operation)
            if body := operation.get("requestBody"):
                yield from ("", f"Body: {_kind(body['content']['application/json']['schema'])}")
            answers = (f"`{status}` {answer['description']}" for status, answer in operation["responses"].items())
            yield from ("", "Answers: " + " · ".join(answers))
    yield from ("", "## Shapes")
    for name, schema in document["components"]["schemas"].items():
        yield from ("", f"### {name}", "", "| field | kind | |", "|---|---|---|")
        for field, said in schema.get("properties", {}).items():
            must = "required" if field in schema.get("required", []) else ""
            words = " ".join(part for part in (said.get("description", ""), must) if part)
            yield f"| `{field}` | {_kind(said)} | {words} |"
    yield from ("", "## Problems", "", "| type | status | title |", "|---|---|---|")
    for kind, (status, title) in KINDS.items():
        yield f"| `{kind}` | {status} | {title} |"


def _parameters(operation: Mapping[str, Any]) -> Iterator[str]:
    if not operation["parameters"]:
        return
    yield from ("", "| parameter | in | kind | |", "|---|---|---|---|")
    for said in operation["parameters"]:
        must = "required" if said["required"] else ""
        words = " ".join(part for part in (said.get("description", ""), must) if part)
        yield f"| `{said['name']}` | {said['in']} | {_kind(said['schema'])} | {words} |"


def _kind(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": parts} | {"allOf": parts}:
            return " or ".join(map(_kind, parts))
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": list(kinds)}:
            return " or ".join(kinds)
        case {"type": kind}:
            return str(kind)
    return "any"
