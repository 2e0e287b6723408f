"""
Refusals as Vrio words them.

Source: Vrio's API reference, gateway responses; code and message of 400, 404 and of too many at once are our choice.
"""

from typing import Any


class Refused(Exception):
    """The answer is no."""

    def __init__(self, status: int, code: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": {"code": code, "message": message, **more}}


def bad_request(message: str) -> Refused:
    return Refused(400, "bad_request", message)


def not_found(what: str) -> Refused:
    return Refused(404, "not_found", f"There is no {what}.")


def no_key() -> Refused:
    return Refused(403, "access_denied", "No permissions to perform the request")


def wrong_key() -> Refused:
    return Refused(401, "unauthorized", "No valid authorization provided")


def too_many(status: int, endpoint: str, at_once: int) -> Refused:
    return Refused(status, "too_many_requests", f"No more than {at_once} requests to {endpoint} at once.")


def still_processing(url: str) -> Refused:
    message = "The request is still processing, use the URL from api_request to continue to check for the response."
    return Refused(504, "request_processing", message, api_request=url)
