"""
One account's profiles: who a request means, what an update does to them, and when two people clash.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.klaviyo.schemas import IDENTIFIERS

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class Profile:
    """
    One person, with everything that Klaviyo would show of them except their events.
    """

    id: str
    created_at: datetime
    updated_at: datetime
    attributes: dict[str, Any] = field(default_factory=dict)


class DuplicateProfile(Exception):
    """
    An identifier of the request belongs to somebody else.
    """

    def __init__(self, owner_id: str) -> None:
        self.owner_id = owner_id
        super().__init__(owner_id)


class UnknownProfile(Exception):
    """
    The request names a profile id that the account does not have.
    """


class Profiles:
    """
    The profiles of one account, found by any of their identifiers. The caller holds the sandbox's lock.
    """

    def __init__(self) -> None:
        self.by_id: dict[str, Profile] = {}
        self._owners: dict[tuple[str, str], Profile] = {}

    def upsert(self, data: dict[str, Any], patch: dict[str, Any], now: datetime, strict: bool) -> tuple[Profile, bool]:
        """
        Create or update the person whom `data` (`id` and `attributes`) means; the second value says whether created.

        With `strict` an identifier that belongs to somebody else is refused; without it, it stays with its owner.

        Raises: UnknownProfile for an unknown id; DuplicateProfile, only if `strict`. Nothing is changed then.
        """
        attributes = data["attributes"]
        profile = self._meant(data.get("id"), attributes)
        foreign = [
            (name, owner)
            for name, key in _identifiers(attributes)
            if (owner := self._owners.get(key)) is not None and owner is not profile
        ]
        if foreign and strict:
            raise DuplicateProfile(foreign[0][1].id)
        taken = {name for name, _ in foreign}
        created = profile is None
        if profile is None:
            profile = Profile(_ulid(), now, now)
            self.by_id[profile.id] = profile
        _release(self._owners, profile)
        _change(profile.attributes, {name: value for name, value in attributes.items() if name not in taken})
        _patch(profile.attributes, patch)
        self._owners.update((key, profile) for _, key in _identifiers(profile.attributes))
        profile.updated_at = now
        return profile, created

    def _meant(self, profile_id: str | None, attributes: dict[str, Any]) -> Profile | None:
        """
        The profile with this id, else the one that owns the strongest known identifier and contradicts no stronger one.
        """
        if profile_id:
            if profile_id not in self.by_id:
                raise UnknownProfile(profile_id)
            return self.by_id[profile_id]
        stronger: list[str] = []
        for name, key in _identifiers(attributes):
            owner = self._owners.get(key)
            if owner and not any(_differ(owner.attributes, attributes, other) for other in stronger):
                return owner
            stronger.append(name)
        return None


def _identifiers(attributes: dict[str, Any]) -> Iterable[tuple[str, tuple[str, str]]]:
    """
    The identifiers that are set, strongest first, each with the key under which its owner is found.
    """
    for name in IDENTIFIERS:
        if attributes.get(name):
            yield name, (name, _comparable(name, attributes[name]))


def _comparable(name: str, value: str) -> str:
    # Klaviyo: upper and lower case do not distinguish e-mail addresses.
    return value.lower() if name == "email" else value


def _differ(ours: dict[str, Any], theirs: dict[str, Any], name: str) -> bool:
    return bool(ours.get(name)) and _comparable(name, ours[name]) != _comparable(name, theirs[name])


def _release(owners: dict[tuple[str, str], Profile], profile: Profile) -> None:
    for _, key in _identifiers(profile.attributes):
        del owners[key]


def _change(attributes: dict[str, Any], changes: dict[str, Any]) -> None:
    """
    Klaviyo: null clears an attribute, a missing one is left alone; `location` and `properties` merge by member.
    """
    for name, value in changes.items():
        if value is None:
            attributes.pop(name, None)
        elif isinstance(value, dict):
            inner = attributes.setdefault(name, {})
            inner.update(value)
            for member in [member for member, item in value.items() if item is None]:
                del inner[member]
        else:
            attributes[name] = value


def _patch(attributes: dict[str, Any], patch: dict[str, Any]) -> None:
    """
    Carry out `meta.patch_properties`: append, then unappend, then unset.
    """
    if not patch:
        return
    properties = attributes.setdefault("properties", {})
    for name, values in (patch.get("append") or {}).items():
        properties[name] = _listed(properties.get(name, [])) + _listed(values)
    for name, values in (patch.get("unappend") or {}).items():
        unwanted = _listed(values)
        properties[name] = [item for item in _listed(properties.get(name, [])) if item not in unwanted]
    for name in _listed(patch.get("unset") or []):
        properties.pop(name, None)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _ulid() -> str:
    """
    A new id of the shape that Klaviyo gives its profiles: 26 characters, the first ten of them the time.
    """
    number = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
