"""What happens during a run, told to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from roadmap.model import OutcomeStatus

EventKind = Literal["planned", "started", "cell", "finished"]


@dataclass(frozen=True, slots=True)
class Event:
    """One moment of one experiment.

    `planned`: it will run, and took `expected` seconds last time (None if it never ran).
    `started`: its process starts. `cell`: the cell called `cell` starts.
    `finished`: it ended with `status` after `seconds`.
    """

    kind: EventKind
    node: str
    cell: str = ""
    expected: float | None = None
    seconds: float = 0.0
    status: OutcomeStatus | None = None


OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """For callers who do not want to know."""
