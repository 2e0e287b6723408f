"""The line for a shell, as a real shell and a real curl take it."""

import os
import subprocess

import pytest

from sandbox.klaviyo import GOOD_KEY
from tests.steered import Klaviyo
from vrio_klaviyo.errors import Refused
from vrio_klaviyo.klaviyo.curl import as_curl

HEADERS = {"content-type": "application/vnd.api+json", "revision": "2026-07-15"}


def run(line: str) -> None:
    environment = {"PATH": os.environ["PATH"], "KLAVIYO_API_KEY": GOOD_KEY, "HOME": "/nowhere", "LC_ALL": "C"}
    subprocess.run(["/bin/sh", "-c", line], env=environment, check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize(
    "body",
    [
        '{"data":{"type":"event"}}',
        """it's O'Brien's ''quoted'' "body" `id` $HOME ${PATH} $(id) \\ \\n !!""",
        "two\nlines\r\nand a tab\t",
        "emoji 😀, ünïcode, \u2028, \u202e, \x7f, \x01",
        "@/etc/passwd",
        "--data-raw",
        "",
        "'",
        "%00 ; rm -rf nothing & | > <",
    ],
)
def test_a_shell_sends_the_same_bytes(klaviyo: Klaviyo, body: str) -> None:
    run(as_curl("POST", f"{klaviyo.url}/api/events", HEADERS, body.encode()))

    (request,) = klaviyo.requests()
    assert request["body"] == body
    assert (request["method"], request["path"]) == ("POST", "/api/events")
    assert HEADERS.items() <= {name.lower(): value for name, value in request["headers"].items()}.items()


def test_the_key_is_the_shells_variable(klaviyo: Klaviyo) -> None:
    line = as_curl("POST", f"{klaviyo.url}/api/events", HEADERS, b"{}")

    assert '"Authorization: Klaviyo-API-Key $KLAVIYO_API_KEY"' in line
    assert GOOD_KEY not in line
    run(line)
    assert klaviyo.requests()[0]["key"] == "good"


def test_what_stands_in_a_header_runs_nothing(klaviyo: Klaviyo) -> None:
    run(as_curl("POST", f"{klaviyo.url}/api/events", HEADERS | {"x-odd": "it's $(id) `id`"}, b"{}"))

    assert len(klaviyo.requests()) == 1


def test_a_body_as_long_as_an_argument_may_be_is_sent(klaviyo: Klaviyo) -> None:
    body = "'" + "x" * 100_000
    run(as_curl("POST", f"{klaviyo.url}/api/events", HEADERS, body.encode()))

    assert klaviyo.requests()[0]["body"] == body


@pytest.mark.parametrize("body", [b'{"a":"\0"}', b"\xff\xfe", b"x" * 130_000])
def test_what_no_shell_can_pass_on_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="Download the body instead"):
        as_curl("POST", "https://a.klaviyo.com/api/events", HEADERS, body)
