"""Everywhere a person, a program or an operator can go, each page, route and command of it."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

from sqlalchemy import text

from tests.no_key_anywhere.house import House, all_commands
from tests.no_key_anywhere.marked import LATER_KEY, TOKEN, UNKNOWN

# Commands that run until they are told to stop; what they log is searched.
PROCESSES = {"flask web", "flask worker", "flask clock", "flask demo", "flask sandbox klaviyo", "flask sandbox vrio"}
# After all others: what they end, the others need.
LAST = ("user disable", "token revoke", "connection archive", "customer erase")


def find_ids(house: House) -> None:
    """The things that addresses and arguments name."""
    tables = {
        **{"connection_id": "connections", "source_id": "sources", "customer_id": "customers"},
        **{"inbound_id": "inbound_events", "delivery_id": "deliveries", "attempt_id": "webhooks"},
        **{"replay_id": "replays", "user_id": "users", "session_id": "sessions", "token_id": "api_tokens"},
    }
    with house.product.db.read() as session:
        for name, table in tables.items():
            house.ids[name] = [row[0] for row in session.execute(text(f"SELECT id FROM {table} ORDER BY id"))]
    house.ids["webhook_id"] = house.ids["inbound_id"]
    with house.product.db.read() as session:
        found = session.execute(text("SELECT id, delivery_id FROM webhooks ORDER BY id")).all()
    house.ids["attempt_id"] = [attempt for attempt, _ in found]
    house.ids["delivery_of_attempt"] = [delivery for _, delivery in found]
    house.ids |= {"show": ["failed", "held", "skipped"], "metric": ["Placed Order"], "filename": ["console.css"]}
    house.ids |= {"token": ["nobody"]}


def rules(house: House) -> list[tuple[str, str]]:
    """Method and address of everything that the web process answers, but for what Vrio posts to."""
    printed = house.product.shell("flask routes")
    found = re.findall(r"^\S+ +([A-Z, ]+?) +(/\S*) *$", printed, re.MULTILINE)
    return [
        (method, rule) for methods, rule in found for method in methods.split(", ") if method not in ("HEAD", "OPTIONS")
    ]


def paths(house: House, rule: str) -> Iterator[str]:
    """The rule with each of the things in it that it asks for."""
    names = re.findall(r"<(?:\w+:)?(\w+)>", rule)
    values = {name: house.ids[name] for name in names}
    if "attempt_id" in values and "delivery_id" in values:
        values["delivery_id"] = house.ids["delivery_of_attempt"]
    most = max((len(each) for each in values.values()), default=1)
    for number in range(most):
        path = rule
        for name in names:
            path = re.sub(rf"<(\w+:)?{name}>", values[name][min(number, len(values[name]) - 1)], path)
        yield path


def walk(house: House, methods: set[str]) -> int:
    """Go everywhere as the operator, and as a program with every scope; how often a page was shown."""
    shown = 0
    forms = {"csrf_token": house.token_of_forms()} if methods != {"GET"} else {}
    bearer = {"Authorization": f"Bearer {house.made[TOKEN]}", "Idempotency-Key": "walk"}
    # What signs the operator out comes last.
    for method, rule in sorted(rules(house), key=lambda one: ("sign-out" in one[1], "end" in one[1], one)):
        if method not in methods or rule.startswith("/static/") or "end-all" in rule:
            continue
        for path in paths(house, rule):
            if rule.startswith("/api/v1"):
                given: dict[str, Any] = {} if method == "GET" else {"json": {"name": "New", "key": UNKNOWN}}
                shown += house.ask(method, rule, path, headers=bearer, **given).ok
                house.ask(method, rule, f"{path}?unknown=1", headers=bearer, **given)
                house.ask(method, rule, path, headers={"Authorization": "Bearer vkt_nobody"}, **given)
            else:
                data = forms | {"name": "New", "key": UNKNOWN, "private_key": UNKNOWN, "api_key": UNKNOWN}
                answer = house.ask(method, rule, path, data=data if method != "GET" else None)
                shown += answer.ok
    return shown


def run_every_command(house: House) -> None:
    """Each one, also where it fails."""
    place, ids = shlex.quote(str(house.place)), {name: values[0] for name, values in house.ids.items() if values}
    arguments = {
        "catalog import": f"{place}/catalog --source Shop",
        "completion": "bash",
        "connection activate": "Klaviyo",
        "connection add": f"Again --key-file {place}/unknown",
        "connection archive": "Refused --yes",
        "connection check": "Klaviyo",
        "connection pause": "Refused",
        "connection rotate-key": f"Klaviyo --key-file {place}/next",
        "connection set": f"Klaviyo --key-file {place}/unknown",
        "connection show": "Klaviyo",
        "connection test-event": "Klaviyo --email mo@northwind.example --wait 1",
        "customer erase": "grace@example.com --yes",
        "customer show": "john@example.com",
        "delivery body": ids["delivery_id"],
        "delivery curl": ids["delivery_id"],
        "delivery resend": ids["delivery_id"],
        "delivery show": ids["delivery_id"],
        "doctor": "--email john@example.com --online",
        "inbound again": ids["inbound_id"],
        "inbound preview": ids["inbound_id"],
        "inbound send": f"transaction_completed_sale_mixed --source Shop --url {house.product.url}",
        "inbound show": ids["inbound_id"],
        "replay run": "--yes",
        "replay stop": ids.get("replay_id", "rp_nobody"),
        "retention run": "--dry-run",
        "source add": "Shop",
        "source rotate": "Shop",
        "source set": f"Other --api-key-file {place}/rest",
        "source show": "Shop",
        "tail": "--once --since 1h --format json",
        "token add": "More --scope read",
        "token revoke": ids["token_id"],
        "user add": "li@northwind.example",
        "user disable": "li@northwind.example",
        "user link": "li@northwind.example",
        "workspace add": "New",
    }
    names = [name.removeprefix("flask ") for name in sorted(all_commands()) if name not in PROCESSES]
    for name in sorted(names, key=lambda name: (name in LAST, name)):
        house.flask(f"{name} {arguments.get(name, '')}")
        if any("--json" in option.opts for option in all_commands()[f"flask {name}"].params):
            house.flask(f"{name} {arguments.get(name, '')} --json")
    house.flask("connection show nobody")
    house.made[LATER_KEY] = house.json("source show Shop")["webhook_path"].rpartition("/")[2]
