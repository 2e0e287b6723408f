"""The command: it serves, sends a month when asked to, and ends when told."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from flask import Flask, request

from sandbox.klaviyo.server import serve_in_thread
from sandbox.vrio import SANDBOX_KEY, DeliveryPlan, bursts, tell_month
from sandbox.vrio.command import vrio_command
from sandbox.vrio.posting import MOST_UNANSWERED, NobodyThere, Sender, is_on_this_computer

ROOT = Path(__file__).parents[3]


@pytest.fixture
def hook():
    """A webhook URL and the bodies that came to it; every tenth is refused."""
    bodies = []
    app = Flask(__name__)

    @app.post("/webhooks/vrio/key")
    def receive():
        bodies.append(request.get_data())
        return {}, 503 if len(bodies) % 10 == 0 else 202

    with serve_in_thread(app) as url:
        yield f"{url}/webhooks/vrio/key", bodies


def test_a_month_is_sent_in_order_and_counted(hook):
    url, bodies = hook
    world, told, waited = tell_month(10, seed=2), [], []

    Sender(url, 3600, told.append, waited.append).send(world, DeliveryPlan(generation="v2"))

    sent = list(bursts(world, DeliveryPlan(generation="v2")))
    assert bodies == [body for burst in sent for body in burst.bodies]
    refused = len(bodies) // 10
    assert told[-1] == f"The month is over: {len(bodies) - refused} accepted, {refused} refused, 0 without an answer"
    assert len(told) == len({burst.at.date() for burst in sent})
    assert sum(waited) == (sent[-1].at - sent[0].at).total_seconds() / 3600


def test_nobody_is_written_to_for_ever():
    sender = Sender("http://127.0.0.1:9/webhooks", tell=lambda line: None)

    with pytest.raises(NobodyThere):
        sender.send(tell_month(10), DeliveryPlan())
    assert sender.unanswered == MOST_UNANSWERED


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:8080/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:8080/x", True),
        ("https://shop.example.com/x", False),
        ("http://192.0.2.7/x", False),
        ("127.0.0.1/x", False),
    ],
)
def test_what_is_on_this_computer(url, is_here):
    assert is_on_this_computer(url) == is_here


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--post-to", "https://shop.example.com/x"], "another computer"),
        (["--time-zone", "Mars/Olympus"], "no time zone Mars/Olympus"),
        (["--customers", "0"], "--customers"),
    ],
)
def test_options_that_are_refused(options, message):
    result = CliRunner().invoke(vrio_command, options)

    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("posts", [True, False])
def test_the_command_serves_sends_and_ends_when_told(hook, ending, posts):
    url, bodies = hook
    command = [sys.executable, "-m", "sandbox.vrio", "--port", "0", "--customers", "5", "--time-zone", "Europe/Berlin"]
    command += ["--post-to", url, "--unruly"] if posts else []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        base = re.search(r"http://\S+", process.stdout.readline())
        assert base
        if posts:
            assert any(line.startswith("The month is over") for line in iter(process.stderr.readline, ""))
        state = requests.get(f"{base[0]}/sandbox/state", timeout=10).json()
        customer = requests.get(f"{base[0]}/customers/68441", headers={"X-Api-Key": SANDBOX_KEY}, timeout=10)
        process.send_signal(ending)
        output, errors = process.stdout.read(), process.stderr.read()

    assert (process.returncode, errors) == (0, "")
    assert SANDBOX_KEY in output
    assert state["time_zone"] == "Europe/Berlin"
    assert customer.json()["customer_id"] == 68441
    kinds = {json.loads(body)["webhook_type"] for body in bodies}
    assert kinds == ({"order", "transaction", "order_offer", "shipment"} if posts else set())
