"""What the demo plays."""

import pytest

from sandbox.demo.scenes import SAMPLES, SCENES, retold


def test_every_sample_is_played() -> None:
    samples = {path.stem for path in SAMPLES.glob("*.json")}

    assert {sample for scene in SCENES for sample in scene.samples} == samples


def test_a_sample_is_retold_in_other_words() -> None:
    told = retold("v2_shipment_shipped", {"4503": "4509"})

    assert told.count(b"4509") == 2
    assert b"4503" not in told


def test_words_that_a_sample_does_not_have_are_not_passed_over() -> None:
    with pytest.raises(ValueError, match="does not say 4711"):
        retold("v2_shipment_shipped", {"4711": "4712"})
