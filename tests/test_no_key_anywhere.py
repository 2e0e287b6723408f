"""
No key, no password and no card number stands where it does not belong: marked ones go in everywhere, everything is made
to work and to fail, and then all that was written or shown is searched for them.

A new page, API route or command is walked by itself; a new part of an address or a new argument has to be named here.
"""

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import requests
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import inspect, text

from console import commands
from sandbox.klaviyo.keys import KEYS, MAIN_ACCOUNT, ApiKey
from tests.building import Klaviyo, klaviyo_served
from tests.cli import commands_of_ours
from tests.product import Product, installed, sample, wait_until


def key(word: str) -> str:
    """A private key of the real shape that the sandbox does not know by itself."""
    return f"pk_marked{word}".ljust(37, "7")


GOOD, NEXT, UNKNOWN, MISPLACED = key("good"), key("next"), key("unknown"), "MaRkEd"
SECRETS = {
    "the private key": GOOD,
    "the private key after it": NEXT,
    "a key that Klaviyo does not know": UNKNOWN,
    "half a key": "pk_markedhalf",
    "SECRET_KEY": "marked-secret-key-of-this-installation",
    "the encryption key": Fernet.generate_key().decode(),
    "Vrio's REST key": "marked-rest-key-of-vrio",
    "the password": "a marked pass phrase",
    "a wrong password": "a marked phrase in vain",
    "a card number": "4242424242424242",
    "another card number": "5555555555554444",
    "a third card number": "4111 1111 1111 1111",
}
# These are made by the product, and shown to those who may hand them on.
WEBHOOK_KEY, LATER_KEY, TOKEN, LINK = "the webhook key", "the webhook key after it", "an API token", "a one-time link"

# The address that Vrio posts to holds the source's key: managers, who hand it on, see it, and whoever runs commands.
SHOW_THE_ADDRESS = {"flask source add", "flask source rotate", "flask source show", "GET /sources/<source_id>"}

# Commands that run until they are told to stop; what they log is searched.
PROCESSES = {"flask web", "flask worker", "flask clock", "flask demo", "flask sandbox klaviyo", "flask sandbox vrio"}
# In this order after all others: what they end, the others need.
LAST = ("user disable", "token revoke", "connection archive", "customer erase")


class Searched:
    """Everything that was written or shown, by where that was."""

    def __init__(self) -> None:
        self._seen: dict[str, list[bytes]] = defaultdict(list)

    def add(self, where: str, what: bytes | str) -> None:
        """Something that stood there."""
        self._seen[where].append(what if isinstance(what, bytes) else what.encode(errors="surrogateescape"))

    def places_of(self, secret: str) -> set[str]:
        """Where it stands."""
        return {where for where, all_of_it in self._seen.items() if any(secret.encode() in one for one in all_of_it)}

    def __len__(self) -> int:
        return len(self._seen)


class House:
    """An installation with marked secrets, its operator at a browser, and all that is seen of it."""

    def __init__(self, product: Product, klaviyo: Klaviyo, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.product = product
        self.klaviyo = klaviyo
        self.place = place
        self.seen = Searched()
        self.made: dict[str, str] = {}
        self.browser = requests.Session()
        self.ids: dict[str, list[str]] = {}
        app = Flask("vrio_klaviyo")
        commands.register(app)
        self._runner = app.test_cli_runner()
        # Of a terminal's width, so that no table cuts what it shows.
        monkeypatch.setenv("COLUMNS", "4000")

    def flask(self, line: str, stdin: str = "") -> Any:
        """What a command prints, on both its outputs."""
        arguments = shlex.split(line)
        verbs = [word for word in arguments[:2] if re.fullmatch(r"[a-z-]+", word)]
        name = next(name for name in (" ".join(verbs), verbs[0]) if f"flask {name}" in all_commands())
        result = self._runner.invoke(args=arguments, input=stdin)
        self.seen.add(f"flask {name}", result.output + result.stderr + repr(result.exception))
        return result.stdout

    def json(self, line: str) -> Any:
        """The one thing that a command tells of."""
        return json.loads(self.flask(f"{line} --json"))

    def ask(self, method: str, rule: str, path: str, **more: Any) -> requests.Response:
        """The answer to the operator's browser."""
        more = {"allow_redirects": False, "timeout": 60} | more
        answer = self.browser.request(method, self.product.url + path, **more)
        self.seen.add(f"{method} {rule}", answer.content + str(dict(answer.headers)).encode())
        return answer

    def token_of_forms(self) -> str:
        """What a form must have to be taken."""
        page = self.browser.get(f"{self.product.url}/profile", timeout=60).text
        return re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]


def all_commands() -> dict[str, click.Command]:
    """Every command that does something, by its name."""

    def below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            for name, verb in command.commands.items():
                yield from below(f"{path} {name}", verb)
        else:
            yield path, command

    return dict(below("flask", commands_of_ours()))


@pytest.fixture
def house(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[House]:
    keys = (*KEYS, ApiKey("marked", GOOD, MAIN_ACCOUNT.id), ApiKey("after it", NEXT, MAIN_ACCOUNT.id))
    with klaviyo_served(keys=keys) as klaviyo:
        environment = {
            "SECRET_KEY": SECRETS["SECRET_KEY"],
            "ENCRYPTION_KEYS": SECRETS["the encryption key"],
            # Nobody is there.
            "VRIO_API_URL": "http://127.0.0.1:9",
            "LOG_LEVEL": "debug",
        }
        everything = environment | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "KLAVIYO_API_URL": klaviyo.url,
        }
        for name, value in everything.items():
            monkeypatch.setenv(name, value)
        with installed(database_url, redis_url, klaviyo.url, **environment) as product:
            house = House(product, klaviyo, tmp_path, monkeypatch)
            product.start("web", "worker", "clock")
            yield house
            house.browser.close()


def move_in(house: House) -> None:
    """Every secret goes in the way it usually does, and some the wrong way."""
    for name, content in (("good", GOOD), ("next", NEXT), ("unknown", UNKNOWN), ("half", SECRETS["half a key"])):
        (house.place / name).write_text(content)
    (house.place / "rest").write_text(SECRETS["Vrio's REST key"])
    (house.place / "catalog").write_text('{"offers": []}')
    place = shlex.quote(str(house.place))
    source = house.json("source add Shop")
    house.made[WEBHOOK_KEY] = source["webhook_path"].rpartition("/")[2]
    other = house.json(f"source add Other --api-key-file {place}/rest")
    house.json(f"connection add Klaviyo --key-file {place}/good")
    house.flask(f"connection add Unknown --key-file {place}/unknown")
    house.flask(f"connection add Half --key-file {place}/half")
    house.flask("connection add Public --key-file -", stdin=MISPLACED)
    # As an argument, where it does not belong.
    house.flask(f"connection add Klaviyo --key-file {UNKNOWN}")
    house.json(f"connection add Refused --no-check --key-file {place}/unknown")
    operator = house.json("user add mo@northwind.example --role operator")
    house.made[LINK] = operator["link"].rpartition("/")[2]
    house.made[TOKEN] = house.json("token add Reports --scope read --scope read:pii --scope resend --scope manage")[
        "token"
    ]

    house.browser.trust_env = False
    link = f"/link/{house.made[LINK]}"
    page = house.ask("GET", "/link/<token>", link).text
    form = {"csrf_token": re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]}
    landed = house.ask("POST", "/link/<token>", link, data=form | {"new_password": SECRETS["the password"]})
    assert landed.status_code == 303
    for password in (SECRETS["a wrong password"], SECRETS["the password"]):
        with requests.Session() as another:
            page = another.get(f"{house.product.url}/sign-in", timeout=60).text
            form = {"csrf_token": re.findall(r'name="csrf_token" value="([^"]+)"', page)[0], "keep": "on"}
            who = {"email": "mo@northwind.example", "password": password}
            answer = another.post(f"{house.product.url}/sign-in", data=form | who, timeout=60)
            house.seen.add("POST /sign-in", answer.content)
    receive(house, source["webhook_path"], other["webhook_path"])


def receive(house: House, path: str, other: str) -> None:
    """Webhooks that are good and bad, with cards in them; Klaviyo answers in all its ways."""
    url = house.product.url

    def post(body: Any, path: str = path) -> None:
        answer = requests.post(url + path, data=body if isinstance(body, bytes) else json.dumps(body), timeout=60)
        house.seen.add("POST /webhooks/vrio/<key>", answer.content)

    echo = {"errors": [{"code": "invalid", "detail": f"{GOOD} may not", "source": {"pointer": f"/data/{GOOD}"}}]}
    house.klaviyo.fault("status", status=400, body=echo, headers={"X-Request": GOOD}, match={"unique_id": "1668_1"})
    house.klaviyo.fault("status", status=503, match={"unique_id": "1690"})
    house.klaviyo.fault("html", match={"unique_id": "1690_7"})
    sale = sample("transaction_completed_sale_subscription_cycle1")
    card, transaction = SECRETS["a card number"], sale["webhook_data"]["transaction"]
    transaction["customer_card"]["card_number"] = card
    transaction["transaction_notes"] = (
        f"paid with {SECRETS['another card number']}, not {SECRETS['a third card number']}"
    )
    post(sale)
    post(sample("transaction_completed_sale_onetime"))
    post(sample("transaction_completed_sale_refused_phone"))
    post(sample("transaction_completed_declined_cycle1"), other)
    post(f"hello, {card}".encode())
    post(sale, "/webhooks/vrio/nobody")
    wait_until(
        lambda: (
            any(status == "held" for status, _ in house.product.deliveries())
            and {"accepted", "failed"} <= {status for status, _ in house.product.deliveries()}
        ),
        "something is accepted, something failed and something is held",
    )


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
                house.ask(method, rule, f"{path}?unknown={GOOD[:0]}", headers=bearer, **given)
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


def read_the_database(house: House, file: Path | None) -> None:
    """Every cell of every table, and of SQLite the bytes of the file, where what was deleted may stand still."""
    with house.product.db.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                for column, value in row.items():
                    told = bytes(value) if isinstance(value, bytes | memoryview) else str(value)
                    house.seen.add(f"{table}.{column}", told)
    for part in ("", "-wal") if file else ():
        on_disk = Path(f"{file}{part}")
        if on_disk.exists():
            house.seen.add("the database's file", on_disk.read_bytes())


@pytest.mark.requirement("003-9")
def test_what_is_secret_stands_nowhere(house: House, capfd: pytest.CaptureFixture[str], database_url: str) -> None:
    move_in(house)
    find_ids(house)
    before = walk(house, {"GET"})
    assert before > 60
    house.ask("GET", "/<path:missing>", f"/nowhere/{len(house.seen)}")
    run_every_command(house)
    find_ids(house)
    walk(house, {"POST", "PUT", "PATCH", "DELETE"})
    sign_in_again(house)
    find_ids(house)
    # By now the bodies are shown.
    assert walk(house, {"GET"}) > 60
    file = Path(database_url.removeprefix("sqlite:///")) if database_url.startswith("sqlite") else None
    read_the_database(house, file)
    house.product.stop()
    house.seen.add("the log", "".join(capfd.readouterr()))

    found = {name: house.seen.places_of(secret) for name, secret in SECRETS.items()}
    assert {name: places for name, places in found.items() if places} == {}
    assert house.seen.places_of("key_rejected"), "nothing was searched"
    addresses = [house.seen.places_of(house.made[name]) for name in (WEBHOOK_KEY, LATER_KEY)]
    assert set.union(*addresses) == SHOW_THE_ADDRESS
    assert house.seen.places_of(house.made[TOKEN]) == {"flask token add"}
    assert house.seen.places_of(house.made[LINK]) <= {"flask user add", "GET /link/<token>", "POST /link/<token>"}


def sign_in_again(house: House) -> None:
    """After a walk through all that can be done, the operator may be out."""
    house.flask("user add mo@northwind.example --role operator")
    page = house.ask("GET", "/sign-in", "/sign-in").text
    tokens = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    if tokens:
        who = {"email": "mo@northwind.example", "password": SECRETS["the password"]}
        house.ask("POST", "/sign-in", "/sign-in", data={"csrf_token": tokens[0]} | who)
