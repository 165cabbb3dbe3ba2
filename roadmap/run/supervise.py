"""Follows one child process: its words, its time, its memory, its addresses, its end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from roadmap.model import Experiment, Failure, OutcomeStatus
from roadmap.run import watch
from roadmap.run.transcript import FIGURE_LIMIT, Transcript

POLL_SECONDS = 0.05
# How long a cell that tried the network may go on, to say in its own words what failed.
GRACE_SECONDS = 5.0

START = "from roadmap.run.worker import main; main()"


class Supervisor:
    """A context in which a child runs `experiment`; at its end the child's whole session is dead.

    `folder` is an empty folder for the run. `on_cell` is told the name of each cell that starts.
    """

    def __init__(
        self,
        experiment: Experiment,
        folder: Path,
        environment: dict[str, str],
        on_cell: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self.experiment, self.folder = experiment, folder
        self.environment, self.on_cell, self.stop = environment, on_cell, stop
        self.transcript = Transcript(folder / "report.jsonl")
        self.machine = ""
        self.peak = 0
        self.seconds = 0.0
        self._fault: tuple[OutcomeStatus, Failure] | None = None
        self._network: Failure | None = None
        self._listener: watch.Listener | None = None
        self._pending = b""
        self._connected = True
        self._began = time.monotonic()
        self._deadline = self._began + experiment.options.timeout

    def __enter__(self) -> Supervisor:
        for name in ("work", "tmp"):
            (self.folder / name).mkdir()
        job = self.folder / "job.json"
        job.write_text(json.dumps(self._job()), encoding="utf-8")
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as undo, theirs:
            self._channel = undo.enter_context(ours)
            # -P: the working folder is not on the import path. utf8: whatever the locale is.
            python = [sys.executable, "-P", "-X", "utf8", "-c", START]
            self._process = subprocess.Popen(
                [*python, str(theirs.fileno()), str(job)],
                cwd=self.folder / "work",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            undo.pop_all()  # it runs: __exit__ closes our end
        self._selector = selectors.DefaultSelector()
        for stream in (self._channel, self._process.stdout, self._process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._selector.close()
        for stream in (self._channel, self._process.stdout, self._process.stderr, self._listener):
            if stream is not None:
                stream.close()

    def follow(self) -> None:
        """Take in what the child does until it has ended, or must be ended.

        Raises KeyboardInterrupt as soon as `stop` is set.
        """
        look = 0.0
        while not self._has_ended() and not self._must_end():
            # Once the child has let go of its channel it is about to end: waste no time then.
            for key, _ in self._selector.select(POLL_SECONDS if self._connected else 0.001):
                self._read(key.fileobj)
            if self.stop.is_set():
                raise KeyboardInterrupt
            now = time.monotonic()
            if now >= self._deadline:
                limit = self.experiment.options.timeout
                self._blame("timeout", f"ran past its limit of {limit:g} s")
            elif now >= look:
                self._look_at_memory()
                look = now + POLL_SECONDS
        self._kill()
        self._read_messages()
        self._drain()
        self.seconds = time.monotonic() - self._began

    def verdict(self) -> tuple[OutcomeStatus, Failure | None]:
        """How the run ended, once it has."""
        if not self.machine and self._fault is None:
            self._fault = "crashed", self._failure(self._how_it_died(), self._stack_line())
        status, failure = self._fault or ("ok", None)
        if self._network is not None:
            tried = self._network
            trace, line = (failure.traceback, failure.line) if failure else ("", 0)
            return "network", Failure(tried.cell, tried.line or line, tried.message, trace)
        return status, failure

    def _job(self) -> dict[str, Any]:
        options = self.experiment.options
        return {
            "path": str(self.experiment.path),
            "cells": [
                {"name": cell.name, "line": cell.line, "source": cell.source}
                for cell in self.experiment.cells
                if cell.kind == "code"
            ],
            "seed": options.seed,
            "threads": options.threads,
            "memory": options.memory,
            "parent": os.getpid(),
            "report": str(self.transcript.report),
            "stack": str(self.folder / "stack.txt"),
        }

    # Reading

    def _read(self, source: Any) -> None:
        if source is self._channel:
            self._read_messages()
        elif isinstance(source, watch.Listener):
            self._judge_call(source)
        else:
            self._read_text(source)

    def _read_messages(self) -> None:
        """All that has come over the channel; with it comes the listener for system calls."""
        while self._connected:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._channel, 1 << 20, 1)
            except BlockingIOError:
                return
            except ConnectionError:
                data, descriptors = b"", []
            for descriptor in descriptors:
                self._listener = watch.Listener(descriptor)
                self._selector.register(self._listener, selectors.EVENT_READ)
            if not data:
                self._connected = False
                self._selector.unregister(self._channel)
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                self._on_message(json.loads(line))
            if len(self._pending) > 2 * FIGURE_LIMIT:
                self._blame("output", "drew more than a page can hold")
                return

    def _on_message(self, message: dict[str, Any]) -> None:
        kind = message["event"]
        if kind == "started":
            self.transcript.start(message["cell"])
            self.on_cell(message["cell"])
        elif kind == "finished":
            self._drain()
            self.transcript.finish(message)
            self.peak = max(self.peak, message["peak"])
            failure = message["failure"]
            if failure is not None:
                status = failure.pop("status")
                self._fault = self._fault or (status, Failure(self.transcript.cell, **failure))
            self._complain_of_excess()
            if not self._must_end():
                with contextlib.suppress(ConnectionError):
                    self._channel.send(b"\n")
        elif kind == "network":
            self._refused(message["message"], message["line"])
        elif kind == "done":
            self.machine = message["machine"]

    def _read_text(self, source: Any) -> bool:
        """Read once from stdout or stderr; False when there is no more for now."""
        try:
            data = os.read(source.fileno(), 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            with contextlib.suppress(KeyError):
                self._selector.unregister(source)
            return False
        name: Literal["stdout", "stderr"]
        name = "stdout" if source is self._process.stdout else "stderr"
        self.transcript.write(name, data)
        self._complain_of_excess()
        return not self.transcript.excess

    def _drain(self) -> None:
        for source in (self._process.stdout, self._process.stderr):
            while self._read_text(source):
                pass

    # Judging

    def _must_end(self) -> bool:
        refused = self._network is not None and self.transcript.between_cells
        return refused or self._fault is not None

    def _blame(self, status: OutcomeStatus, message: str) -> None:
        if self._fault is None:
            self._fault = status, self._failure(message, self._ask_line())

    def _failure(self, message: str, line: int) -> Failure:
        return Failure(self.transcript.cell, line, message)

    def _complain_of_excess(self) -> None:
        if self.transcript.excess:
            self._blame("output", self.transcript.excess)

    def _look_at_memory(self) -> None:
        held, limit = watch.memory(self._process.pid), self.experiment.options.memory
        self.peak = max(self.peak, held.resident)
        if held.private > limit:
            self._blame("memory", f"held {_size(held.private)}; its limit is {_size(limit)}")

    def _judge_call(self, listener: watch.Listener) -> None:
        call = listener.receive()
        if call is None:
            return
        if call.target is not None:
            self._refused(call.target, 0)  # before the answer: the caller still stands there
        listener.reply(call)

    def _refused(self, target: str, line: int) -> None:
        if self._network is None:
            self._network = self._failure(f"tried to reach {target}", line or self._ask_line())
            self._deadline = min(self._deadline, time.monotonic() + GRACE_SECONDS)

    def _ask_line(self) -> int:
        """The line that the child is executing, if it answers soon."""
        if self._process.returncode is not None:
            return 0  # its number may be another's by now
        path = self.folder / "stack.txt"
        before = _length(path)
        watch.ask_for_stack(self._process.pid)
        for _ in range(20):
            time.sleep(0.005)
            if _length(path) != before:
                break
        return self._stack_line()

    def _stack_line(self) -> int:
        """The innermost line of the experiment in the last stack that faulthandler wrote."""
        path = self.folder / "stack.txt"
        text = path.read_text("ascii", "replace") if path.exists() else ""
        stack = text[text.rfind("most recent call first") :]
        # faulthandler escapes what is not ASCII, and cuts names after 500 characters.
        name = str(self.experiment.path).encode("ascii", "backslashreplace").decode()[:400]
        match = re.search(rf'File "{re.escape(name)}[^\n]*", line (\d+)', stack)
        return int(match[1]) if match else 0

    # Ending

    def _has_ended(self) -> bool:
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._process.poll() is not None
        # Left a zombie, so that its number still names its process group and no other.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is not None

    def _kill(self) -> None:
        if self._process.returncode is None:
            watch.kill(self._process.pid)
            self._process.wait()

    def _how_it_died(self) -> str:
        code = self._process.returncode
        if code >= 0:
            return f"ended its process with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:  # a real-time signal
            name = f"signal {-code}"
        hint = " (the system may have run out of memory)" if code == -signal.SIGKILL else ""
        return f"ended its process: killed by {name}{hint}"


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
