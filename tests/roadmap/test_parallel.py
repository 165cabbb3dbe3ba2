"""Processes that share what is loaded: the same results as one process, and the same errors."""

import os
import threading
import time

import pytest

from roadmap import parallel
from roadmap.parallel import call_all, start


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
