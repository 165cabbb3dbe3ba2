"""Runs what must run, side by side, without more threads than there are cores."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from pathlib import Path

from roadmap.diagnostics import Diagnostic, Span
from roadmap.model import Node, Outcome, Roadmap
from roadmap.run.compare import compare
from roadmap.run.events import Event, OnEvent, ignore
from roadmap.run.failure import diagnose
from roadmap.run.plan import Step, plan
from roadmap.run.store import Store


def run(
    roadmap: Roadmap,
    store: Store,
    *,
    jobs: int = 0,
    force: bool = False,
    execute: bool = True,
    only: Collection[str] | None = None,
    on_event: OnEvent = ignore,
) -> tuple[dict[str, Outcome], list[Diagnostic]]:
    """The outcome of every experiment, from the store where it is fresh, and all that is wrong.

    At most `jobs` threads compute at a time (0: one per core). `force` runs fresh ones too;
    with `execute` off nothing runs, and records that are stale are used with a warning. `only`
    names the nodes to look at. A good outcome is in the store as soon as its experiment has ended,
    so an interrupted build goes on where it was; a failed one is not, and runs again next time.
    `on_event` is called in the caller's thread. KeyboardInterrupt ends every child.
    """
    root = roadmap.root.parent
    steps = plan((n for n in roadmap if only is None or n.id in only), store, root)
    found = [step.diagnostic for step in steps if step.diagnostic is not None]
    waiting = [step for step in steps if execute and (force or step.state != "fresh")]
    outcomes = {step.node.id: step.last for step in steps if step.last is not None}
    for step in waiting:
        outcomes.pop(step.node.id, None)
    with closing(_run_all(waiting, root, jobs or cores(), on_event)) as ended:
        for outcome in ended:
            outcomes[outcome.node] = outcome
            found += _keep(outcome, store)
    for step in steps:
        if not execute and step.state != "fresh":
            found.append(_not_run(step))
        else:
            found += _judge(step.node, outcomes[step.node.id], root)
    return {s.node.id: outcomes[s.node.id] for s in steps if s.node.id in outcomes}, found


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose(waiting: Sequence[Step], free: int, *, idle: bool) -> Step | None:
    """The first step whose threads are free; when nothing runs, the first one whatever it wants."""
    fitting = (step for step in waiting if _threads(step) <= free)
    return next(fitting, waiting[0] if idle and waiting else None)


def _run_all(
    steps: Sequence[Step], root: Path, jobs: int, on_event: OnEvent
) -> Generator[Outcome, None, None]:
    """Outcomes in the order in which experiments end, the ones that take longest begun first."""
    if not steps:
        return
    from roadmap.run.execute import execute

    messages: queue.SimpleQueue[Event | Outcome | Exception] = queue.SimpleQueue()
    stop = threading.Event()

    def work(step: Step) -> None:
        assert step.node.experiment is not None
        try:
            messages.put(
                execute(
                    step.node.experiment,
                    root,
                    messages.put,
                    components=dict(step.components),
                    stop=stop,
                )
            )
        except KeyboardInterrupt:  # `stop` was set: nobody waits for an answer
            return
        except Exception as error:  # noqa: BLE001 (raised again in the caller's thread)
            messages.put(error)

    waiting = sorted(steps, key=_expected, reverse=True)
    running: dict[str, tuple[Step, threading.Thread]] = {}
    for step in waiting:
        seconds = step.last.seconds if step.last else None
        on_event(Event("planned", step.node.id, expected=seconds))
    try:
        while waiting or running:
            free = jobs - sum(_threads(step) for step, _ in running.values())
            chosen = choose(waiting, free, idle=not running)
            if chosen is not None:
                waiting.remove(chosen)
                thread = threading.Thread(target=work, args=(chosen,), daemon=True)
                running[chosen.node.id] = chosen, thread
                thread.start()
                continue
            message = messages.get()
            if isinstance(message, Event):
                on_event(message)
            elif isinstance(message, Outcome):
                del running[message.node]
                yield message
            else:
                raise message
    finally:
        stop.set()
        for _, thread in running.values():
            thread.join()


def _threads(step: Step) -> int:
    assert step.node.experiment is not None
    return step.node.experiment.options.threads


def _expected(step: Step) -> float:
    """Seconds it took last time, else its limit: what nobody has timed may be the longest."""
    assert step.node.experiment is not None
    return step.last.seconds if step.last else step.node.experiment.options.timeout


def _keep(outcome: Outcome, store: Store) -> list[Diagnostic]:
    if outcome.status != "ok":
        return []
    try:
        store.put(outcome)
    except OSError as error:
        message = f"The record of `{outcome.node}` cannot be kept: {error.strerror}."
        hint = f"Make {store.folder.name}/ writable, and room on its disk."
        return [Diagnostic("record-unwritable", message, Span(store.path(outcome.node)), hint)]
    return []


def _judge(node: Node, outcome: Outcome, root: Path) -> list[Diagnostic]:
    assert node.experiment is not None
    return diagnose(node.experiment, outcome, root) + compare(node, outcome)


def _not_run(step: Step) -> Diagnostic:
    assert step.node.experiment is not None
    span = Span(step.node.experiment.path)
    if step.last is None:
        message = f"The experiment of `{step.node.id}` has no record, and execution is off."
        return Diagnostic("experiment-not-run", message, span, f"`roadmap run {step.node.id}`")
    message = f"The record of `{step.node.id}` is stale: {'; '.join(step.reasons)}."
    return Diagnostic("record-stale", message, span, f"`roadmap run {step.node.id}`")
