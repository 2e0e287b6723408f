"""The fields that the API's schemas are made of: ids, times, personal data, and lists of filters."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import g
from marshmallow import ValidationError, fields

from console.personal import masked, masked_email, masked_phone

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def moment(at: datetime | None) -> str | None:
    """A time as the API writes it: RFC 3339, UTC, milliseconds."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Moment(fields.Field[datetime]):
    """A time: written in UTC with milliseconds, read in any zone that it names."""

    default_error_messages = {"invalid": "This is no time; write it like 2026-11-21T14:03:07Z."}  # noqa: RUF012

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return moment(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise self.make_error("invalid")
        try:
            return datetime.fromisoformat(value.upper().replace(" ", "T")).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None


class Id(fields.String):
    """One of our ids."""


class Several(fields.Field[list[str]]):
    """Values with commas between them, any of which will do."""

    default_error_messages = {"unknown": "{value} is none of {choices}."}  # noqa: RUF012

    def __init__(self, choices: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        values = list(dict.fromkeys(part.strip() for part in str(value).split(",") if part.strip()))
        for one in values:
            if self.choices is not None and one not in self.choices:
                raise self.make_error("unknown", value=one, choices=", ".join(self.choices))
        if len(values) > 50:
            raise ValidationError("These are more than 50 values.")
        return values


class Personal(fields.String):
    """Personal data: shown whole to a token that may read it, and else so that two people can be told apart."""

    def _serialize(self, value: str | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if not value or g.api_call.sees_people:
            return value
        return self.mask(value)

    def mask(self, value: str) -> str:
        """What is left of it."""
        return masked(value)


class PersonalEmail(Personal):
    """An e-mail address."""

    def mask(self, value: str) -> str:
        """What is left of it."""
        return masked_email(value)


class PersonalPhone(Personal):
    """A phone number."""

    def mask(self, value: str) -> str:
        """What is left of it."""
        return masked_phone(value)
