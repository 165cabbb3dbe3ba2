"""Calls functions in other processes that share what this one has loaded.

A forked child has the book, its tokens and the templates already; only results travel. Where a fork
is no safe thing (other threads are running, or the system is not Linux), one process does it all.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

# A fork and its way back cost some 15 ms: as much as a few pages.
_WORTH_A_FORK = 8
_TICKET = struct.Struct("<H")
_PR_SET_PDEATHSIG = 1


def start(function: Callable[[], T]) -> Callable[[], T]:
    """Begin `function` in a child. The call that comes back waits for its result, or its error.

    Where no child can be had, that call does the work itself. Results must be picklable.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return function
    import pickle

    answer, give = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child:
        os.close(give)
        return partial(_collect, child, answer)
    try:
        os.close(answer)
        _die_with(parent)
        try:
            outcome: tuple[Any, BaseException | None] = function(), None
        except Exception as error:  # noqa: BLE001 (raised again where the result is asked for)
            outcome = None, error
        with os.fdopen(give, "wb") as file:
            pickle.dump(outcome, file, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)


def call_all(
    tasks: Sequence[Callable[[], T]], jobs: int, prepare: Callable[[], object] = lambda: None
) -> list[T]:
    """The result of every task, in order. Raises the error of a task that failed.

    Each process takes the next task when it is free, so put the long ones first. `prepare` is
    called once, before processes part.
    """
    if jobs < 2 or len(tasks) < _WORTH_A_FORK:
        return [task() for task in tasks]
    prepare()
    tickets, issued = os.pipe()
    os.write(issued, b"".join(map(_TICKET.pack, range(len(tasks)))))
    os.close(issued)
    others = [start(partial(_work, tasks, tickets)) for _ in range(jobs - 1)]
    results: dict[int, T] = {}
    failed: BaseException | None = None
    everybody: list[Callable[[], dict[int, T]]] = [partial(_work, tasks, tickets), *others]
    for work in everybody:
        try:
            results |= work()
        except BaseException as error:  # noqa: BLE001 (raised below, when nobody works any more)
            failed = failed or error
    os.close(tickets)
    if failed is not None:
        raise failed
    return [results[number] for number in range(len(tasks))]


def _work(tasks: Sequence[Callable[[], T]], tickets: int) -> dict[int, T]:
    """Do tasks until there are none left."""
    results: dict[int, T] = {}
    while ticket := os.read(tickets, _TICKET.size):
        (number,) = _TICKET.unpack(ticket)
        results[number] = tasks[number]()
    return results


def _die_with(parent: int) -> None:
    """Be killed when `parent` is, lest the lock that was inherited be held by nobody's child."""
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _collect(child: int, answer: int) -> Any:
    import pickle

    with os.fdopen(answer, "rb") as file:
        data = file.read()
    os.waitpid(child, 0)
    if not data:
        raise RuntimeError("a process that the build had started died")
    result, error = pickle.loads(data)
    if error is not None:
        raise error
    return result
