"""Calls functions in several processes that share what this one has loaded.

A forked child has the book, its tokens and the templates already; only results travel. Where a fork
is no safe thing (other threads are running, or the system is not Linux), one process does it all.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

# A fork and its way back cost some 15 ms: as much as a few pages.
_WORTH_A_FORK = 8
_TICKET = struct.Struct("<H")


def call_all(
    tasks: Sequence[Callable[[], T]], jobs: int, prepare: Callable[[], object] = lambda: None
) -> list[T]:
    """The result of every task, in order. Raises what the first failing task raised.

    Each process takes the next task when it is free, so put the long ones first. `prepare` is
    called once, before processes part. Results and errors must be picklable.
    """
    if jobs < 2 or len(tasks) < _WORTH_A_FORK or not _may_fork():
        return [task() for task in tasks]
    prepare()
    tickets, issued = os.pipe()
    os.write(issued, b"".join(map(_TICKET.pack, range(len(tasks)))))
    os.close(issued)
    children = [_fork(tasks, tickets) for _ in range(jobs - 1)]
    answers = [_work(tasks, tickets), *map(_collect, children)]
    os.close(tickets)
    results: dict[int, T] = {}
    for answer in answers:
        results |= answer[0]
    failed = [answer[1] for answer in answers if answer[1] is not None]
    if failed:
        raise failed[0]
    return [results[number] for number in range(len(tasks))]


def _may_fork() -> bool:
    return sys.platform == "linux" and threading.active_count() == 1


_Answer = tuple[dict[int, Any], BaseException | None]


def _work(tasks: Sequence[Callable[[], Any]], tickets: int) -> _Answer:
    """Do tasks until there are none left, or one fails."""
    results: dict[int, Any] = {}
    while ticket := os.read(tickets, _TICKET.size):
        (number,) = _TICKET.unpack(ticket)
        try:
            results[number] = tasks[number]()
        except Exception as error:  # noqa: BLE001 (raised again by call_all)
            return results, error
    return results, None


def _fork(tasks: Sequence[Callable[[], Any]], tickets: int) -> tuple[int, int]:
    """A child that works, and the pipe with its answer."""
    answer, give = os.pipe()
    child = os.fork()
    if child:
        os.close(give)
        return child, answer
    try:
        os.close(answer)
        with os.fdopen(give, "wb") as file:
            pickle.dump(_work(tasks, tickets), file, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)


def _collect(child: tuple[int, int]) -> _Answer:
    pid, answer = child
    with os.fdopen(answer, "rb") as file:
        data = file.read()
    os.waitpid(pid, 0)
    if not data:
        return {}, RuntimeError("a process that renders pages died")
    result: _Answer = pickle.loads(data)
    return result
