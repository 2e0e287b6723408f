"""Every secret goes in: the way it usually does, and some the wrong way."""

import json
import re
import shlex
from typing import Any

import requests

from tests.no_key_anywhere.house import House
from tests.no_key_anywhere.marked import GOOD, LINK, MISPLACED, NEXT, SECRETS, TOKEN, UNKNOWN, WEBHOOK_KEY
from tests.product import sample, wait_until


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


def sign_in_again(house: House) -> None:
    """After a walk through all that can be done, the operator may be out."""
    house.flask("user add mo@northwind.example --role operator")
    page = house.ask("GET", "/sign-in", "/sign-in").text
    tokens = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    if tokens:
        who = {"email": "mo@northwind.example", "password": SECRETS["the password"]}
        house.ask("POST", "/sign-in", "/sign-in", data={"csrf_token": tokens[0]} | who)
