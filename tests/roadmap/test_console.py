"""What a person sees during a build: on a terminal a display, in a log plain lines."""

from __future__ import annotations

import io
import re
import sys

import pytest

from roadmap import console
from roadmap.pipeline import Event

RUN = [
    Event("load"),
    Event("check"),
    Event("run", total=2),
    Event("run", "attention", "planned", expected=12.3),
    Event("run", "tokens", "planned"),
    Event("run", "attention", "started"),
    Event("run", "attention", "cell", cell="train"),
    Event("run", "tokens", "started"),
    Event("run", "attention", "finished", seconds=11.0),
    Event("run", "tokens", "finished", seconds=1.0),
    Event("render", total=2),
    Event("render", "index"),
    Event("render", "pdf"),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in place of stderr. No fixture: pytest takes stderr back before the test."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return screen


def test_a_log_has_a_line_for_each_begin_and_end_and_one_for_the_pdfs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with console.progress() as observe:
        for event in RUN:
            observe(event)
    assert capsys.readouterr().err.splitlines() == [
        "run attention",
        "run tokens",
        "run attention: 11.0 s",
        "run tokens: 1.0 s",
        "render the PDFs",
    ]


def test_a_quiet_build_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    with console.progress(quiet=True) as observe:
        for event in RUN:
            observe(event)
    assert screen.getvalue() == ""


def test_a_build_that_ends_at_once_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    with console.progress() as observe:
        for event in (Event("load"), Event("check"), Event("render", total=1)):
            observe(event)
    assert screen.getvalue() == ""


def test_a_slow_build_without_experiments_is_drawn_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = terminal(monkeypatch)
    monkeypatch.setattr(console, "_PATIENCE", 0.0)
    with console.progress() as observe:
        observe(Event("load"))
    assert "load" in screen.getvalue()


def test_the_display_shows_exactly_what_runs_and_for_how_long_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = terminal(monkeypatch)
    seen = []
    display = console._Display()
    try:
        for event in RUN:
            display.observe(event)
            tasks = display.progress.tasks if display.progress else []
            seen.append([f"{t.description.strip()} {t.fields['note']}".strip() for t in tasks])
    finally:
        display.close()
    assert seen[:3] == [[], [], []]  # nothing is slow yet
    assert seen[5:10] == [
        ["run", "attention of about 12 s"],
        ["run", "attention: train of about 12 s"],
        ["run", "attention: train of about 12 s", "tokens"],
        ["run", "tokens"],
        ["run"],
    ]
    assert seen[10:] == [["render"], ["render index"], ["render the PDFs"]]
    assert "attention" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())


def test_an_experiment_that_ends_without_having_begun_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal(monkeypatch)
    display = console._Display()
    try:
        display.observe(Event("run", "attention", "planned"))
        display.observe(Event("run", "attention", "finished", seconds=1.0))
        assert [t.completed for t in display.progress.tasks] == [0]
    finally:
        display.close()
