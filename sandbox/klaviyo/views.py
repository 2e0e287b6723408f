"""
The sandbox's state as plain JSON, for the control routes and the pages alike.
"""

from typing import Any

from sandbox.klaviyo.keys import ApiKey
from sandbox.klaviyo.profiles import Profile
from sandbox.klaviyo.settings import Settings
from sandbox.klaviyo.state import AccountStore, Event, Sandbox


def event_view(store: AccountStore, event: Event) -> dict[str, Any]:
    """
    One event as it was sent, with what the sandbox knows about it.

    Shape:  `unique_id`, `value`, `value_currency` and `backfill` are null when they were not sent.
    """
    return {
        "id": event.id,
        "account": store.account.id,
        "profile_id": event.profile.id,
        "email": event.profile.attributes.get("email"),
        "metric": event.metric,
        "unique_id": event.unique_id,
        "time": event.time.isoformat(),
        "value": event.attributes.get("value"),
        "value_currency": event.attributes.get("value_currency"),
        "backfill": event.attributes.get("backfill"),
        "properties": event.attributes["properties"],
        "received_at": event.received_at.isoformat(),
        "via": event.via,
        "repeats": event.repeats,
    }


def profile_view(store: AccountStore, profile: Profile, events: list[Event]) -> dict[str, Any]:
    """
    One profile with its timeline, newest event first.
    """
    return {
        "id": profile.id,
        "account": store.account.id,
        "attributes": profile.attributes,
        "created_at": profile.created_at.isoformat(),
        "updated_at": profile.updated_at.isoformat(),
        "events": [event_view(store, event) for event in events],
    }


def profile_views(sandbox: Sandbox) -> list[dict[str, Any]]:
    """
    Every profile of every account, the one that changed last first.
    """
    everyone = sorted(sandbox.everyone(), key=lambda found: found[1].updated_at, reverse=True)
    return [profile_view(*found) for found in everyone]


def find_profile(sandbox: Sandbox, profile_id: str) -> dict[str, Any] | None:
    for store in sandbox.stores.values():
        if profile := store.profiles.by_id.get(profile_id):
            events = [event for event in store.events if event.profile is profile]
            return profile_view(store, profile, sorted(events, key=lambda event: event.time, reverse=True))
    return None


def key_view(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "key": key.key,
        "account": key.account_id,
        "scopes": sorted(key.scopes),
        "revoked": key.revoked,
    }


def settings_view(settings: Settings) -> dict[str, Any]:
    return {
        "rate_limits": settings.rate_limits,
        "rate_limit_scale": settings.rate_limit_scale,
        "drop_test_domains": settings.drop_test_domains,
        "phone_mode": settings.phone_mode,
        "refused_phones": list(settings.refused_phones),
        "latency_ms": settings.latency_ms,
        "bulk_bytes": settings.bulk_bytes,
    }


def state_view(sandbox: Sandbox) -> dict[str, Any]:
    """
    Everything at once: settings, keys, waiting faults, and each account with its profiles and their timelines.

    Shape:  `repeats` counts events that de-duplication swallowed, `dropped` those for test domains or lost profiles.
    """
    profiles = profile_views(sandbox)
    return {
        "settings": settings_view(sandbox.settings),
        "keys": [key_view(key) for key in sandbox.keys.values()],
        "faults": sandbox.faults.as_json(),
        "accounts": [
            {
                "id": store.account.id,
                "name": store.account.name,
                "events": len(store.events),
                "repeats": sum(event.repeats for event in store.events),
                "dropped": store.dropped,
                "profiles": [profile for profile in profiles if profile["account"] == store.account.id],
            }
            for store in sandbox.stores.values()
        ],
    }
