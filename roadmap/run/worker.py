"""The child process: runs the cells of one experiment, one by one, in one fresh namespace.

Started by `execute` as `python -c "from roadmap.run.worker import main; main()" FD JOB`: FD is one
end of a socket, JOB a JSON file. Every event is one JSON line on the socket:

    started   cell
    finished  cell, seconds, figures, results, peak, failure    answered by one byte
    network   line, message
    done      machine

Only the standard library is imported here, and little of it: what is imported before the first
cell is what every experiment waits for.
"""

from __future__ import annotations
import __future__ as future

import _thread
import json
import os
import sys
import time
import types

TYPE_CHECKING = False  # importing typing takes longer than anything else here
if TYPE_CHECKING:
    import traceback
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from typing import Any


class Channel:
    """The socket to the parent. Lines of several threads never mix."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._lock = _thread.allocate_lock()
        os.set_inheritable(descriptor, False)  # noqa: FBT003

    def send(self, event: str, **fields: object) -> None:
        """Write one event."""
        line = memoryview(json.dumps({"event": event, **fields}).encode() + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self.descriptor, line) :]

    def wait(self) -> None:
        """Wait until the parent has read all that was printed. Ends the process if it is gone."""
        if not os.read(self.descriptor, 1):
            os._exit(1)


def main() -> None:
    """Run the job; never returns."""
    from roadmap.run import sandbox

    channel = Channel(int(sys.argv[1]))
    with open(sys.argv[2], encoding="utf-8") as file:  # noqa: PTH123 (pathlib costs start-up time)
        job = json.load(file)
    sandbox.enter(job, channel)
    prepare(job)
    run_cells(job, channel, sandbox.flush)
    os._exit(0)  # exit handlers have run; tearing the interpreter down would only take time


def prepare(job: dict[str, Any]) -> None:
    """Make this process look like `python experiment.py` with fixed seeds and threads."""
    path, seed, threads = job["path"], job["seed"], job["threads"]
    sys.argv[:] = [path]
    sys.path.insert(0, os.path.dirname(path))  # noqa: PTH120
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]

    def matplotlib() -> None:
        from roadmap.run.figures import style

        sys.modules["matplotlib"].rcdefaults()
        sys.modules["matplotlib"].rcParams.update(style())

    def torch() -> None:
        sys.modules["torch"].manual_seed(seed)
        sys.modules["torch"].set_num_threads(threads)

    after_import(
        {
            "random": lambda: sys.modules["random"].seed(seed),
            "numpy.random": lambda: sys.modules["numpy.random"].seed(seed % 2**32),
            "torch": torch,
            "matplotlib": matplotlib,
        }
    )


def after_import(actions: dict[str, Callable[[], None]]) -> None:
    """Call each action as soon as its module has been imported; at once if it has been."""
    for name in [name for name in actions if name in sys.modules]:
        actions.pop(name)()
    sys.meta_path.insert(0, _AfterImport(actions))


class _AfterImport:
    """A finder that finds nothing itself, but wraps what the other finders find."""

    def __init__(self, actions: dict[str, Callable[[], None]]) -> None:
        self.actions = actions

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in self.actions:
            return None
        finders = (f for f in sys.meta_path if f is not self)
        spec = next((s for f in finders if (s := f.find_spec(name, path, target))), None)
        if spec is None or spec.loader is None:
            return None
        action, execute = self.actions.pop(name), spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            execute(module)
            action()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def run_cells(job: dict[str, Any], channel: Channel, flush: Callable[[], None]) -> None:
    """Run every cell and tell the parent what it did; stop at the first that fails."""
    path, cells, process = job["path"], job["cells"], os.getpid()
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    reports = Reports(job["report"])
    flags, futures = 0, future_flags()
    for number, cell in enumerate(cells):
        last = number == len(cells) - 1
        channel.send("started", cell=cell["name"])
        begin, failure = time.perf_counter(), None
        try:
            # The empty lines above give every line its number in the file.
            source = "\n" * cell["line"] + cell["source"]
            code = compile(source, path, "exec", flags, dont_inherit=True)
            flags |= code.co_flags & futures
            exec(code, module.__dict__)
        except BaseException as error:  # noqa: BLE001 (whatever a cell raises is a finding)
            failure = describe(error, path, last=last)
        seconds = time.perf_counter() - begin
        if os.getpid() != process:  # a child that the cell forked has come out of it
            flush()
            os._exit(0 if failure is None else 1)
        figures: list[str] = []
        if failure is None:
            figures, failure = collect(path)
        if last and failure is None:
            leave()
        flush()
        channel.send(
            "finished",
            cell=cell["name"],
            seconds=seconds,
            figures=figures,
            results=reports.new(),
            peak=peak_bytes(),
            failure=failure,
        )
        channel.wait()
        if failure is not None:
            return
    channel.send("done", machine=machine())


def future_flags() -> int:
    """The compiler flags of every `from __future__ import`: they hold for the cells below too."""
    flags = 0
    for name in future.all_feature_names:
        flags |= getattr(future, name).compiler_flag
    return flags


def describe(error: BaseException, path: str, *, last: bool) -> dict[str, Any] | None:
    """What the parent must know of an exception; None if it is a script's normal way to end."""
    import traceback

    status, message = "failed", "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, SystemExit):
        if last and error.code in (None, 0):
            return None
        status, message = "crashed", f"called sys.exit({error.code!r})"
    elif isinstance(error, MemoryError):
        status, message = "memory", "asked for more memory than there is (MemoryError)"
    elif isinstance(error, SyntaxError):
        message = f"SyntaxError: {error.msg}"
    shown = traceback.TracebackException.from_exception(error)
    leave_us_out(shown)
    line = next((f.lineno for f in reversed(shown.stack) if f.filename == path), 0)
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
    return {
        "status": status,
        "line": line or 0,
        "message": message,
        "traceback": "".join(shown.format()),
    }


def leave_us_out(shown: traceback.TracebackException) -> None:
    """Take the frames of this package out of a traceback and of those it grew from."""
    ours = os.path.dirname(__file__)  # noqa: PTH120
    for frame in [f for f in shown.stack if os.path.dirname(f.filename) == ours]:  # noqa: PTH120
        shown.stack.remove(frame)
    for other in (shown.__cause__, shown.__context__, *(shown.exceptions or ())):
        if other is not None:
            leave_us_out(other)


def collect(path: str) -> tuple[list[str], dict[str, Any] | None]:
    """The open figures as SVG, and what went wrong when one was drawn."""
    if "matplotlib.pyplot" not in sys.modules:
        return [], None
    from roadmap.run.figures import open_figures

    try:
        return open_figures(), None
    except Exception as error:  # noqa: BLE001 (such as a formula that matplotlib cannot set)
        return [], describe(error, path, last=False)


def leave() -> None:
    """What Python does when a script ends: wait for its threads, run its exit handlers."""
    import atexit

    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()


class Reports:
    """Reads what `llm_reference.report` has appended to its file since the last look."""

    def __init__(self, path: str) -> None:
        self.path, self.offset = path, 0

    def new(self) -> list[tuple[str, float]]:
        """Names and values of the results reported since, in order."""
        if not os.path.exists(self.path):  # noqa: PTH110
            return []
        with open(self.path, "rb") as file:  # noqa: PTH123
            file.seek(self.offset)
            text = file.read()
        self.offset += len(text)
        found = []
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                found.append((str(entry["name"]), float(entry["value"])))
            except (ValueError, KeyError, TypeError):  # not written by `report`
                continue
        return found


def peak_bytes() -> int:
    """The most memory that this process has held, in bytes."""
    try:
        with open("/proc/self/status", "rb") as status:  # noqa: PTH123
            for line in status:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def machine() -> str:
    """`cuda` if the experiment computed on such a device, else `cpu`."""
    torch = sys.modules.get("torch")
    return "cuda" if torch is not None and torch.cuda.is_initialized() else "cpu"
