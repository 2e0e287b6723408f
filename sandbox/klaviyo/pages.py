"""
The pages for people: the profiles that the sandbox holds, and one profile with its events.
"""

import json
from typing import Any

from flask import Blueprint, abort, render_template, request

from sandbox.klaviyo import views
from sandbox.klaviyo.state import Sandbox

MOST_ROWS = 200


def pages_blueprint(sandbox: Sandbox) -> Blueprint:
    blueprint = Blueprint("pages", __name__, template_folder="templates")

    @blueprint.app_template_filter("pretty_json")
    def pretty_json(value: Any) -> str:
        return json.dumps(value, indent=2, ensure_ascii=False)

    @blueprint.get("/")
    def profiles() -> str:
        searched = request.args.get("q", "").strip()
        with sandbox.lock:
            state = views.state_view(sandbox)
        names = {account["id"]: account["name"] for account in state["accounts"]}
        found = [
            {**profile, "account_name": names[profile["account"]]}
            for account in state["accounts"]
            for profile in account["profiles"]
            if searched.lower() in str(profile["attributes"].get("email", "")).lower()
        ]
        found.sort(key=lambda profile: profile["updated_at"], reverse=True)
        return render_template(
            "klaviyo_sandbox/profiles.html",
            state=state,
            names=names,
            searched=searched,
            profiles=found[:MOST_ROWS],
            left_out=max(0, len(found) - MOST_ROWS),
        )

    @blueprint.get("/profiles/<profile_id>")
    def profile(profile_id: str) -> str:
        with sandbox.lock:
            found = views.find_profile(sandbox, profile_id)
        if found is None:
            abort(404)
        return render_template("klaviyo_sandbox/profile.html", profile=found)

    return blueprint
