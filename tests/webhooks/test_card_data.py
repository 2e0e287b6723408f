"""What of card data is taken out of a body, and that nothing else is touched."""

import json

import pytest

from tests.webhooks.cards import WEBHOOK, outcome
from webhooks.card_data import scrubbed

pytestmark = pytest.mark.requirement("003-A")


def test_only_the_card_number_of_a_transaction_changes() -> None:
    body = WEBHOOK % b'"424242XXXXXX4242"'

    assert scrubbed(body) == WEBHOOK % b'"4242"'


def test_a_card_number_among_a_transactions_notes_changes_nothing_else() -> None:
    body = WEBHOOK.replace(b"Caf", b"Pay 4111-1111-1111-1111, Caf") % b'"4111111111111111"'

    assert scrubbed(body) == WEBHOOK.replace(b"Caf", b"Pay 1111, Caf") % b'"1111"'


@pytest.mark.parametrize(
    "body",
    [
        WEBHOOK % b'"4242"',
        WEBHOOK % b"null",
        b"",
        b"{}",
        b"[]",
        b" \n",
        b"null",
        b"\x00",
        b"\xff\xfe",
        b"\xff\xfe\x00\x00",
        b"hello",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
    ],
)
def test_what_has_no_card_data_stays_the_same_object(body: bytes) -> None:
    assert scrubbed(body) is body


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ('"424242XXXXXX4242"', '"4242"'),
        ('"411122XXXXX4444"', '"4444"'),
        ('"4242424242424242"', '"4242"'),
        ('"4242 4242 4242 4242"', '"4242"'),
        ('"1234123412341234"', '"1234"'),
        ('"4242"', '"4242"'),
        ('"XXXX XXXX XXXX 42"', '"42"'),
        ('"unknown"', '""'),
        ('""', '""'),
        ("4242424242424242", '"4242"'),
        ("4000000000000002", '"0002"'),
        ("4.242424242424242e+15", '"4242"'),
        ("424242", '"4242"'),
        ("42", '"42"'),
        ("null", "null"),
        ("true", "true"),
        ('["424242XXXXXX4242", 424242, null, ["555555XXXXXX4444"]]', '["4242", "4242", null, ["4444"]]'),
        ('{"first": "424242", "at": "5 pm", "id": "424242"}', '{"first": "4242", "at": "5", "id": "424242"}'),
        (r'"\u0034\u0032XXXX4\u0032\u0034\u0032"', '"4242"'),
        (r'"4\u00324\u0032"', r'"4\u00324\u0032"'),
        (r'"4242\/XXXX\/1234"', '"1234"'),
    ],
)  # fmt: skip
def test_a_card_numbers_field_keeps_four_digits(value: str, kept: str) -> None:
    assert outcome(value, "card_number") == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ('"123"', '""'),
        ('"1234"', '""'),
        ('""', '""'),
        (r'"\u0031\"23"', '""'),
        ("123", "null"),
        ("-1.5e3", "null"),
        ("null", "null"),
        ("false", "false"),
        ('["123", 123]', '["", null]'),
        ('{"value": "123", "b": [{"x": 4}], "pan": "424242"}', '{"value": "", "b": [{"x": null}], "pan": "4242"}'),
        ('{"gateway_response_cvv": "M"}', '{"gateway_response_cvv": "M"}'),
    ],
)  # fmt: skip
def test_a_security_codes_field_keeps_nothing(value: str, kept: str) -> None:
    assert outcome(value, "cvv") == kept


def test_a_name_may_be_spelled_with_escapes() -> None:
    body = rb'{"\u0063v\u0076": "123", "card\u005fnumber": 424242}'

    assert scrubbed(body) == rb'{"\u0063v\u0076": "", "card\u005fnumber": "4242"}'


def test_a_name_in_a_value_names_nothing() -> None:
    body = rb'{"a": "cvv", "b": "123", "c": "\"cvv\": \"123\"", "x\"cvv": "123", "y\\": "cvv", "cvv:": "123"}'

    assert scrubbed(body) is body


def test_whatever_is_between_a_name_and_its_value_stays() -> None:
    assert scrubbed(b'{"cvv"\r\n\t : \n"123" ,"a":"cvv"\n,"cvv":1}') == b'{"cvv"\r\n\t : \n"" ,"a":"cvv"\n,"cvv":null}'


def test_many_names_of_card_data() -> None:
    names = [f"card{'_' * count}_cvv" for count in range(1, 30)]

    assert json.loads(scrubbed(json.dumps(dict.fromkeys(names, "123")).encode())) == dict.fromkeys(names, "")


def test_more_names_than_a_webhook_has() -> None:
    body = {f"name {count}": "x" for count in range(600)} | {"cvv": "123"}

    assert json.loads(scrubbed(json.dumps(body).encode())) == body | {"cvv": ""}


def test_a_name_counts_for_its_own_value_only() -> None:
    body = (
        b'[{"phone": {"x": "4242424242424242"}, "y": "4242424242424242"}, {"a": [{"phone": ""}, "4242424242424242"]}]'
    )

    assert scrubbed(body) == b'[{"phone": {"x": "4242"}, "y": "4242"}, {"a": [{"phone": ""}, "4242"]}]'


def test_after_an_object_its_arrays_name_counts_again() -> None:
    body = b'{"phone": [{"a": 1}, "4242424242424242"], "cvv": [{"id": "7"}, "123"]}'

    assert scrubbed(body) == b'{"phone": [{"a": 1}, "4242424242424242"], "cvv": [{"id": "7"}, ""]}'


@pytest.mark.parametrize(
    "key", ["4242424242424242", "card 4111-1111-1111-1111", r"\u0034242424242424242", "4242424242424242_id"]
)
def test_a_card_number_as_a_key(key: str) -> None:
    (kept,) = json.loads(scrubbed(f'{{"{key}": null}}'.encode()))

    assert kept == json.loads(f'"{key}"').replace("424242424242", "").replace("4111-1111-1111-", "")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_json_in_other_encodings(encoding: str) -> None:
    before = '{"a": "é 4242 4242 4242 4242", "cvv": "123", "b": "\U0001f600"}'
    after = '{"a": "é 4242", "cvv": "", "b": "\U0001f600"}'

    assert scrubbed(before.encode(encoding)) == after.encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-32-be"])
def test_a_byte_order_mark_of_another_computer_stays(encoding: str) -> None:
    before, after = '\ufeff{"cvv": "123"}', '\ufeff{"cvv": ""}'

    assert scrubbed(before.encode(encoding)) == after.encode(encoding)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"4242424242424242", b'"4242"'),
        (b'"4242424242424242"', b'"4242"'),
        (b"Card: 4242 4242 4242 4242.", b"Card: 4242."),
        (b"number=4242+4242+4242+4242&x=1", b"number=4242&x=1"),
        (b"cc_number=1234123412341234&a=b", b"cc_number=XXXX1234&a=b"),
        (b"cc[cvv]=123&cvv2=1234&gateway_cvv=1", b"cc[cvv]=XXXX&cvv2=XXXX&gateway_cvv=1"),
        (b"cvv: 123, security_code: none", b"cvv: XXXX, security_code: none"),
        (b'{"a": "4242424242424242", "cvv": "123", "pan": "424242X4', b'{"a": "4242", "cvv": "XXXX", "pan": "XXXX2424'),
        (b'{"order_notes": "4242424242424242', b'{"order_notes": "4242'),
        (b'{"a": 4242424242424242', b'{"a": 4242'),
        (b'{"phone": "4242424242424242"', b'{"phone": "4242"'),
        (rb'"{\\"cvv\\": \\"123\\"', rb'"{\\"cvv\\": \\"XXXX\\"'),
        (b"\xff 4242424242424242 \xfe\x00", b"\xff 4242 \xfe\x00"),
        (b'\xff\xfe{\x00"\x00a\x00', b'\xff\xfe{\x00"\x00a\x00'),
        ('{"a": "4242 4242 4242 4242'.encode("utf-16-le"), '{"a": "4242'.encode("utf-16-le")),
        (
            '{"a": "4242 4242 4242 42-42'.encode("utf-32-be"),
            '{"a": "42'.encode("utf-32-be") + b"\0\0\0" + "42".encode("utf-32-be"),
        ),
        (b'\x00{"a": "4242424242424242"}', b'\x00{"a": "4242"}'),
        (b'{"cvv": "x", "n": 4242 4242 4242 4242}', b'{"cvv": "", "n": 4242}'),
    ],
)  # fmt: skip
def test_what_is_no_json(body: bytes, kept: bytes) -> None:
    assert scrubbed(body) == kept


def test_json_that_is_nested_too_deeply_is_plain_text() -> None:
    body = b'[{"a":' * 20_000 + b'"4242424242424242"' + b"}]" * 20_000

    assert scrubbed(body) == body.replace(b"4242424242424242", b"4242")


def test_a_json_body_with_a_broken_character_is_still_json() -> None:
    assert scrubbed(b'{"first_name": "Zo\xeb", "phone": "4242424242424242", "a": "4242424242424242"}') == (
        b'{"first_name": "Zo\xeb", "phone": "4242424242424242", "a": "4242"}'
    )
