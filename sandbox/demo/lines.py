"""What the demo prints: a title for each scene, and under it one line for each thing that happens."""

import io
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

LABEL, WHAT, WHO = 13, 35, 17
# What a request is about that is no event.
PROFILE = "the profile"
GOOD, MIND, BAD = "green", "yellow", "red"


class Subject(NamedTuple):
    """What a request is about, for whom, and with which phone number."""

    what: str
    who: str = ""
    phone: str = ""


class Teller:
    """Prints at once; in colour only on a terminal whose owner wants it."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # An arrow that the terminal does not know is no reason to stop.
            sys.stdout.reconfigure(errors="replace")
        self._color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def tell(self, text: str, *, bold: bool = False, fg: str | None = None) -> None:
        """A line, or several."""
        click.echo(click.style(text, bold=bold, fg=fg), color=self._color)

    def row(self, label: str, subject: Subject, outcome: str = "", fg: str | None = None) -> None:
        """One thing that happened."""
        line = f"    {label:<{LABEL}} {_clean(subject.what):<{WHAT}} {_clean(subject.who):<{WHO}} "
        self.tell(line + click.style(_clean(outcome), fg=fg) if outcome else line.rstrip())

    def sentences(self, *texts: str) -> None:
        """The reason for what stands above, one sentence a line."""
        for text in texts:
            self.tell(f"    {'':<{LABEL}} {_clean(text)}")


def webhook_subject(body: bytes) -> Subject:
    """What a webhook is about; its own text when it is none."""
    try:
        webhook = json.loads(body)
        kind = webhook["webhook_type"]
        thing = webhook["webhook_data"][kind]
        thing_id = thing.get("id") or thing[f"{kind}_id"]
        who = thing if kind == "customer" else thing.get("customer") or {}
    except (ValueError, LookupError, TypeError, AttributeError):
        return Subject(body.decode(errors="replace"))
    return Subject(f"{webhook['webhook_event']} {thing_id}", who.get("email") or "")


def webhook_outcome(status: int, answer: dict[str, Any]) -> tuple[str, str]:
    """What we have answered to a webhook, and its colour."""
    if status == 202:
        return "202 kept", GOOD
    if answer.get("duplicate"):
        return f"{status} we have it already", GOOD
    if answer.get("id"):
        return f"{status} kept all the same", MIND
    return str(status), BAD


def request_subject(entry: dict[str, Any]) -> Subject:
    """What a request to Klaviyo, as it stands in the sandbox's journal, is about."""
    try:
        about = json.loads(entry["body"])["data"]["attributes"]
        is_event = "metric" in about
        who = about["profile"]["data"]["attributes"] if is_event else about
        what = f"{about['metric']['data']['attributes']['name']} {about['unique_id']}" if is_event else PROFILE
        return Subject(what, who.get("email", ""), who.get("phone_number", ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return Subject(f"{entry['method']} {entry['path']}")


def request_outcome(entry: dict[str, Any], earlier: Sequence[dict[str, Any]]) -> tuple[str, str]:
    """What Klaviyo has answered to a request, given the earlier ones of the same subject, and its colour."""
    status, phone = entry["status"], request_subject(entry).phone
    before = earlier[-1] if earlier else None
    if 200 <= status < 300:
        if before is None or before["status"] < 300:
            return f"{status} accepted", GOOD
        if request_subject(before).phone and not phone:
            return f"{status} accepted, without the number", GOOD
        waited = datetime.fromisoformat(entry["received_at"]) - datetime.fromisoformat(before["received_at"])
        return f"{status} accepted, {waited.total_seconds():.1f} s later", GOOD
    if status == 429:
        return "429 too much at once: wait", MIND
    if status == 400 and phone:
        return f"400 refused, with phone number {phone}", MIND
    return f"{status} refused" if status < 500 else f"{status} Klaviyo is in trouble", BAD


def where_to_look(folder: Path, klaviyo: str, webhook_url: str, link: str) -> str:
    """What a person can do next."""
    here = Path.cwd()
    flask, place = _short(Path(sys.executable).with_name("flask"), here), _short(folder, here)
    sample = "sandbox/samples/transaction_completed_sale_onetime.json"
    return f"""
Now look for yourself. This link signs you in, once, where Jane's phone number was left out:

    {link}

  What Klaviyo has got:  {klaviyo}
  What we remember, in another terminal:

    . {place}/env
    {flask} user link visitor@example.com
    {flask} customer show john@example.com
    {flask} delivery list
    {flask} inbound list

  A webhook of your own:

    sed 's/"1690"/"2690"/; s/6003/7003/' {sample} |
      curl --data-binary @- {webhook_url}

  What each process has to say:  {place}/*.log

What reaches Klaviyo from now on is told here. Ctrl-C stops everything.
"""


def _short(path: Path, here: Path) -> Path:
    return path.relative_to(here) if path.is_relative_to(here) else path


def _clean(text: str) -> str:
    """The text without what could steer a terminal; some of it comes from outside."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
