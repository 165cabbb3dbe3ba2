"""Processes that share what is loaded: the same results as one process, and the same errors."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from roadmap import parallel
from roadmap.diagnostics import BuildError, Diagnostic, Span
from roadmap.parallel import call_all, start


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that an earlier test has left behind is no reason not to fork here."""
    count, here = threading.active_count, threading.active_count()
    monkeypatch.setattr(threading, "active_count", lambda: count() - here + 1)


def square(n: int) -> int:
    return n * n


def test_results_come_in_the_order_of_the_tasks_from_several_processes():
    def task(n):
        time.sleep(0.01)
        return square(n), os.getpid()

    answers = call_all([lambda n=n: task(n) for n in range(40)], jobs=3)
    assert [value for value, _ in answers] == [square(n) for n in range(40)]
    assert len({pid for _, pid in answers}) == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_task_is_done_once(jobs: int, tmp_path):
    def task(n):
        with (tmp_path / str(n)).open("a") as file:
            file.write("x")

    call_all([lambda n=n: task(n) for n in range(20)], jobs)
    assert sorted(p.read_text() for p in tmp_path.iterdir()) == ["x"] * 20


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("bad", [0, 19])
def test_an_error_in_any_process_is_raised_here(jobs: int, bad: int):
    def task(n):
        time.sleep(0.005)
        if n == bad:
            raise ValueError(f"task {n}")

    with pytest.raises(ValueError, match=f"task {bad}"):
        call_all([lambda n=n: task(n) for n in range(20)], jobs)


def test_a_child_that_dies_is_an_error_and_not_a_hang():
    parent = os.getpid()

    def task():
        time.sleep(0.01)
        if os.getpid() != parent:
            os._exit(9)

    with pytest.raises(RuntimeError, match="died"):
        call_all([task] * 30, jobs=2)


def test_after_an_error_nobody_is_left_working_or_waiting(tmp_path):
    """A child that nobody listens to would wait for ever, with the lock of the build in hand."""
    parent = os.getpid()

    def task():
        time.sleep(0.01)
        if os.getpid() != parent:
            (tmp_path / str(os.getpid())).touch()
            raise ValueError("x" * 200_000)  # more than a pipe holds

    with pytest.raises(ValueError, match="xxx"):
        call_all([task] * 40, jobs=4)
    children = [int(p.name) for p in tmp_path.iterdir()]
    assert len(children) == 3
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_an_interrupted_caller_is_what_is_raised_and_its_children_have_ended(tmp_path):
    parent = os.getpid()

    def task():
        time.sleep(0.01)
        (tmp_path / str(os.getpid())).touch()
        if os.getpid() == parent or len(list(tmp_path.iterdir())) > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_all([task] * 40, jobs=3)
    for child in {int(p.name) for p in tmp_path.iterdir()} - {parent}:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_children_die_with_a_parent_that_is_killed(tmp_path):
    mark = tmp_path / "pid"
    code = (
        "import os, time\n"
        "from pathlib import Path\n"
        "from roadmap.parallel import start\n"
        "def wait():\n"
        f"    Path({str(mark)!r}).write_text(str(os.getpid()))\n"
        "    time.sleep(60)\n"
        "start(wait)()\n"
    )
    project = Path(parallel.__file__).parents[1]
    with subprocess.Popen([sys.executable, "-c", code], cwd=project) as caller:
        while not (mark.exists() and mark.read_text()):
            assert caller.poll() is None
            time.sleep(0.01)
        child = Path(f"/proc/{mark.read_text()}/stat")
        assert child.exists()
        caller.kill()
    deadline = time.monotonic() + 10
    while child.exists() and child.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_faults_come_back_from_a_child_with_all_they_say():
    span = Span(Path("chapter.md"), 3, 4, 5)
    faults = [Diagnostic("link-dead", "a", span, "b", ("c",)), Diagnostic("math-invalid", "d")]

    def fail():
        raise BuildError(*faults)

    with pytest.raises(BuildError, match="a; d") as caught:
        start(fail)()
    assert list(caught.value.diagnostics) == faults


def test_few_tasks_and_other_threads_stay_in_one_process():
    assert set(call_all([os.getpid] * 3, jobs=4)) == {os.getpid()}
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert set(call_all([os.getpid] * 30, jobs=4)) == {os.getpid()}
    finally:
        stop.set()
        thread.join()


def test_start_runs_beside_its_caller(monkeypatch):
    assert start(os.getpid)() != os.getpid()
    monkeypatch.setattr(parallel.sys, "platform", "darwin")
    assert start(os.getpid)() == os.getpid()


def test_preparation_happens_once_and_before_the_processes_part():
    prepared: list[int] = []
    call_all([lambda: prepared[0]] * 20, 2, lambda: prepared.append(os.getpid()))
    assert prepared == [os.getpid()]
