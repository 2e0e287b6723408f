"""
Operations: what the API can do, each said once, so that routes, checks and documentation come from the same words.

A view gets a `Call` and returns what its answer's schema dumps; a list returns a `Page`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from marshmallow import RAISE, Schema

from console.site import Site
from vrio_klaviyo.store.paging import Page
from vrio_klaviyo.store.tokens import ApiToken, Scope

Answer = Mapping[str, Any] | Page[Any] | Any
Idempotency = Literal["no", "may", "must"]


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call of the API.

    Shape:  asked is the query, told the body, each as its schema loads it. if_match is the ETag that the caller has.
    """

    site: Site
    token: ApiToken
    asked: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    if_match: str = ""

    @property
    def workspace_id(self) -> str:
        """The workspace that the token is for: nothing of another one may be seen or done."""
        return self.token.workspace_id

    @property
    def sees_people(self) -> bool:
        """Whether personal data and bodies may be shown."""
        return self.token.may(Scope.READ_PII)


View = Callable[..., Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One method of one address.

    Shape:  answer is None for raw bytes. problems are those that can come beside the ones that all operations have.
    """

    method: str
    path: str
    view: View
    scope: Scope
    answer: type[Schema] | None
    status: int = 200
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    is_list: bool = False
    idempotency: Idempotency = "no"
    has_etag: bool = False
    needs_etag: bool = False
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the documentation and among the routes."""
        return self.view.__name__

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (self.view.__doc__ or "").strip().partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        """What else there is to say."""
        rest = (self.view.__doc__ or "").strip().partition("\n")[2]
        return " ".join(rest.split())


class Operations:
    """The operations of one resource, in the order in which they are written."""

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self._all: list[Operation] = []

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all)

    def get(self, path: str, answer: type[Schema] | None, **more: Any) -> Callable[[View], View]:
        """Reading."""
        return self._add("GET", path, answer, **{"scope": Scope.READ} | more)

    def list(self, path: str, answer: type[Schema], query: type[Schema], **more: Any) -> Callable[[View], View]:
        """Reading a list, page by page."""
        return self.get(path, answer, query=query, is_list=True, **more)

    def post(self, path: str, answer: type[Schema], scope: Scope, **more: Any) -> Callable[[View], View]:
        """Doing something; the same one twice when no idempotency key says that it is the same."""
        return self._add("POST", path, answer, scope=scope, **{"idempotency": "may"} | more)

    def patch(self, path: str, answer: type[Schema], scope: Scope, **more: Any) -> Callable[[View], View]:
        """Changing something."""
        return self._add("PATCH", path, answer, scope=scope, **more)

    def _add(self, method: str, path: str, answer: type[Schema] | None, **more: Any) -> Callable[[View], View]:
        def add(view: View) -> View:
            self._all.append(Operation(method=method, path=path, view=view, answer=answer, **more))
            return view

        return add


class Strict(Schema):
    """What a caller sends: a name that is not known is refused, so that no misspelt filter goes unnoticed."""

    class Meta:
        unknown = RAISE
