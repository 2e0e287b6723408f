"""What the demo plays."""

from sandbox.demo.scenes import SAMPLES, SCENES


def test_every_sample_is_played() -> None:
    samples = {path.stem for path in SAMPLES.glob("*.json")}

    assert {sample for scene in SCENES for sample in scene.samples} == samples
