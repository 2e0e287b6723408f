"""From a request to a call, and from what a view returns to an answer: tokens, parameters, bodies, limits and keys."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, json, request
from marshmallow import Schema, ValidationError

from console.api.operations import Call, Operation
from console.api.problems import Problem, pointers, problem_of
from console.cursors import Cursors
from console.site import Site
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store import tokens
from vrio_klaviyo.store.paging import Page, Place
from vrio_klaviyo.store.tokens import Answered, ApiToken, Different, Fresh, Running, Scope

KEY_HEADER = "Idempotency-Key"
LONGEST_BODY = 64 * 1024


class Answering:
    """Answers the API's calls with a site's tools."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._cursors = Cursors(site.settings.secret_key)

    def view(self, operation: Operation) -> Callable[..., Response]:
        """The function that Flask calls."""

        def answer(**path: str) -> Response:
            try:
                return self._answer(operation, path)
            except Exception as error:  # what is not expected is logged, and is a problem too
                return problem_of(error).answer()

        return answer

    def authenticated(self) -> ApiToken:
        """
        The token of this request.

        Raises: Problem.
        """
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and text.strip():
            with self._site.db.read() as session:
                token = tokens.token_of_text(session, text.strip())
            if token is not None:
                return token
        raise Problem(
            "not-authenticated",
            "Send a token that was not revoked: Authorization: Bearer vkt_…",
            headers={"WWW-Authenticate": 'Bearer realm="api"'},
        )

    def _answer(self, operation: Operation, path: Mapping[str, str]) -> Response:
        token: ApiToken = g.get("api_token") or self.authenticated()
        if not token.may(operation.scope):
            raise Problem("scope-missing", f"This needs the scope {operation.scope}, which this token was not given.")
        self._note_use(token)
        asked = self._asked(operation)
        told = _told(operation)
        if_match = request.headers.get("If-Match", "")
        if operation.needs_etag and not if_match:
            raise Problem("precondition-required", "Send If-Match with the ETag of what you have read.")
        call = Call(self._site, token, asked, told, if_match)
        g.api_call = call
        if operation.idempotency == "no":
            return self._made(operation, call, path)
        return self._made_once(operation, call, path)

    def _made(self, operation: Operation, call: Call, path: Mapping[str, str]) -> Response:
        made = operation.view(call, **path)
        if isinstance(made, Response):
            return made
        assert operation.answer is not None
        schema = operation.answer()
        if operation.is_list:
            assert isinstance(made, Page)
            return self._page(schema, made)
        return answered(schema.dump(made), operation.status, etag=operation.has_etag)

    def _made_once(self, operation: Operation, call: Call, path: Mapping[str, str]) -> Response:
        key = request.headers.get(KEY_HEADER, "")
        if not key:
            if operation.idempotency == "must":
                raise Problem("unreadable-request", f"Send {KEY_HEADER} with a value of your own, such as a UUID.")
            return self._made(operation, call, path)
        if len(key) > tokens.LONGEST_KEY:
            raise Problem("unreadable-request", f"{KEY_HEADER} has more than {tokens.LONGEST_KEY} signs.")
        db, token_id = self._site.db, call.token.id
        with db.write() as session:
            begun = tokens.begin_request(session, token_id, key, _fingerprint(), self._site.now())
        match begun:
            case Answered(status=status, headers=headers, body=body):
                return Response(body, status, {**headers, "Idempotency-Replayed": "true"})
            case Running():
                soon = {"Retry-After": "1"}
                raise Problem("request-in-progress", "Wait for the answer to the first one.", headers=soon)
            case Different():
                raise Problem("key-used-before", f"Use another {KEY_HEADER}: this one was another request's.")
            case Fresh():
                pass
        try:
            response = self._made(operation, call, path)
        except Exception as error:
            response = problem_of(error).answer()
        with db.write() as session:
            if response.status_code >= 500:
                # Whoever asks again after a fault of ours shall get another chance.
                tokens.forget_request(session, token_id, key)
            else:
                headers = {name: text for name, text in response.headers if name in ("Content-Type", "ETag")}
                tokens.keep_answer(session, token_id, key, Answered(response.status_code, headers, response.get_data()))
        return response

    def _asked(self, operation: Operation) -> Mapping[str, Any]:
        schema = operation.query() if operation.query else None
        known = {field.data_key or name for name, field in schema.fields.items()} if schema else set()
        if unknown := sorted(set(request.args) - known):
            there_are = f"there are {', '.join(sorted(known))}" if known else "this address takes none"
            raise Problem("unknown-parameter", f"{', '.join(unknown)} is no parameter; {there_are}.")
        if twice := sorted(name for name, values in request.args.lists() if len(values) > 1):
            raise Problem("invalid-parameter", f"{', '.join(twice)} stands there twice; put commas between the values.")
        if schema is None:
            return {}
        try:
            asked: dict[str, Any] = schema.load(request.args.to_dict())
        except ValidationError as error:
            raise Problem(
                "invalid-parameter", "A parameter has a value that cannot be taken.", errors=pointers(error)
            ) from error
        if operation.is_list:
            asked["place"] = self._place(asked.pop("cursor", ""))
        return asked

    def _place(self, cursor: str) -> Place | None:
        try:
            return self._cursors.place(cursor)
        except InvalidInput as error:
            raise Problem("invalid-parameter", f"The cursor cannot be used: {error}.") from error

    def _page(self, schema: Schema, page: Page[Any]) -> Response:
        places = {"next": page.older, "prev": page.newer}
        cursors = {name: self._cursors.written(place) for name, place in places.items()}
        response = answered({"data": schema.dump(page.rows, many=True), "page": cursors})
        links = []
        for relation, cursor in cursors.items():
            if cursor:
                arguments = {**request.args.to_dict(), "cursor": cursor}
                links.append(f'<{_url(arguments)}>; rel="{relation}"')
        if links:
            response.headers["Link"] = ", ".join(links)
        return response

    def _note_use(self, token: ApiToken) -> None:
        now = self._site.now()
        if token.used_at is None or now - token.used_at >= tokens.USED_EVERY:
            with self._site.db.write() as session:
                tokens.note_use(session, token.id, now)


def answered(document: Any, status: int = 200, *, etag: bool = False) -> Response:
    """A JSON answer."""
    body = json.dumps(document)
    response = Response(body, status, content_type="application/json")
    if etag:
        response.headers["ETag"] = etag_of(body)
    return response


def etag_of(body: str) -> str:
    """What names this state of a thing."""
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'


def needs_scope(call: Call, scope: Scope, what: str) -> None:
    """Refuse what only a token with that scope may have. Raises Problem."""
    if not call.token.may(scope):
        raise Problem("scope-missing", f"{what} needs the scope {scope}, which this token was not given.")


def _told(operation: Operation) -> Mapping[str, Any]:
    if operation.body is None:
        return {}
    body = request.get_data(cache=True)
    if len(body) > LONGEST_BODY:
        raise Problem("too-large", f"A body has at most {LONGEST_BODY} bytes.")
    if body and not request.is_json:
        raise Problem("unsupported-media-type", "Send Content-Type: application/json.")
    try:
        document = json.loads(body.decode()) if body else {}
    except (ValueError, RecursionError):
        raise Problem("unreadable-request", "The body is no JSON.") from None
    told: dict[str, Any] = operation.body().load(document)
    return told


def _fingerprint() -> str:
    """What makes two requests the same one."""
    parts = [request.method.encode(), request.full_path.encode("utf-8", "replace"), request.get_data(cache=True)]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _url(arguments: Mapping[str, str]) -> str:
    return f"{request.path}?{urlencode(arguments)}"
