"""Masks: enough to tell two people apart, not enough to write to them."""

import pytest

from console.personal import masked, masked_email, masked_phone


@pytest.mark.parametrize(
    ("mask", "whole", "shown"),
    [
        (masked_email, "ada@example.com", "a••@example.com"),
        (masked_email, "@example.com", "••@example.com"),
        (masked_email, "no e-mail at all", "n•• e•• a•• a••"),
        (masked_phone, "+15551234567", "+1•••4567"),
        (masked_phone, "12345", "1••"),
        (masked, "Ada  Lovelace", "A•• L••"),
        (masked, "", ""),
    ],
)
def test_a_mask_leaves_the_edges(mask, whole, shown):
    assert mask(whole) == shown
