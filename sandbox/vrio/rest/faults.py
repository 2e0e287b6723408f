"""Faults on request: answers that go wrong on purpose for the next requests that match."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

Kind = Literal["status", "html", "garbage", "hang", "reset", "latency", "processing"]


@dataclass
class Fault:
    """
    One queued fault.

    Shape:  `path` is the beginning of the paths it is meant for; `times` None is for ever. `polls` is how often the URL
            of a `processing` answer says that it is not finished. `body` of a `status` fault is any JSON value.
    Units:  `seconds` of a hang, `ms` of a latency.
    """

    fault: Kind
    path: str = "/"
    times: int | None = 1
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 30
    ms: float = 0
    polls: int = 1
    id: int = 0

    @classmethod
    def from_json(cls, data: Any) -> "Fault":
        """
        Raises: ValueError with a sentence that says what is wrong.
        """
        if not isinstance(data, dict) or data.get("fault") not in get_args(Kind):
            raise ValueError(f"'fault' must be one of {', '.join(get_args(Kind))}.")
        unknown = set(data) - ({item.name for item in fields(cls)} - {"id"})
        if unknown:
            raise ValueError(f"Unknown members: {', '.join(sorted(unknown))}.")
        times = data.get("times", 1)
        if times is not None and (type(times) is not int or times < 1):
            raise ValueError("'times' must be a whole number above 0, or null for ever.")
        return cls(**data)


class Faults:
    """The queue of faults, oldest first. The caller holds the sandbox's lock."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []
        self._count = 0

    def add(self, fault: Fault) -> None:
        self._count += 1
        fault.id = self._count
        self._queue.append(fault)

    def take(self, path: str) -> Fault | None:
        """The first fault that is meant for this path, used up by one."""
        for fault in self._queue:
            if path.startswith(fault.path):
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._queue.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self._queue.clear()

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._queue]
