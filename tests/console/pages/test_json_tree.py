"""A body's tree: nothing in it is changed, whatever it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.pages.json_tree import DEEPEST, LARGEST, Node, tree


def test_members_keep_their_order_and_scalars_their_digits():
    body = b'{"z": 29.990, "a": [1E400, -0, "29.99", null, true], "z": "\\u00e9", "o": {}}'

    assert tree(body) == Node(
        "object",
        "4",
        None,
        (
            Node("number", "29.990", "z"),
            Node(
                "array",
                "5",
                "a",
                (
                    Node("number", "1E400"),
                    Node("number", "-0"),
                    Node("string", '"29.99"'),
                    Node("word", "null"),
                    Node("word", "true"),
                ),
            ),
            Node("string", '"é"', "z"),
            Node("object", "0", "o"),
        ),
    )


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        "",
        b"<html>",
        b"\xff\xfe",
        '{"a":',
        "[" * 100_000,
        "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2),
        json.dumps("x" * LARGEST),
    ],
    ids=["none", "no-bytes", "no-text", "html", "no-utf8", "half", "deep", "too-deep", "large"],
)
def test_what_is_no_json_or_too_much_of_it_has_no_tree(body):
    assert tree(body) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_a_tree_can_be_read_back(value):
    node = tree(json.dumps(value))

    assert node is not None
    assert json.loads(written(node)) == value


def written(node: Node) -> str:
    """The JSON that a tree shows."""
    if node.kind == "object":
        return "{" + ",".join(f"{json.dumps(child.key)}:{written(child)}" for child in node.children) + "}"
    if node.kind == "array":
        return "[" + ",".join(map(written, node.children)) + "]"
    return node.text
