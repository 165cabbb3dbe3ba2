"""The worker's parts, in this process; whole runs are in test_run_execute."""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roadmap.model import INK
from roadmap.run import sandbox, watch, worker
from roadmap.run.figures import PALETTE, open_figures, style


@pytest.fixture
def ends() -> Iterator[tuple[worker.Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield worker.Channel(theirs.fileno()), ours


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what the worker does to its interpreter."""
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(worker, "leave", lambda: None)


def events(sock: socket.socket) -> list[dict[str, Any]]:
    sock.settimeout(0)
    data = b""
    try:
        while chunk := sock.recv(1 << 16):
            data += chunk
    except BlockingIOError:
        pass
    return [json.loads(line) for line in data.splitlines()]


def job(tmp_path: Path, *sources: str) -> dict[str, Any]:
    cells, line = [], 1
    for number, source in enumerate(sources):
        cells.append({"name": f"cell-{number}", "line": line, "source": source})
        line += source.count("\n") + 2
    path = tmp_path / "experiment.py"
    path.write_text("\n".join(f"# %% x\n{source}" for source in sources))
    return {
        "path": str(path),
        "cells": cells,
        "seed": 7,
        "threads": 1,
        "report": str(tmp_path / "report.jsonl"),
    }


def test_cells_share_one_namespace_and_send_their_story(
    tmp_path: Path, ends: Any, interpreter: None
) -> None:
    channel, ours = ends
    report = f"open({str(tmp_path / 'report.jsonl')!r}, 'a').write"
    ours.sendall(b"\n\n")
    worker.run_cells(
        job(
            tmp_path,
            "from __future__ import annotations\nx = 2",
            f'def f(a: Nothing): ...\n{report}(\'{{"name": "y", "value": \' + str(x) + \'}}\\n\')',
        ),
        channel,
        lambda: None,
    )
    told = events(ours)
    assert [(e["event"], e.get("cell")) for e in told] == [
        ("started", "cell-0"),
        ("finished", "cell-0"),
        ("started", "cell-1"),
        ("finished", "cell-1"),
        ("done", None),
    ]
    assert told[3]["results"] == [["y", 2.0]]
    assert told[3]["failure"] is None
    assert told[3]["peak"] > 2**20
    assert told[4]["machine"] == "cpu"


def test_the_first_failing_cell_is_the_last(tmp_path: Path, ends: Any, interpreter: None) -> None:
    channel, ours = ends
    ours.sendall(b"\n")
    worker.run_cells(job(tmp_path, "\nraise KeyError('k')", "x = 1"), channel, lambda: None)
    told = events(ours)
    assert [e["event"] for e in told] == ["started", "finished"]
    failure = told[1]["failure"]
    assert (failure["status"], failure["line"], failure["message"]) == (
        "failed",
        3,
        "KeyError: 'k'",
    )
    assert "worker.py" not in failure["traceback"]


@pytest.mark.parametrize(
    ("error", "last", "status"),
    [
        (SystemExit(), True, None),
        (SystemExit(0), True, None),
        (SystemExit(0), False, "crashed"),
        (SystemExit("words"), True, "crashed"),
        (MemoryError(), True, "memory"),
        (KeyboardInterrupt(), True, "failed"),
        (SyntaxError("bad", ("experiment.py", 4, 1, "x")), True, "failed"),
        (ExceptionGroup("several", [ValueError("one")]), True, "failed"),
    ],
)
def test_describe_sorts_exceptions(error: BaseException, last: bool, status: str | None) -> None:
    found = worker.describe(error, "experiment.py", last=last)
    assert (found and found["status"]) == status
    if isinstance(error, SyntaxError):
        assert found is not None
        assert found["line"] == 4


def test_frames_of_ours_are_left_out_of_causes_too(ends: Any) -> None:
    hook = sandbox.network_hook("experiment.py", ends[0])
    try:
        try:
            hook("socket.connect", (None, ("192.0.2.1", 80)))
        except PermissionError as refusal:
            raise RuntimeError("wrapped") from refusal
    except RuntimeError as error:
        found = worker.describe(error, __file__, last=False)
    assert found is not None
    assert "sandbox.py" not in found["traceback"]
    assert "PermissionError" in found["traceback"]
    assert found["traceback"].count("test_run_worker.py") == 2
    assert found["line"] > 0


def test_future_imports_are_the_compilers_own_flags() -> None:
    import __future__

    code = compile("from __future__ import annotations", "x", "exec", 0, dont_inherit=True)
    assert code.co_flags & worker.future_flags() == __future__.annotations.compiler_flag


def test_an_action_follows_the_import_of_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: None
) -> None:
    (tmp_path / "later_module.py").write_text("state = 'ready'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seen = []
    worker.after_import(
        {
            "later_module": lambda: seen.append(sys.modules["later_module"].state),
            "never_installed": lambda: seen.append("never"),
            "json": lambda: seen.append("at once"),
        }
    )
    assert seen == ["at once"]
    import later_module  # type: ignore[import-not-found]

    assert seen == ["at once", "ready"]
    assert later_module.__spec__.loader is not None
    with pytest.raises(ModuleNotFoundError):
        __import__("never_installed")
    assert seen == ["at once", "ready"]
    sys.modules.pop("later_module")


def test_prepare_looks_like_a_script_and_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: None
) -> None:
    import random

    import numpy as np

    monkeypatch.setattr(worker, "after_import", lambda actions: actions_seen.update(actions))
    actions_seen: dict[str, Any] = {}
    streams = types.SimpleNamespace(reconfigure=lambda **_: None)
    monkeypatch.setattr(sys, "stdout", streams)
    monkeypatch.setattr(sys, "stderr", streams)
    state = random.getstate(), np.random.get_state()
    try:
        worker.prepare(job(tmp_path, "x = 1") | {"seed": 2**32 + 7})
        actions_seen["random"]()
        actions_seen["numpy.random"]()
        assert random.random() == random.Random(2**32 + 7).random()
        assert np.random.rand() == np.random.RandomState(7).rand()
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
    assert sys.argv == [str(tmp_path / "experiment.py")]
    assert sys.path[0] == str(tmp_path)


def test_torch_and_matplotlib_are_set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: dict[str, Any] = {}
    torch = types.SimpleNamespace(
        manual_seed=lambda n: done.update(seed=n), set_num_threads=lambda n: done.update(threads=n)
    )
    matplotlib = types.SimpleNamespace(rcdefaults=lambda: done.update(defaults=1), rcParams={})
    actions: dict[str, Any] = {}
    monkeypatch.setattr(worker, "after_import", actions.update)
    monkeypatch.setattr(sys, "argv", [""])
    monkeypatch.setattr(sys, "path", [])
    streams = types.SimpleNamespace(reconfigure=lambda **_: None)
    monkeypatch.setattr(sys, "stdout", streams)
    monkeypatch.setattr(sys, "stderr", streams)
    worker.prepare(job(tmp_path, "x = 1"))
    monkeypatch.setitem(sys.modules, "torch", torch)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "matplotlib", matplotlib)  # type: ignore[arg-type]
    actions["torch"]()
    actions["matplotlib"]()
    assert done == {"seed": 7, "threads": 1, "defaults": 1}
    assert matplotlib.rcParams == style()


def test_machine_is_cuda_only_when_the_experiment_used_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for used, name in ((True, "cuda"), (False, "cpu")):
        cuda = types.SimpleNamespace(is_initialized=lambda used=used: used)
        monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))  # type: ignore[arg-type]
        assert worker.machine() == name
    monkeypatch.delitem(sys.modules, "torch")
    assert worker.machine() == "cpu"


def test_reports_are_read_once_each(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    reports = worker.Reports(str(path))
    assert reports.new() == []
    path.write_text('{"name": "a", "value": 1}\n')
    assert reports.new() == [("a", 1.0)]
    assert reports.new() == []
    with path.open("a") as file:
        file.write('{"name": "b", "value": NaN}\nnot json\n[1]\n{"name": "c"}\n')
    ((name, value),) = reports.new()
    assert name == "b"
    assert value != value


def test_peak_without_proc_is_the_systems_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    measured = worker.peak_bytes()

    def no_proc(*_: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", no_proc)
    other = worker.peak_bytes()
    assert other == resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 0.3 < other / measured < 3


def test_a_worker_whose_parent_is_gone_ends() -> None:
    code = (
        "import os\n"
        "from roadmap.run.worker import Channel\n"
        "r, w = os.pipe()\n"
        "os.close(w)\n"
        "Channel(r).wait()\n"
        "print('still here')\n"
    )
    root = str(Path(worker.__file__).parents[2])
    env = os.environ | {"PYTHONPATH": root}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"")


# Figures


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", PALETTE)
@pytest.mark.parametrize("paper", ["#ffffff", "#111111"])
def test_series_stand_out_from_white_and_from_black(colour: str, paper: str) -> None:
    assert contrast(colour, paper) >= 3


def test_the_palette_has_no_two_alike_and_no_ink() -> None:
    assert len({*PALETTE, INK}) == len(PALETTE) + 1


@pytest.fixture
def pyplot() -> Iterator[Any]:
    import matplotlib as mpl
    from matplotlib import pyplot

    with mpl.rc_context():
        pyplot.switch_backend("agg")
        mpl.rcdefaults()
        mpl.rcParams.update(style())
        yield pyplot
        pyplot.close("all")


def test_figures_are_ink_and_palette_on_nothing_with_text_as_paths(pyplot: Any) -> None:
    import re

    for kind in range(2):
        axes = pyplot.figure().subplots()
        axes.set_title("A title")
        axes.set_xlabel("steps")
        if kind:
            axes.boxplot([[1, 2, 3], [2, 3, 9]])
            axes.text(1, 1, "note")
        else:
            axes.plot([1, 2, 3], label="first")
            axes.bar([1, 2], [1, 2], label="second")
            axes.legend(title="legend")
    for svg in open_figures():
        colours = {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", svg)}
        # matplotlib draws the median of a boxplot in the second colour of the cycle.
        assert colours <= {INK, *PALETTE}, colours
        assert INK in colours
        assert "<text" not in svg
        assert "<dc:date>" not in svg
        assert "fill: #ffffff" not in svg
    assert pyplot.get_fignums() == []


def test_a_grid_is_drawn_behind_lines_but_not_over_an_image(pyplot: Any) -> None:
    import numpy as np

    pyplot.plot([1, 2])
    pyplot.figure()
    pyplot.imshow(np.eye(3))
    lines, image = open_figures()
    assert "stroke-opacity: 0.15" in lines
    assert "stroke-opacity: 0.15" not in image


def test_the_same_figure_is_the_same_bytes(pyplot: Any) -> None:
    def draw() -> str:
        pyplot.plot([1, 2, 3], marker="o")
        pyplot.fill_between([0, 1], [0, 1], alpha=0.3)
        (svg,) = open_figures()
        return svg

    assert draw() == draw()


def test_figures_are_closed_even_when_one_cannot_be_drawn(pyplot: Any) -> None:
    pyplot.title(r"$\frac$")
    pyplot.figure()
    figures, failure = worker.collect("experiment.py")
    assert figures == []
    assert failure is not None
    assert pyplot.get_fignums() == []


# Sandbox and watch


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "127.0.0.1",
        "127.1.2.3",
        "::1",
        "[::1]",
        "0.0.0.0",
        "::ffff:127.0.0.1",
        b"localhost",
        "",
        None,
        os.uname().nodename,
    ],
)
def test_this_machine_is_inside(host: object) -> None:
    assert sandbox.inside(host)


@pytest.mark.parametrize(
    "host",
    ["example.org", "192.0.2.1", "127.example.org", "2001:db8::1", "::ffff:192.0.2.1", b"x.org", 5],
)
def test_other_machines_are_outside(host: object) -> None:
    assert not sandbox.inside(host)


@pytest.mark.parametrize(
    ("event", "args", "target"),
    [
        ("socket.connect", (None, ("192.0.2.1", 80)), "192.0.2.1:80"),
        ("socket.connect", (None, ("127.0.0.1", 80)), None),
        ("socket.connect", (None, "/run/socket"), None),
        ("socket.sendmsg", (None, None), None),
        ("socket.sendto", (None, ("2001:db8::1", 80, 0, 0)), "2001:db8::1:80"),
        ("socket.getaddrinfo", (b"example.org", 80, 0, 0, 0), "example.org"),
        ("socket.getaddrinfo", ("localhost", 80, 0, 0, 0), None),
        ("socket.bind", (None, ("192.0.2.1", 80)), None),
        ("open", ("192.0.2.1", "r", 0), None),
    ],
)
def test_the_audit_hook_refuses_what_is_outside(
    ends: Any, event: str, args: tuple[Any, ...], target: str | None
) -> None:
    channel, ours = ends
    hook = sandbox.network_hook(__file__, channel)
    if target is None:
        hook(event, args)
        assert events(ours) == []
        return
    with pytest.raises(PermissionError) as caught:
        hook(event, args)
    assert caught.value.errno == errno.EACCES
    (told,) = events(ours)
    assert told["message"] == target
    assert told["line"] > 0
    elsewhere = sandbox.network_hook("/nowhere.py", channel)
    with pytest.raises(PermissionError):
        elsewhere(event, args)
    assert events(ours)[0]["line"] == 0


def run_filter(program: bytes, number: int, architecture: int, arguments: list[int]) -> int:
    """An independent interpreter of the three BPF instructions that the filter uses."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, *arguments)
    steps = [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)]
    at = accumulator = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif code == 0x15:
            at += yes if accumulator == value else no
        else:
            assert code == 0x06
            return value


NOTIFY, ALLOW = 0x7FC00000, 0x7FFF0000


@pytest.mark.parametrize("machine", list(sandbox.ARCHITECTURES))
def test_the_filter_asks_about_addresses_and_nothing_else(machine: str) -> None:
    architecture, _, calls = sandbox.ARCHITECTURES[machine]
    program = sandbox.filter_program(machine, channel=9)

    def verdict(number: int, *arguments: int, arch: int = architecture) -> int:
        return run_filter(program, number, arch, [*arguments, *[0] * (6 - len(arguments))])

    assert verdict(calls["connect"], 3, 0x7F00, 16) == NOTIFY
    assert verdict(calls["connect"], 3, 0x7F00, 16, arch=1) == ALLOW
    assert verdict(calls["sendto"], 3, 1, 1, 0, 0, 0) == ALLOW  # this is send()
    assert verdict(calls["sendto"], 3, 1, 1, 0, 0x1000, 16) == NOTIFY
    assert verdict(calls["sendto"], 3, 1, 1, 0, 1 << 40, 16) == NOTIFY
    assert verdict(calls["sendmsg"], 3, 1, 0) == NOTIFY
    assert verdict(calls["sendmsg"], 9, 1, 0) == ALLOW
    assert verdict(calls["sendmmsg"], 9, 1, 1) == NOTIFY
    assert verdict(425, 8, 0) == 0x00050000 | errno.ENOSYS
    for number in set(range(450)) - {*calls.values(), 425}:
        assert verdict(number, 1, 2, 3, 4, 5, 6) == ALLOW


def test_without_a_filter_the_hook_remains(ends: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    channel, ours = ends
    uname = types.SimpleNamespace(machine="mips", nodename="here")
    monkeypatch.setattr(sandbox.os, "uname", lambda: uname)
    assert sandbox.filter_calls(channel) is False
    assert events(ours) == []


def ipv4(host: str, port: int) -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host)


def ipv6(host: str, port: int) -> bytes:
    head = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0)
    return head + socket.inet_pton(socket.AF_INET6, host) + bytes(4)


@pytest.mark.parametrize(
    ("address", "target"),
    [
        (ipv4("192.0.2.1", 80), "192.0.2.1:80"),
        (ipv4("127.0.0.1", 80), None),
        (ipv4("0.0.0.0", 80), None),
        (ipv4("192.0.2.1", 0), None),  # getaddrinfo sorts addresses so; nothing is sent
        (ipv4("127.0.0.53", 53), "127.0.0.53:53"),
        (ipv6("2001:db8::1", 443), "[2001:db8::1]:443"),
        (ipv6("::1", 443), None),
        (ipv6("::ffff:127.0.0.1", 443), None),
        (struct.pack("=H", socket.AF_UNIX) + b"/run/x", None),
        (struct.pack("=H", 0) + bytes(14), None),
        (struct.pack("=H", 40) + bytes(14), "address family 40"),
        (struct.pack("=H", socket.AF_INET), "address family 2"),
        (b"", None),
    ],
)
def test_socket_addresses_are_judged(address: bytes, target: str | None) -> None:
    assert watch.outside(address) == target


linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@linux
def test_memory_and_processes_follow_children() -> None:
    code = "import os, sys; x = b'x' * 50_000_000; print(os.getpid(), flush=True); sys.stdin.read()"
    shell = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", shell], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert watch.processes(parent.pid) == [parent.pid, child]
        held = watch.memory(parent.pid)
        assert held.private > 50_000_000
        assert held.resident >= held.private
        watch.kill(parent.pid)
        parent.wait()
    assert watch.memory(parent.pid) == watch.Memory(0, 0)
    watch.kill(parent.pid)  # twice is once
