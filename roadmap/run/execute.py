"""Supervises one child: what it prints, how long it takes, how much it holds, how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from roadmap.model import CellOutput, Experiment, Failure, Outcome, OutcomeStatus
from roadmap.run import watch
from roadmap.run.events import Event, OnEvent, ignore
from roadmap.run.imports import import_roots

TEXT_LIMIT = 256 * 1024
FIGURE_LIMIT = 16 * 2**20
POLL_SECONDS = 0.05
# How long a cell that tried the network may go on before it is ended.
GRACE_SECONDS = 5.0

_START = "from roadmap.run.worker import main; main()"


def execute(
    experiment: Experiment,
    root: Path,
    on_event: OnEvent = ignore,
    *,
    components: dict[str, str] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Run an experiment in a child process and record what it did.

    `root` is the project's folder, from which local modules are imported. `components` is the
    cache key to put into the record. Nothing that the experiment does raises: it is in the
    outcome's status and failure. Setting `stop` ends the run at once with KeyboardInterrupt.
    """
    on_event(Event("started", experiment.node))
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix="roadmap-"))
        with _Run(experiment, root, folder, on_event, stop or threading.Event()) as run:
            run.supervise()
            outcome = run.outcome(components or {})
    except OSError as error:  # a full disk, or no process left to start
        outcome = _never_ran(experiment, components or {}, error)
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    on_event(Event("finished", experiment.node, seconds=outcome.seconds, status=outcome.status))
    return outcome


def environment(experiment: Experiment, root: Path, folder: Path) -> dict[str, str]:
    """The child's environment: ours, without what would make two runs differ."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MPL", "MATPLOTLIB"))
    }
    for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "NUMBA", "VECLIB_MAXIMUM"):
        kept[f"{name}_NUM_THREADS".replace("MAXIMUM_NUM", "MAXIMUM")] = str(
            experiment.options.threads
        )
    path = [str(p) for p in import_roots(experiment.path, root)[1:]]
    if "PYTHONPATH" in os.environ:
        path.append(os.environ["PYTHONPATH"])
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    return kept | {
        "COLUMNS": "96",
        "GLOO_SOCKET_IFNAME": loopback,
        "LLM_REPORT": str(folder / "report.jsonl"),
        "MPLBACKEND": "agg",
        "NO_COLOR": "1",
        "PYTHONHASHSEED": str(experiment.options.seed % 2**32),
        "PYTHONPATH": os.pathsep.join(path),
        "TERM": "dumb",
        "TMPDIR": str(folder / "tmp"),
        "TP_SOCKET_IFNAME": loopback,
    }


@dataclass(slots=True)
class _Cell:
    """A cell that is running or has run."""

    name: str
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    figures: tuple[str, ...] = ()
    results: tuple[tuple[str, float], ...] = ()
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    finished: bool = False


class _Run:
    """One child process and what is known of it so far."""

    def __init__(
        self,
        experiment: Experiment,
        root: Path,
        folder: Path,
        on_event: OnEvent,
        stop: threading.Event,
    ) -> None:
        self.experiment, self.root, self.folder = experiment, root, folder
        self.on_event, self.stop = on_event, stop
        self.cells: list[_Cell] = []
        self.fault: tuple[OutcomeStatus, Failure] | None = None
        self.network: Failure | None = None
        self.machine = ""
        self.peak = 0
        self.text_bytes = self.figure_bytes = 0
        self.listener: watch.Listener | None = None
        self.pending = b""
        self.began = time.monotonic()
        self.deadline = self.began + experiment.options.timeout

    def __enter__(self) -> _Run:
        (self.folder / "work").mkdir()
        (self.folder / "tmp").mkdir()
        options = self.experiment.options
        job = {
            "path": str(self.experiment.path),
            "cells": [
                {"name": c.name, "line": c.line, "source": c.source}
                for c in self.experiment.cells
                if c.kind == "code"
            ],
            "seed": options.seed,
            "threads": options.threads,
            "memory": options.memory,
            "parent": os.getpid(),
            "report": str(self.folder / "report.jsonl"),
            "stack": str(self.folder / "stack.txt"),
        }
        (self.folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        self.channel, theirs = socket.socketpair()
        arguments = (str(theirs.fileno()), str(self.folder / "job.json"))
        self.process = subprocess.Popen(
            # -P: the working folder is not on the import path; utf8: whatever the locale is.
            [sys.executable, "-P", "-X", "utf8", "-c", _START, *arguments],
            cwd=self.folder / "work",
            env=environment(self.experiment, self.root, self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdout, self.stderr = self.process.stdout, self.process.stderr
        self.selector = selectors.DefaultSelector()
        for stream in (self.channel, self.stdout, self.stderr):
            os.set_blocking(stream.fileno(), False)
            self.selector.register(stream, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self.selector.close()
        self.channel.close()
        self.stdout.close()
        self.stderr.close()
        if self.listener is not None:
            self.listener.close()

    def supervise(self) -> None:
        """Follow the child until it has ended."""
        next_look = 0.0
        while not self._has_ended():
            for key, _ in self.selector.select(POLL_SECONDS):
                self._read(key.fileobj)
            now = time.monotonic()
            if self.stop.is_set():
                raise KeyboardInterrupt
            if now >= self.deadline:
                self._end_late()
            elif now >= next_look:
                self._look_at_memory()
                next_look = now + POLL_SECONDS
            if self.fault is not None or (self.network is not None and self.cells[-1].finished):
                break
        self._kill()
        self._read_messages()
        self._drain()

    def outcome(self, components: dict[str, str]) -> Outcome:
        """The record of the run, after it has ended."""
        if not self.machine and self.fault is None:
            self.fault = ("crashed", self._failure(self._how_it_died(), self._stack_line()))
        status: OutcomeStatus = "ok"
        failure = None
        if self.fault is not None:
            status, failure = self.fault
        if self.network is not None:
            place = failure if failure is not None and failure.line else self.network
            trace = failure.traceback if failure is not None else ""
            line = self.network.line or place.line
            failure = Failure(self.network.cell, line, self.network.message, trace)
            status = "network"
        return Outcome(
            node=self.experiment.node,
            status=status,
            components=components,
            machine=self.machine or "cpu",
            cells=tuple(self._output(cell) for cell in self.cells),
            seconds=time.monotonic() - self.began,
            peak_bytes=self.peak,
            ran_on=today(),
            failure=failure,
        )

    # Reading

    def _read(self, source: Any) -> None:
        if source is self.channel:
            self._read_messages()
        elif source is self.listener:
            target = self.listener.answer()
            if target is not None:
                self._refused(target, 0)
        else:
            self._read_text(source)

    def _read_messages(self) -> None:
        """All that has come over the channel; the file descriptor in it is the call listener."""
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.channel, 1 << 20, 1)
            except BlockingIOError:
                return
            except OSError:
                data, descriptors = b"", []
            for descriptor in descriptors:
                self.listener = watch.Listener(descriptor)
                self.selector.register(self.listener, selectors.EVENT_READ)
            if not data:
                with contextlib.suppress(KeyError):
                    self.selector.unregister(self.channel)
                return
            *lines, self.pending = (self.pending + data).split(b"\n")
            for line in lines:
                self._on_message(json.loads(line))
            if len(self.pending) > 2 * FIGURE_LIMIT:
                self._too_much("drew more than a page can hold")
                return

    def _on_message(self, message: dict[str, Any]) -> None:
        kind = message["event"]
        if kind == "started":
            self.cells.append(_Cell(message["cell"]))
            self.on_event(Event("cell", self.experiment.node, message["cell"]))
        elif kind == "finished":
            self._finished(self.cells[-1], message)
        elif kind == "network":
            self._refused(message["message"], message["line"])
        elif kind == "done":
            self.machine = message["machine"]

    def _finished(self, cell: _Cell, message: dict[str, Any]) -> None:
        self._drain()
        cell.finished, cell.seconds = True, message["seconds"]
        cell.figures = tuple(message["figures"])
        cell.results = tuple((name, value) for name, value in message["results"])
        self.peak = max(self.peak, message["peak"])
        self.figure_bytes += sum(map(len, cell.figures))
        if self.figure_bytes > FIGURE_LIMIT:
            self._too_much("drew more than a page can hold")
        failure = message["failure"]
        if failure is not None and self.fault is None:
            status = failure.pop("status")
            self.fault = (status, Failure(cell.name, **failure))
        if self.network is None and self.fault is None:
            with contextlib.suppress(OSError):
                self.channel.send(b"\n")

    def _read_text(self, source: Any) -> bool:
        """Read once from stdout or stderr; False when there is no more for now."""
        try:
            data = os.read(source.fileno(), 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            with contextlib.suppress(KeyError):
                self.selector.unregister(source)
            return False
        if not self.cells:  # before the first cell: only a worker that cannot start speaks
            self.cells.append(_Cell(""))
        room = TEXT_LIMIT - self.text_bytes
        text = self.cells[-1].stdout if source is self.stdout else self.cells[-1].stderr
        text += data[:room]
        self.text_bytes += min(room, len(data))
        if len(data) > room:
            self._too_much(f"printed more than {TEXT_LIMIT // 1024} KiB")
        return self.fault is None or self.fault[0] != "output"

    def _drain(self) -> None:
        for source in (self.stdout, self.stderr):
            while self._read_text(source):
                pass

    # Judging

    def _refused(self, target: str, line: int) -> None:
        if self.network is None:
            where = line or self._ask_line()
            self.network = self._failure(f"tried to reach {target}", where)
            self.deadline = min(self.deadline, time.monotonic() + GRACE_SECONDS)

    def _too_much(self, message: str) -> None:
        if self.fault is None:
            self.fault = ("output", self._failure(message, self._ask_line()))

    def _end_late(self) -> None:
        limit = self.experiment.options.timeout
        message = f"ran past its limit of {limit:g} s"
        self.fault = self.fault or ("timeout", self._failure(message, self._ask_line()))

    def _look_at_memory(self) -> None:
        held = watch.memory(self.process.pid)
        self.peak = max(self.peak, held.resident)
        limit = self.experiment.options.memory
        if held.private > limit and self.fault is None:
            message = f"held {_size(held.private)}; its limit is {_size(limit)}"
            self.fault = ("memory", self._failure(message, self._ask_line()))

    def _failure(self, message: str, line: int) -> Failure:
        return Failure(self.cells[-1].name if self.cells else "", line, message)

    def _ask_line(self) -> int:
        """The line that the child is executing, if it answers soon."""
        size = self._stack_size()
        watch.ask_for_stack(self.process.pid)
        for _ in range(20):
            time.sleep(0.005)
            if size != (size := self._stack_size()):
                break
        time.sleep(0.005)
        return self._stack_line()

    def _stack_size(self) -> int:
        path = self.folder / "stack.txt"
        return path.stat().st_size if path.exists() else 0

    def _stack_line(self) -> int:
        """The innermost line of the experiment in the last stack that faulthandler wrote."""
        path = self.folder / "stack.txt"
        text = path.read_text("ascii", "replace") if path.exists() else ""
        stack = text[text.rfind("most recent call first") :]
        # faulthandler escapes what is not ASCII, and cuts names after 500 characters.
        name = str(self.experiment.path).encode("ascii", "backslashreplace").decode()[:400]
        match = re.search(rf'File "{re.escape(name)}[^\n]*", line (\d+)', stack)
        return int(match[1]) if match else 0

    def _how_it_died(self) -> str:
        code = self.process.returncode
        if code is not None and code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = f"signal {-code}"
            hint = " (the system may have run out of memory)" if code == -signal.SIGKILL else ""
            return f"its process was killed by {name}{hint}"
        return f"its process ended with exit code {code} before the last cell had"

    # Ending

    def _has_ended(self) -> bool:
        """Whether the child is a zombie: its process group can still be killed by its number."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, flags) is not None

    def _kill(self) -> None:
        if self.process.returncode is None:
            watch.kill(self.process.pid)
            self.process.wait()

    def _output(self, cell: _Cell) -> CellOutput:
        results = cell.results if cell.finished else self._last_results()
        return CellOutput(
            name=cell.name,
            stdout=self._text(cell.stdout),
            stderr=self._text(cell.stderr),
            figures=cell.figures,
            results=results,
            seconds=cell.seconds if cell.finished else time.monotonic() - cell.began,
        )

    def _last_results(self) -> tuple[tuple[str, float], ...]:
        """What a cell that never finished had reported."""
        path = self.folder / "report.jsonl"
        lines = path.read_bytes().splitlines() if path.exists() else []
        seen = sum(len(cell.results) for cell in self.cells)
        found = []
        for line in lines[seen:]:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                found.append((str(entry["name"]), float(entry["value"])))
        return tuple(found)

    def _text(self, raw: bytearray) -> str:
        """Text without the names of folders that only exist on this machine or in this run."""
        text = raw.decode("utf-8", "replace")
        for folder, name in ((self.folder / "work", ""), (self.folder, ""), (self.root, "")):
            for spelling in {str(folder), os.path.realpath(folder)}:
                text = text.replace(spelling + os.sep, name)
        return text


def _never_ran(experiment: Experiment, components: dict[str, str], error: OSError) -> Outcome:
    failure = Failure("", 0, f"could not be run: {error.strerror or error}")
    return Outcome(experiment.node, "crashed", components, "cpu", (), 0.0, 0, today(), failure)


def today() -> date:
    """The date to put on a record; SOURCE_DATE_EPOCH decides where it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    return now.date()


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
