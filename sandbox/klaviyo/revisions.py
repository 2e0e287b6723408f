"""
Which revisions of its API Klaviyo serves, and which one really answers a request.
"""

from werkzeug.datastructures import Headers

from sandbox.klaviyo.problems import refused

# Klaviyo: a revision lives for two years; a retired one is served by the oldest that still lives, without a word.
RETIRED = (
    "2022-10-17",
    "2022-12-15",
    "2023-01-24",
    "2023-02-22",
    "2023-06-15",
    "2023-07-15",
    "2023-08-15",
    "2023-09-15",
    "2023-10-15",
    "2023-12-15",
    "2024-02-15",
    "2024-05-15",
    "2024-06-15",
    "2024-07-15",
)
LIVING = (
    "2024-10-15",
    "2025-01-15",
    "2025-04-15",
    "2025-07-15",
    "2025-10-15",
    "2026-01-15",
    "2026-04-15",
    "2026-07-15",
    "2026-10-15",
)


def served_revision(headers: Headers) -> str:
    """
    The revision that serves a request with these headers.

    Raises: Refused 400 when the header is missing or names no revision; 410 for a retired one without falling forward.
    """
    asked = headers.get("revision")
    if asked in LIVING:
        return asked
    if asked in RETIRED:
        if headers.get("X-Klaviyo-Revision-Fall-Forward-Opt-Out") == "1":
            raise refused(410, "gone", f"Revision {asked} has been retired.", "/data/")
        return LIVING[0]
    if asked is None:
        raise refused(400, "invalid", "The revision header is required.", "/data/")
    raise refused(400, "invalid", "The revision header must name an existing revision as YYYY-MM-DD.", "/data/")


def retirement_date(revision: str) -> str:
    year, rest = revision.split("-", 1)
    return f"{int(year) + 2}-{rest}"
