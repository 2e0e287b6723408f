"""What this sandbox can be asked to do wrong."""

from dataclasses import dataclass

from sandbox import faults


@dataclass(kw_only=True)
class Fault(faults.Fault):
    """
    One queued fault.

    Shape:  `path` is the beginning of the paths it is meant for. `polls` is how often the URL of a `processing` answer
            says that it is not finished.
    """

    KINDS = ("status", "html", "garbage", "hang", "reset", "latency", "processing")

    path: str = "/"
    status: int = 500
    polls: int = 1
