"""A build from start to end: load, check, run, render, publish. Read it from top to bottom."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roadmap.diagnostics import BuildError, Diagnostic, Span, has_errors
from roadmap.publish.inputs import Inputs, read_inputs
from roadmap.publish.site import Published, is_current, publish

if TYPE_CHECKING:
    from roadmap.model import Outcome, Roadmap
    from roadmap.run.events import Event as RunEvent

STATE = ".roadmap"


@dataclass(frozen=True, slots=True)
class Options:
    """What to build. `book` is the folder with roadmap.yaml, `out` the site's folder.

    `jobs` is the number of cores to use, 0 for all that there are; `only` are the nodes whose
    experiments may run, all if empty.
    """

    book: Path
    out: Path
    jobs: int = 0
    force: bool = False
    execute: bool = True
    pdf: bool = True
    only: tuple[str, ...] = ()

    @property
    def state(self) -> Path:
        """The folder for caches and records, beside the book."""
        return self.book.parent / STATE


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person may want to see. Without `step`, the stage begins, with `total` steps.

    `kind` says what becomes of the step; an experiment is `planned`, `started`, comes to a `cell`
    and is `finished` after `seconds`; `expected` is how long it took last time.
    """

    stage: str
    step: str = ""
    kind: str = "started"
    cell: str = ""
    seconds: float = 0.0
    expected: float | None = None
    total: int = 0


Observer = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Report:
    """How a build ended. `published` is None when nothing was to do or nothing may be published."""

    diagnostics: tuple[Diagnostic, ...]
    published: Published | None
    unchanged: bool
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether an error stopped the build."""
        return has_errors(self.diagnostics)


def build(options: Options, observe: Observer = lambda _: None) -> Report:
    """Build the site. The last good site stays as it is when there is an error."""
    start = time.perf_counter()
    diagnostics: list[Diagnostic] = []
    published, unchanged = None, False
    try:
        if not options.book.is_dir():  # then there is no place for caches either
            loaded_and_checked(options, observe)
        with _lock(options.state), _without_garbage_collection():
            inputs = read_inputs(options.book)
            fingerprint = inputs.fingerprint(options.pdf, options.execute)
            unchanged = not options.force and is_current(options.out, fingerprint)
            if not unchanged:
                roadmap, diagnostics = loaded_and_checked(options, observe)
                outcomes, found = run_experiments(roadmap, options, observe)
                diagnostics += found
                _stop_at_errors(diagnostics)

                # A warning that the next build has to give again leaves no fingerprint behind.
                final = "" if diagnostics else fingerprint
                published = published_site(roadmap, outcomes, inputs, options, final, observe)
    except BuildError as error:
        diagnostics = _merged(diagnostics, error)
    return Report(tuple(diagnostics), published, unchanged, time.perf_counter() - start)


def loaded_and_checked(
    options: Options, observe: Observer = lambda _: None
) -> tuple[Roadmap, list[Diagnostic]]:
    """The book, and the warnings found in it. Raises BuildError when there are errors."""
    roadmap, diagnostics = loaded(options, observe)
    _stop_at_errors(diagnostics)
    return roadmap, diagnostics


def loaded(
    options: Options, observe: Observer = lambda _: None
) -> tuple[Roadmap, list[Diagnostic]]:
    """The book as far as it can be read, and all that is wrong with it.

    Raises BuildError when there is no roadmap.yaml that can be read.
    """
    from roadmap.check import check
    from roadmap.load import load

    observe(Event("load"))
    roadmap, diagnostics = load(options.book, options.state)
    if roadmap is None:
        raise BuildError(*diagnostics)
    observe(Event("check"))
    return roadmap, [*diagnostics, *check(roadmap, options.state)]


def run_experiments(
    roadmap: Roadmap, options: Options, observe: Observer = lambda _: None
) -> tuple[dict[str, Outcome], list[Diagnostic]]:
    """Every experiment's record, run now if it is stale, and how the results lie in their bands."""
    from roadmap.run import run
    from roadmap.run.store import Store

    def on_event(event: RunEvent) -> None:
        observe(Event("run", event.node, event.kind, event.cell, event.seconds, event.expected))

    observe(Event("run", total=sum(node.experiment is not None for node in roadmap)))
    return run(
        roadmap,
        Store(options.state / "runs"),
        jobs=options.jobs,
        force=options.force,
        execute=options.execute,
        only=options.only or None,
        on_event=on_event,
    )


def published_site(
    roadmap: Roadmap,
    outcomes: Mapping[str, Outcome],
    inputs: Inputs,
    options: Options,
    fingerprint: str,
    observe: Observer = lambda _: None,
) -> Published:
    """Render what changed and bring the site up to date. Raises BuildError."""
    from roadmap.publish.units import Sources, site_units
    from roadmap.run.schedule import cores

    sources = Sources(roadmap, outcomes, inputs, options.state, options.pdf, options.jobs)
    try:
        units = site_units(sources)
        observe(Event("render", total=len(units)))
        return publish(
            units,
            options.out,
            fingerprint,
            on_unit=lambda unit: observe(Event("render", unit.name)),
            prepare=sources.prepare,
            jobs=options.jobs or cores(),
        )
    finally:
        sources.close()


def _stop_at_errors(diagnostics: list[Diagnostic]) -> None:
    if has_errors(diagnostics):
        raise BuildError(*diagnostics)


def _merged(before: list[Diagnostic], error: BuildError) -> list[Diagnostic]:
    return [*before, *(d for d in error.diagnostics if d not in before)]


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Nearly all that a build makes lives to its end: looking for garbage took 7 % of it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextmanager
def _lock(state: Path) -> Iterator[None]:
    """One build at a time: a second one says so and stops."""
    import fcntl

    try:
        state.mkdir(parents=True, exist_ok=True)
        file = (state / "lock").open("a+")
    except OSError as error:
        message = f"The folder for caches cannot be used: {error.strerror} ({state})."
        hint = "Make it writable, or remove it."
        raise BuildError(Diagnostic("publish-failed", message, Span(state), hint)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "Another build of this book is running."
            raise BuildError(
                Diagnostic("publish-failed", message, Span(state), "Wait until it has ended.")
            ) from None
        yield
