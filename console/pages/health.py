"""Health: is the product well, part by part, and what to do where it is not. The same that `flask doctor` says."""

from itertools import groupby

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.pages.guard import needs
from console.site import Site
from vrio_klaviyo import health
from vrio_klaviyo.findings import Finding, State
from vrio_klaviyo.store.people import Role

# The worst first: a part is as well as its worst finding.
STATES = (State.FAULT, State.WARNING, State.UNKNOWN, State.OK)
ORDER = (
    *("receiving", "queue", "lanes", "worker", "clock", "database", "migrations", "redis", "klaviyo", "clock skew"),
    "key store",
)


def blueprint(site: Site) -> Blueprint:
    """`/health`."""
    routes = Blueprint("health", __name__, url_prefix="/health")

    @routes.get("")
    @needs(Role.VIEWER)
    def index() -> ResponseReturnValue:
        now = site.now()
        found = [*health.of_installation(site.db, site.vault, now), *health.of_redis(site.bells.facts())]
        found.sort(key=lambda finding: ORDER.index(finding.part))
        parts = {part: list(findings) for part, findings in groupby(found, key=lambda finding: finding.part)}
        return render_template(
            "health.html",
            parts=parts,
            worst={part: worst(findings) for part, findings in parts.items()},
            overall=worst(found),
            wrong=sum(finding.state in (State.FAULT, State.WARNING) for finding in found),
            checked_at=now,
        )

    return routes


def worst(findings: list[Finding]) -> State:
    """How the worst of these stands."""
    return min((finding.state for finding in findings), key=STATES.index, default=State.UNKNOWN)
