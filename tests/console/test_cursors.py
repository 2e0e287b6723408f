"""Cursors: a place goes out and comes back, and nobody makes one up."""

import pytest

from console.cursors import Cursors
from vrio_klaviyo.errors import InvalidInput
from vrio_klaviyo.store.paging import Place

CURSORS = Cursors("a secret")


@pytest.mark.parametrize("place", [None, Place("dl_01KAG"), Place("dl_01KAG", backwards=True), Place("é/?&=\n")])
def test_a_place_comes_back_as_it_went_out(place):
    written = CURSORS.written(place)

    assert CURSORS.place(written) == place
    assert written is None or written.replace("-", "").replace("_", "").replace(".", "").isalnum()


@pytest.mark.parametrize("cursor", ["x", "dl_01KAG", Cursors("another secret").written(Place("dl_01KAG"))])
def test_a_place_that_was_made_up_is_refused(cursor):
    with pytest.raises(InvalidInput, match="begin at the newest"):
        CURSORS.place(cursor)


@pytest.mark.parametrize("cursor", [None, ""])
def test_no_cursor_is_the_beginning(cursor):
    assert CURSORS.place(cursor) is None
