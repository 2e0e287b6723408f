"""
Everything under `/api`: the checks of headers, key, scope and rate limit, in the order in which Klaviyo makes them.
"""

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, request

from sandbox.klaviyo import reading, writing
from sandbox.klaviyo.documents import MAX_BODY_BYTES
from sandbox.klaviyo.journal import Entry
from sandbox.klaviyo.keys import ApiKey
from sandbox.klaviyo.limits import TIER_L, TIER_M, TIER_XL, TIER_XS, Limit
from sandbox.klaviyo.problems import MEDIA_TYPE, Refused, error_answer, json_answer, proxy_page, refused
from sandbox.klaviyo.revisions import retirement_date, served_revision
from sandbox.klaviyo.shapes import Rules
from sandbox.klaviyo.state import AccountStore, Sandbox

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_KEY = re.compile(r"Klaviyo-API-Key ([\x21-\x7e]+)")


@dataclass(frozen=True)
class Call:
    """
    One request on its way to an endpoint, with what the checks before it found out.
    """

    sandbox: Sandbox
    body: bytes
    base: str
    url: str
    query: dict[str, str]
    ignores_phones: bool
    store: AccountStore
    revision: str

    def rules(self, partial: bool = False) -> Rules:
        """
        The phone rules for this call; a fault may ask to ignore every number, which all begin with a plus sign.
        """
        if self.ignores_phones:
            return Rules(self.sandbox.now(), ("+",), ignores_phones=True)
        settings = self.sandbox.settings
        return Rules(self.sandbox.now(), settings.refused_phones, partial and settings.phone_mode == "partial")


@dataclass(frozen=True)
class Endpoint:
    """
    One method of one path: what it needs and what it does.
    """

    scopes: frozenset[str]
    limit: Limit
    act: Callable[[Call], Response]


def _create_event(call: Call) -> Response:
    # Klaviyo: only Create Event is known to ignore a bad number; the other two are assumed to refuse it.
    return writing.create_event(call.sandbox, call.store, call.body, call.revision, call.rules(partial=True))


def _bulk_create_events(call: Call) -> Response:
    return writing.bulk_create_events(call.sandbox, call.store, call.body, call.revision, call.rules())


def _import_profile(call: Call) -> Response:
    return writing.import_profile(call.sandbox, call.store, call.body, call.base, call.rules())


def _accounts(call: Call) -> Response:
    accounts = [reading.account_resource(call.store, call.base)]
    return json_answer(200, reading.page(accounts, call.query, call.url, (1, 1), {}))


def _lists(call: Call) -> Response:
    lists = reading.list_resources(call.store, call.base)
    filters = {"id": "id", "name": "attributes.name"}
    return json_answer(200, reading.page(lists, call.query, call.url, (10, 10), filters))


def _profiles(call: Call) -> Response:
    with call.sandbox.lock:
        profiles = [reading.profile_resource(profile, call.base) for profile in call.store.profiles.by_id.values()]
    filters = {"id": "id"} | {name: f"attributes.{name}" for name in ("email", "phone_number", "external_id")}
    return json_answer(200, reading.page(profiles, call.query, call.url, (20, 100), filters))


def _events(call: Call) -> Response:
    with call.sandbox.lock:
        events = [reading.event_resource(call.store, event, call.base) for event in call.store.events]
    filters = {f"{name}_id": f"relationships.{name}.data.id" for name in ("metric", "profile")}
    return json_answer(200, reading.page(events, call.query, call.url, (200, 1000), filters))


# Klaviyo: scopes and limits as its OpenAPI description gives them for each operation.
ENDPOINTS: dict[str, dict[str, Endpoint]] = {
    "/api/accounts": {"GET": Endpoint(frozenset({"accounts:read"}), TIER_XS, _accounts)},
    "/api/events": {
        "GET": Endpoint(frozenset({"events:read"}), TIER_XL, _events),
        "POST": Endpoint(frozenset({"events:write"}), TIER_XL, _create_event),
    },
    "/api/event-bulk-create-jobs": {"POST": Endpoint(frozenset({"events:write"}), TIER_M, _bulk_create_events)},
    "/api/lists": {"GET": Endpoint(frozenset({"lists:read"}), TIER_L, _lists)},
    "/api/profile-import": {"POST": Endpoint(frozenset({"profiles:write"}), TIER_L, _import_profile)},
    "/api/profiles": {"GET": Endpoint(frozenset({"profiles:read"}), TIER_L, _profiles)},
}


def api_blueprint(sandbox: Sandbox) -> Blueprint:
    blueprint = Blueprint("api", __name__, url_prefix="/api")

    @blueprint.route("/<path:name>", methods=METHODS, provide_automatic_options=False)
    def serve(name: str) -> Response:
        body = request.get_data(cache=False)
        # Klaviyo: one slash at the end of a path is tolerated.
        path = request.path.removesuffix("/")
        started = time.perf_counter()
        with sandbox.lock:
            fault = sandbox.faults.take(request.method, path, body)
            entry = _journal(sandbox, body, fault.id if fault else None)
        request_id = str(uuid.uuid4())
        if sandbox.settings.latency_ms > 0:
            sandbox.wait(sandbox.settings.latency_ms / 1000)

        def process() -> Response:
            return _answer(sandbox, path, body, request_id, bool(fault and fault.fault == "partial_failure"))

        response = fault.spoil(process, request_id, sandbox.wait) if fault else process()
        entry.status = response.status_code
        entry.duration_ms = round((time.perf_counter() - started) * 1000, 3)
        return response

    return blueprint


def _answer(sandbox: Sandbox, path: str, body: bytes, request_id: str, ignores_phones: bool) -> Response:
    """
    The answer to a request, whatever it is; the headers of every check that was passed are on it.
    """
    headers = {"X-Klaviyo-Req-Id": request_id}
    authorization = request.headers.get("Authorization", "")
    if authorization.startswith("Klaviyo-API-Key ") and not _KEY.fullmatch(authorization):
        # Klaviyo: its proxy refuses a key with a blank or a line break in it before Klaviyo sees the request.
        return proxy_page(400, "Bad Request")
    try:
        response = _checked(sandbox, path, body, headers, ignores_phones)
    except Refused as refusal:
        response = error_answer(refusal, request_id)
    response.headers.update(headers)
    return response


def _checked(sandbox: Sandbox, path: str, body: bytes, headers: dict[str, str], ignores_phones: bool) -> Response:
    methods = ENDPOINTS.get(path)
    if methods is None:
        raise refused(404, "not_found", "The requested path does not exist.", "/data/")
    if request.accept_mimetypes and not request.accept_mimetypes[MEDIA_TYPE]:
        raise refused(406, "not_acceptable", f"The Accept header must admit {MEDIA_TYPE}.", "/data/")
    key = _authenticated(sandbox)
    headers["Cid"] = key.account_id
    revision = served_revision(request.headers)
    headers["X-Klaviyo-Api-Revision"] = revision
    headers["X-Klaviyo-Api-Retirement-Date"] = retirement_date(revision)
    endpoint = methods.get(request.method)
    if endpoint is None:
        allow = {"Allow": ", ".join(methods)}
        raise refused(405, "method_not_allowed", f'Method "{request.method}" not allowed.', "/data/", allow)
    if missing := endpoint.scopes - key.scopes:
        detail = f"The API key is missing required scopes: {', '.join(sorted(missing))}"
        raise refused(403, "permission_denied", detail, "/data/")
    _throttle(sandbox, key, path, endpoint, headers)
    if request.method == "POST":
        _check_body_headers(body)
    base = request.host_url.rstrip("/")
    query = request.args.to_dict()
    store = sandbox.stores[key.account_id]
    return endpoint.act(Call(sandbox, body, base, base + path, query, ignores_phones, store, revision))


def _authenticated(sandbox: Sandbox) -> ApiKey:
    """
    Raises: Refused 401, by one of the two codes that Klaviyo uses for it.
    """
    challenge = {"WWW-Authenticate": "Bearer, Klaviyo-API-Key"}
    key = _key(sandbox)
    if key is None:
        raise refused(401, "not_authenticated", "Missing or invalid private key.", "/data/", challenge)
    if key.revoked:
        raise refused(401, "authentication_failed", "The private key has been revoked.", "/data/", challenge)
    return key


def _key(sandbox: Sandbox) -> ApiKey | None:
    given = _KEY.fullmatch(request.headers.get("Authorization", ""))
    return sandbox.keys.get(given[1]) if given else None


def _throttle(sandbox: Sandbox, key: ApiKey, path: str, endpoint: Endpoint, headers: dict[str, str]) -> None:
    with sandbox.lock:
        settings = sandbox.settings
        if not settings.rate_limits:
            return
        limit = endpoint.limit.scaled(settings.rate_limit_scale)
        verdict = sandbox.limiter.take(key.account_id, f"{request.method} {path}", limit, sandbox.clock())
    if not verdict.passed:
        detail = f"Request was throttled. Expected available in {verdict.retry_after_s} second(s)."
        raise refused(429, "throttled", detail, "/data/", verdict.headers)
    headers.update(verdict.headers)


def _check_body_headers(body: bytes) -> None:
    if (request.content_type or "").lower() != MEDIA_TYPE or "Content-Encoding" in request.headers:
        raise refused(415, "unsupported_media_type", f"The Content-Type header must be {MEDIA_TYPE}.", "/data/")
    if len(body) > MAX_BODY_BYTES:
        raise refused(413, "payload_too_large", "The maximum allowed payload size is 5MB.", "/data/")


def _journal(sandbox: Sandbox, body: bytes, fault_id: int | None) -> Entry:
    key = _key(sandbox)
    return sandbox.journal.open(
        received_at=sandbox.now().isoformat(),
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        headers={name: value for name, value in request.headers if name != "Authorization"},
        key=key.name if key else ("unknown" if "Authorization" in request.headers else None),
        body=body.decode("utf-8", "replace"),
        fault=fault_id,
    )
