"""
The routes under `/sandbox`, by which a test or a demo looks into the sandbox and makes it misbehave.
"""

from dataclasses import replace
from typing import Any, get_args

from flask import Blueprint, Response, abort, jsonify, request

from sandbox import control
from sandbox.klaviyo import views
from sandbox.klaviyo.faults import Fault
from sandbox.klaviyo.keys import SCOPES, Account, ApiKey
from sandbox.klaviyo.settings import PhoneMode, Settings
from sandbox.klaviyo.state import AccountStore, Sandbox

EVENT_FILTERS = ("account", "email", "metric", "profile_id", "unique_id")


def control_blueprint(sandbox: Sandbox) -> Blueprint:
    blueprint = control.control_blueprint(sandbox, Fault)

    @blueprint.get("/state")
    def state() -> Response:
        with sandbox.lock:
            return jsonify(views.state_view(sandbox))

    @blueprint.get("/profiles")
    def profiles() -> Response:
        email = request.args.get("email")
        with sandbox.lock:
            found = views.profile_views(sandbox)
        return jsonify([profile for profile in found if _same("email", profile["attributes"].get("email"), email)])

    @blueprint.get("/profiles/<profile_id>")
    def profile(profile_id: str) -> Response:
        with sandbox.lock:
            return jsonify(views.find_profile(sandbox, profile_id) or abort(404, "There is no such profile."))

    @blueprint.get("/events")
    def events() -> Response:
        with sandbox.lock:
            found = [views.event_view(store, event) for store in sandbox.stores.values() for event in store.events]
        wanted = {name: request.args.get(name) for name in EVENT_FILTERS}
        return jsonify([event for event in found if all(_same(name, event[name], wanted[name]) for name in wanted)])

    @blueprint.get("/requests")
    def requests() -> Response:
        with sandbox.lock:
            return jsonify(sandbox.journal.since(request.args.get("since", 0, int)))

    @blueprint.post("/keys")
    def keys() -> tuple[Response, int]:
        key = _key(request.get_json())
        with sandbox.lock:
            if key.account_id not in sandbox.stores:
                sandbox.stores[key.account_id] = AccountStore(Account(key.account_id, key.account_id))
            sandbox.keys[key.key] = key
        return jsonify(views.key_view(key)), 201

    @blueprint.post("/settings")
    def settings() -> Response:
        with sandbox.lock:
            sandbox.settings = _changed(sandbox.settings, request.get_json())
            return jsonify(views.settings_view(sandbox.settings))

    return blueprint


def _same(name: str, value: Any, wanted: str | None) -> bool:
    if wanted is None or value is None:
        return wanted is None
    return bool(value.lower() == wanted.lower() if name == "email" else value == wanted)


def _key(data: Any) -> ApiKey:
    """
    Raises: ValueError with a sentence that says what is wrong.
    """
    known = {"name": str, "key": str, "account": str, "scopes": list, "revoked": bool}
    _expect(data, known, required={"name", "key", "account"})
    scopes = frozenset(data.get("scopes", SCOPES))
    if not scopes <= SCOPES:
        raise ValueError(f"'scopes' takes {', '.join(sorted(SCOPES))}.")
    return ApiKey(data["name"], data["key"], data["account"], scopes, data.get("revoked", False))


def _changed(settings: Settings, data: Any) -> Settings:
    """
    Raises: ValueError with a sentence that says what is wrong.
    """
    known: dict[str, type | tuple[type, ...]] = {
        "rate_limits": bool,
        "rate_limit_scale": (int, float),
        "drop_test_domains": bool,
        "phone_mode": str,
        "refused_phones": list,
        "latency_ms": (int, float),
        "bulk_bytes": int,
    }
    _expect(data, known)
    if data.get("phone_mode", "reject") not in get_args(PhoneMode):
        raise ValueError(f"'phone_mode' must be one of {', '.join(get_args(PhoneMode))}.")
    if not all(isinstance(phone, str) and phone for phone in data.get("refused_phones", [])):
        raise ValueError("'refused_phones' must be numbers or their beginnings, as strings.")
    changes: dict[str, Any] = {name: tuple(item) if name == "refused_phones" else item for name, item in data.items()}
    return replace(settings, **changes)


def _expect(data: Any, known: Any, required: Any = frozenset()) -> None:
    if not isinstance(data, dict):
        raise ValueError("The body must be a JSON object.")
    wrong = [name for name, value in data.items() if name not in known or not isinstance(value, known[name])]
    if wrong or set(required) - set(data):
        complaint = f"Unknown or of the wrong type: {', '.join(wrong) or 'none'}."
        raise ValueError(f"{complaint} Missing: {', '.join(sorted(set(required) - set(data))) or 'none'}.")
