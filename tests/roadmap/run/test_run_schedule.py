"""The whole stage: from a book and a store to outcomes and diagnostics."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import roadmap.run as run_package
from roadmap.diagnostics import has_errors
from roadmap.model import Experiment, Roadmap, RunOptions
from roadmap.run import run, schedule
from roadmap.run.events import Event
from roadmap.run.plan import Step
from roadmap.run.store import Store

COUNTED = """
# %% count
from pathlib import Path
count = Path({path!r})
count.write_text(count.read_text() + "x" if count.exists() else "x")
# %% report
from llm_reference.report import report
report(loss={loss})
"""


@pytest.fixture
def counted(make: Any, make_node: Any, band: Any, tmp_path: Path) -> Any:
    """A node whose experiment counts its runs in a file."""

    def counted(node: str = "demo", loss: float = 1.5, **options: Any) -> Any:
        text = COUNTED.format(path=str(tmp_path / f"{node}.count"), loss=loss)
        limits = {"value": 1.5, "atol": 0.1}
        return make_node(make(text, node=node, **options), (band("loss", **limits),))

    return counted


@pytest.fixture
def runs(tmp_path: Path) -> Any:
    def runs(node: str = "demo") -> int:
        path = tmp_path / f"{node}.count"
        return len(path.read_text()) if path.exists() else 0

    return runs


@pytest.fixture
def store(project: Path) -> Store:
    return Store(project / ".roadmap" / "outcomes")


def rules(diagnostics: Any) -> list[str]:
    return [d.rule for d in diagnostics]


def test_a_good_run_is_served_from_the_store_until_its_code_changes(
    counted: Any, make_book: Any, runs: Any, store: Store
) -> None:
    first, found = run(make_book(counted()), store)
    assert not found
    assert first["demo"].results == {"loss": 1.5}
    second, found = run(make_book(counted()), store)
    assert (second, found, runs()) == (first, [], 1)
    third, _ = run(make_book(counted(loss=1.51)), store)
    assert third["demo"].results == {"loss": 1.51}
    assert runs() == 2


def test_force_runs_what_is_fresh(counted: Any, make_book: Any, runs: Any, store: Store) -> None:
    book = make_book(counted("one"), counted("two"))
    run(book, store)
    run(book, store, force=True, only=["two"])
    assert (runs("one"), runs("two")) == (1, 2)


def test_only_looks_at_the_nodes_it_names(
    counted: Any, make_book: Any, runs: Any, store: Store
) -> None:
    outcomes, found = run(make_book(counted("one"), counted("two")), store, only={"two"})
    assert (list(outcomes), found, runs("one")) == (["two"], [], 0)


def test_without_execution_nothing_runs_and_the_reader_is_warned(
    counted: Any, make_book: Any, runs: Any, store: Store
) -> None:
    outcomes, found = run(make_book(counted()), store, execute=False)
    assert (outcomes, rules(found), runs()) == ({}, ["experiment-not-run"], 0)
    record, _ = run(make_book(counted()), store)
    # Far outside its band, but the record is of other code: only its age is reported.
    outcomes, found = run(make_book(counted(loss=9)), store, execute=False)
    assert (outcomes, rules(found), runs()) == (record, ["record-stale"], 1)
    assert "cell report changed" in found[0].message
    assert not has_errors(found)


def test_a_failed_run_is_reported_not_kept_and_tried_again(
    make: Any, make_node: Any, make_book: Any, store: Store
) -> None:
    node = make_node(make("# %% good\nprint(1)\n# %% bad\n\n    \nprint(1 / 0)\n"))
    outcomes, found = run(make_book(node), store)
    assert outcomes["demo"].status == "failed"
    assert rules(found) == ["experiment-failed"]
    assert (found[0].span.line, found[0].span.column, found[0].span.length) == (6, 1, 12)
    assert "`bad`" in found[0].message
    assert "ZeroDivisionError" in found[0].message
    notes = "\n".join(found[0].notes)
    assert 'File "content/00-stage/demo/experiment.py", line 6' in notes
    assert store.get("demo") is None
    events: list[Event] = []
    run(make_book(node), store, on_event=events.append)
    assert "finished" in [event.kind for event in events]


def test_a_failure_does_not_replace_the_last_good_record(
    counted: Any, make_book: Any, store: Store
) -> None:
    good, _ = run(make_book(counted()), store)
    run(make_book(counted(loss="no_such_name")), store)
    assert store.get("demo") == good["demo"]


def test_a_result_out_of_its_band_fails_each_build_without_running_again(
    counted: Any, make_book: Any, runs: Any, store: Store
) -> None:
    book = make_book(counted(loss=2))
    for _ in range(2):
        outcomes, found = run(book, store)
        assert rules(found) == ["result-out-of-band"]
        assert outcomes["demo"].status == "ok"
    assert runs() == 1


def test_a_corrupt_record_is_reported_and_replaced(
    counted: Any, make_book: Any, runs: Any, store: Store
) -> None:
    book = make_book(counted())
    run(book, store)
    store.path("demo").write_text("rubbish")
    _, found = run(book, store)
    assert rules(found) == ["cache-corrupt"]
    assert runs() == 2
    assert run(book, store)[1] == []


def test_a_store_that_cannot_be_written_is_a_warning(
    counted: Any, make_book: Any, project: Path
) -> None:
    (project / "file").write_text("")
    outcomes, found = run(make_book(counted()), Store(project / "file" / "outcomes"))
    assert "record-unwritable" in rules(found)
    assert not has_errors(found)
    assert outcomes["demo"].status == "ok"


@pytest.mark.parametrize(
    ("status", "code", "options"),
    [
        ("timeout", "import time; time.sleep(60)", {"timeout": 0.5}),
        ("memory", "x = bytearray(10**16)", {}),
        ("network", "import socket; socket.create_connection(('192.0.2.1', 80))", {}),
        ("crashed", "import os; os.abort()", {}),
        ("output", "print('x' * 1_000_000)", {}),
    ],
)
def test_each_way_to_fail_has_its_rule_at_the_line(
    make: Any,
    make_node: Any,
    make_book: Any,
    store: Store,
    status: str,
    code: str,
    options: dict[str, float],
) -> None:
    node = make_node(make(f"# %% fine\nx = 1\n# %% fatal\n{code}\n", **options))
    _, found = run(make_book(node), store)
    assert rules(found) == [f"experiment-{status}"]
    assert "`fatal`" in found[0].message
    assert found[0].hint
    assert found[0].span.path == node.experiment.path
    # A single long write is over before anyone can look where it came from.
    assert found[0].span.line == 4 or (status == "output" and found[0].span.line == 3)


def test_not_a_number_is_an_invalid_result_at_its_line(
    make: Any, make_node: Any, make_book: Any, store: Store
) -> None:
    text = "# %% r\nfrom llm_reference.report import report\nreport(x=float('nan'))\n"
    _, found = run(make_book(make_node(make(text))), store)
    assert rules(found) == ["result-invalid"]
    assert found[0].span.line == 3


def test_a_result_reported_twice_is_invalid_at_the_second_place(
    make: Any, make_node: Any, make_book: Any, band: Any, store: Store
) -> None:
    text = """
    # %% r
    from llm_reference.report import report
    report(x=1)
    # %% s
    report(
        x=2,
    )
    """
    node = make_node(make(text), (band("x", low=0),))
    _, found = run(make_book(node), store)
    assert rules(found) == ["result-invalid"]
    assert found[0].span.line == 6
    assert "1, 2" in found[0].message


def test_outcomes_are_in_reading_order_whatever_ends_first(
    make: Any, make_node: Any, make_book: Any, store: Store
) -> None:
    slow = make_node(make("# %% a\nimport time; time.sleep(0.4)\n", node="slow"))
    quick = make_node(make("# %% a\n", node="quick"))
    ended: list[str] = []

    def on_event(event: Event) -> None:
        if event.kind == "finished":
            ended.append(event.node)

    outcomes, _ = run(make_book(slow, quick), store, jobs=2, on_event=on_event)
    assert list(outcomes) == ["slow", "quick"]
    assert ended == ["quick", "slow"]


def test_running_threads_never_exceed_the_jobs_and_all_jobs_are_used(
    make: Any, make_node: Any, make_book: Any, store: Store
) -> None:
    widths = {"a": 1, "b": 2, "c": 1, "d": 5, "e": 1}
    nodes = [
        make_node(make("# %% a\nimport time; time.sleep(0.2)\n", node=name, threads=threads))
        for name, threads in widths.items()
    ]
    running: set[str] = set()
    seen: list[set[str]] = []

    def on_event(event: Event) -> None:
        if event.kind == "started":
            running.add(event.node)
            seen.append(set(running))
        elif event.kind == "finished":
            running.discard(event.node)

    outcomes, found = run(make_book(*nodes), store, jobs=3, on_event=on_event)
    assert not found
    assert len(outcomes) == 5
    for together in seen:
        assert sum(widths[name] for name in together) <= 3 or together == {"d"}
    assert max(sum(widths[name] for name in t) for t in seen if t != {"d"}) == 3


def test_the_longest_of_last_time_starts_first(
    make: Any, make_node: Any, make_book: Any, store: Store
) -> None:
    nodes = [
        make_node(make("# %% a\n", node=name, timeout=timeout))
        for name, timeout in (("short", 60.0), ("long", 60.0), ("untimed", 30.0))
    ]
    run(make_book(*nodes), store, only=["short", "long"])
    for name, seconds in (("short", 1.0), ("long", 50.0)):
        record = store.get(name)
        assert record is not None
        store.put(replace(record, seconds=seconds))
    events: list[Event] = []
    run(make_book(*nodes), store, jobs=1, force=True, on_event=events.append)
    planned = [(e.node, e.expected) for e in events if e.kind == "planned"]
    assert planned == [("long", 50.0), ("untimed", None), ("short", 1.0)]
    assert [e.node for e in events if e.kind == "started"] == ["long", "untimed", "short"]


@given(st.lists(st.integers(1, 6), max_size=6), st.integers(0, 6))
def test_choose_takes_the_first_that_fits_and_never_waits_for_ever(
    widths: list[int], free: int
) -> None:
    class _Node:
        def __init__(self, threads: int) -> None:
            self.experiment = Experiment("n", Path(), "", (), RunOptions(threads=threads))

    waiting: list[Any] = [Step(_Node(w), "new", {}) for w in widths]  # type: ignore[arg-type]
    fitting = [n for n, w in enumerate(widths) if w <= free]
    chosen = schedule.choose(waiting, free, idle=False)
    assert chosen is (waiting[fitting[0]] if fitting else None)
    when_idle = schedule.choose(waiting, free, idle=True)
    assert (when_idle is None) == (not waiting)


def test_an_error_of_the_program_itself_is_not_swallowed(
    counted: Any, make_book: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("roadmap.run.execute.execute", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        run(make_book(counted()), store)


def test_an_interrupt_ends_the_children_and_keeps_what_is_done(
    counted: Any, make: Any, make_node: Any, make_book: Any, store: Store, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    text = f"# %% a\nimport os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\n"
    endless = make_node(make(text + "time.sleep(60)\n", node="endless", timeout=50.0))

    def on_event(event: Event) -> None:
        if event.kind == "planned" and event.node == "endless":
            return
        while event.kind == "cell" and event.node == "endless" and not mark.exists():
            time.sleep(0.01)
        if event.kind == "cell" and event.node == "endless":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(make_book(counted("done", timeout=60.0), endless), store, jobs=1, on_event=on_event)
    assert store.get("done") is not None
    assert store.get("endless") is None
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


BUILD = """
import sys
from pathlib import Path
from roadmap.model import *
from roadmap.run import run
from roadmap.run.store import Store
project = Path(sys.argv[1])
nodes = []
for name in ("one", "two"):
    folder = project / "content/00-stage" / name
    text = (folder / "experiment.py").read_text()
    cell = Cell("a", "code", text.split("\\n", 1)[1], 1)
    experiment = Experiment(name, folder / "experiment.py", text, (cell,), RunOptions())
    chapter = Chapter(folder / "chapter.md", "", 1, "")
    nodes.append(Node(name, name, "stage", "", "ready", folder, chapter, {}, experiment=experiment))
book = Roadmap("B", "", "", "", project / "content", (), (), tuple(nodes))
outcomes, found = run(book, Store(project / ".roadmap"), jobs=1)
print(*outcomes, len(found))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a killed parent's child ends on Linux only")
def test_a_build_killed_in_the_middle_goes_on_where_it_was(
    make: Any, project: Path, tmp_path: Path
) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    append = f"open({str(log)!r}, 'a').write"
    make(f"# %% a\n{append}('one ')\n", node="one")
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.01)\n"
    make(f"# %% a\n{append}('two ')\n{wait}", node="two")
    command = [sys.executable, "-c", BUILD, str(project)]
    root = str(Path(run_package.__file__).parents[2])
    env = os.environ | {"PYTHONPATH": root, "TMPDIR": str(tmp_path)}
    first = subprocess.Popen(command, env=env)
    while not (log.exists() and log.read_text() == "one two "):
        assert first.poll() is None
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    gate.write_text("")
    second = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert second.stdout == "one two 0\n"
    assert log.read_text() == "one two two "


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_ends_the_build_and_its_children_at_once(
    make: Any, project: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    make("# %% a\nprint(1)\n", node="one")
    write = f"open({str(mark)!r}, 'w').write(str(os.getpid()))"
    make(f"# %% a\nimport os, time\n{write}\ntime.sleep(50)\n", node="two")
    root = str(Path(run_package.__file__).parents[2])
    env = os.environ | {"PYTHONPATH": root, "TMPDIR": str(tmp_path)}
    build = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(project)],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        # where the tests themselves run in the background, Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (mark.exists() and mark.read_text()):
        assert build.poll() is None
        time.sleep(0.01)
    build.send_signal(signal.SIGINT)
    _, errors = build.communicate(timeout=20)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert not Path(f"/proc/{mark.read_text()}").exists()
    assert not list(tmp_path.glob("roadmap-*"))
    store = Store(project / ".roadmap")
    assert store.get("two") is None
    # "one" has ended before or was ended: never half a record.
    assert store.read("one")[1] is None


def test_the_stage_is_one_function() -> None:
    assert run_package.run is schedule.run
    with pytest.raises(AttributeError):
        _ = run_package.nothing_of_the_kind  # type: ignore[attr-defined]


def test_cores_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert schedule.cores() >= 1
    monkeypatch.delattr(schedule.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(schedule.os, "cpu_count", lambda: None)
    assert schedule.cores() == 1


def test_a_book_without_experiments_is_nothing_to_do(
    make: Any, make_node: Any, make_book: Any, store: Store
) -> None:
    bare = replace(make_node(make("# %% a\n")), experiment=None)
    book: Roadmap = make_book(bare)
    assert run(book, store) == ({}, [])
