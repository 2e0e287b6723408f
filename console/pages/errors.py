"""What a page that could not be made looks like: what happened, its number for the operator, and a way back."""

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError

from console.pages import guard
from vrio_klaviyo import log
from vrio_klaviyo.errors import InvalidInput, NotFound, Refused
from vrio_klaviyo.store.db import DatabaseError

# Title, and what to do.
WORDS = {
    400: ("This request cannot be read", "Go back, load the page anew and try again."),
    401: ("You are not signed in", "Sign in and try again."),
    403: ("You may not see this", "Ask your operator for another role."),
    404: ("There is nothing here", "It was never here, it is gone, or it belongs to another workspace."),
    405: ("This address does not do that", "Go back, and use the buttons of the page."),
    409: ("Somebody else was faster", "Go back, load the page anew and look at what changed."),
    413: ("This is too large", "Send something smaller."),
    422: ("Something is not right", "Go back and correct it."),
    429: ("Too many tries", "Wait a little and try again."),
    500: ("Something went wrong here", "Try again. If it happens again, tell your operator the number below."),
    503: ("The database does not answer", "Nothing is lost. Try again in a moment."),
}


def register(app: Flask) -> None:
    """Answer errors with a page, wherever a page was asked for."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> ResponseReturnValue:
        if not _wants_page():
            return error.get_response()
        status = error.code or 500
        own = status in (400, 403, 409, 413, 429) and error.description != type(error).description
        page, status = _page(status, (error.description or "") if own else "")
        headers = [(name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After", "Location")]
        return page, status, headers

    @app.errorhandler(NotFound)
    def missing(_error: NotFound) -> ResponseReturnValue:
        return _page(404)

    @app.errorhandler(InvalidInput)
    def wrong(error: InvalidInput) -> ResponseReturnValue:
        return _page(400, _sentence(error))

    @app.errorhandler(Refused)
    def too_late(error: Refused) -> ResponseReturnValue:
        # What could never be done is not offered, so that things have changed since the page was shown.
        return _page(409, _sentence(error))

    @app.errorhandler(DatabaseError)
    def away(error: DatabaseError) -> ResponseReturnValue:
        _log(error)
        return _page(503)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> ResponseReturnValue:
        _log(error)
        if app.testing:
            raise error
        return _page(500) if _wants_page() else InternalServerError().get_response()


def _wants_page() -> bool:
    """Programs get the bare answer: they do not read."""
    return not request.path.startswith(("/api/", "/webhooks/"))


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


def _log(error: Exception) -> None:
    # Its words may hold people's data; the place where it happened does not.
    trace, where = error.__traceback__, ""
    while trace is not None:
        where, trace = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}", trace.tb_next
    log.error(
        "page.failed",
        request_id=guard.request_id(),
        endpoint=request.endpoint,
        error=type(error).__name__,
        where=where,
    )


def _page(status: int, told: str = "") -> tuple[str, int]:
    g.failing = status >= 500
    title, remedy = WORDS.get(status, WORDS[500])
    return render_template("error.html", status=status, title=title, remedy=told or remedy), status
