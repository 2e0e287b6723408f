"""What goes wrong on purpose in a sandbox: a queue of faults, each for the next requests that it is meant for."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Generic, Self, TypeVar


class ConnectionCut(ConnectionResetError):
    """The answer is that the connection breaks; the server resets the socket."""


@dataclass(kw_only=True)
class Fault:
    """
    One queued fault, of the kinds that its sandbox knows.

    Shape:  `times` None is for ever. `body` of a `status` fault is any JSON value.
    Units:  `seconds` of a hang, `ms` of a latency.
    """

    KINDS: ClassVar[tuple[str, ...]]

    fault: str
    times: int | None = 1
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 30
    ms: float = 0
    id: int = 0

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """
        Raises: ValueError with a sentence that says what is wrong.
        """
        if not isinstance(data, dict) or data.get("fault") not in cls.KINDS:
            raise ValueError(f"'fault' must be one of {', '.join(cls.KINDS)}.")
        unknown = set(data) - ({item.name for item in fields(cls)} - {"id"})
        if unknown:
            raise ValueError(f"Unknown members: {', '.join(sorted(unknown))}.")
        times = data.get("times", 1)
        if times is not None and (type(times) is not int or times < 1):
            raise ValueError("'times' must be a whole number above 0, or null for ever.")
        return cls(**data)


AnyFault = TypeVar("AnyFault", bound=Fault)


class Faults(Generic[AnyFault]):
    """The queue of faults, oldest first. The caller holds the sandbox's lock."""

    def __init__(self) -> None:
        self._queue: list[AnyFault] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, fault: AnyFault) -> None:
        self._count += 1
        fault.id = self._count
        self._queue.append(fault)

    def use(self, hits: Callable[[AnyFault], bool]) -> AnyFault | None:
        """The first fault that hits, used up by one; None when there is none."""
        for fault in self._queue:
            if hits(fault):
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
