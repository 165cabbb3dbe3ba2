"""Real children: each way to end has its status, cell and line, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from roadmap.model import Outcome
from roadmap.run import execute as execute_module
from roadmap.run import supervise, transcript
from roadmap.run.events import Event
from roadmap.run.execute import environment, execute, today

Run = Callable[..., Outcome]

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's seccomp and /proc")


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def gone(pid: int) -> bool:
    """Whether a process ends within two seconds."""
    for _ in range(200):
        if not alive(pid):
            return True
        time.sleep(0.01)
    return False


def test_worker_prints_what_plain_python_prints(make: Any, project: Path) -> None:
    experiment = make(
        """
        # %% first
        from __future__ import annotations
        import atexit, os, sys, threading, time

        def annotated(x: NotDefinedAnywhere) -> None: ...

        class Kept:
            pass

        print("ünïcode ☃", __name__, sys.argv[0] == __file__, len(sys.argv))
        print("to stderr", file=sys.stderr)
        # %% [markdown] words
        # Not code.
        # %% second
        def late(y: NeitherIsThis) -> None: ...

        import pickle, __main__
        print(pickle.loads(pickle.dumps(Kept())).__class__ is Kept, __main__.Kept is Kept)
        os.write(1, b"from below\\n")
        atexit.register(print, "at exit")
        threading.Thread(target=lambda: time.sleep(0.1) or print("in a thread")).start()
        print("end of the script", end="")
        """
    )
    plain = subprocess.run(
        [sys.executable, "-u", "-X", "utf8", str(experiment.path)],
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    outcome = execute(experiment, project)
    assert outcome.failure is None
    assert [cell.name for cell in outcome.cells] == ["first", "second"]
    assert outcome.cells[0].stdout == "ünïcode ☃ __main__ True 1\n"
    assert "".join(cell.stdout for cell in outcome.cells) == plain.stdout
    assert "".join(cell.stderr for cell in outcome.cells) == plain.stderr == "to stderr\n"


def test_output_of_c_code_and_children_belongs_to_the_cell_that_wrote_it(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% c
        import ctypes
        libc = ctypes.CDLL(None)
        libc.printf(b"from C %d\\n", 1)
        # %% child
        import subprocess, sys
        subprocess.run([sys.executable, "-c", "print('from a child')"])
        # %% nothing
        """
    )
    assert [cell.stdout for cell in outcome.cells] == ["from C 1\n", "from a child\n", ""]


def test_results_belong_to_their_cell_and_keep_their_order(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% a
        from llm_reference.report import report
        report(z=1.5, a=2)
        # %% b
        # %% c
        report(m=0.1)
        """
    )
    assert [cell.results for cell in outcome.cells] == [
        (("z", 1.5), ("a", 2.0)),
        (),
        (("m", 0.1),),
    ]
    assert list(outcome.results) == ["z", "a", "m"]
    assert outcome.cells[0].stdout == "z = 1.5\na = 2\n"


def test_an_exception_names_cell_and_line_and_shows_the_readers_frames_only(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% fine
        print("before")

        def deep(n):
            return 1 / n

        # %% broken

        print("just before")
        deep(
            0
        )
        # %% never
        print("after")
        """
    )
    assert outcome.status == "failed"
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("broken", 5)
    assert outcome.failure.message == "ZeroDivisionError: division by zero"
    assert "return 1 / n" in outcome.failure.traceback
    assert "line 10, in <module>" in outcome.failure.traceback
    assert "worker.py" not in outcome.failure.traceback
    assert [cell.stdout for cell in outcome.cells] == ["before\n", "just before\n"]


def test_a_hang_names_its_cell_and_line_and_keeps_what_was_printed(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% quick
        from llm_reference.report import report
        report(early=1)
        # %% slow
        import time
        report(late=2)
        print("waiting")
        time.sleep(60)
        """,
        timeout=1.0,
    )
    assert outcome.status == "timeout"
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("slow", 8)
    assert "1 s" in outcome.failure.message
    assert outcome.cells[1].stdout == "late = 2\nwaiting\n"
    assert [cell.results for cell in outcome.cells] == [(("early", 1.0),), (("late", 2.0),)]


def test_a_timeout_kills_grandchildren_in_sessions_of_their_own(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% spawn
        import subprocess, sys, time
        code = "import time; time.sleep(60)"
        for new_session in (False, True):
            p = subprocess.Popen([sys.executable, "-c", code], start_new_session=new_session)
            print(p.pid)
        time.sleep(60)
        """,
        timeout=1.0,
    )
    assert outcome.status == "timeout"
    pids = [int(line) for line in outcome.cells[0].stdout.split()]
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_a_process_left_in_the_background_ends_with_the_experiment(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% spawn
        import subprocess, sys
        p = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(p.pid)
        """
    )
    assert outcome.status == "ok"
    assert gone(int(outcome.cells[0].stdout))


@linux
def test_eating_memory_ends_the_run_and_names_the_line(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% eat
        eaten = []
        for _ in range(200):
            eaten.append(b"x" * 10_000_000)
        """,
        memory=150 * 2**20,
    )
    assert outcome.status == "memory"
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("eat", 4)
    assert "150 MiB" in outcome.failure.message
    assert 150 * 2**20 < outcome.peak_bytes < 2**30


@linux
def test_memory_of_child_processes_counts(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% eat
        import subprocess, sys
        code = "import time; x = b'x' * 200_000_000; time.sleep(60)"
        subprocess.run([sys.executable, "-c", code])
        """,
        memory=150 * 2**20,
        timeout=20.0,
    )
    assert outcome.status == "memory"


def test_asking_for_impossible_memory_is_a_memory_failure(run_text: Run) -> None:
    outcome = run_text("# %% ask\nx = bytearray(10**16)\n")
    assert outcome.status == "memory"
    assert outcome.failure is not None
    assert outcome.failure.line == 2


def test_reserving_address_space_without_using_it_is_allowed(run_text: Run) -> None:
    # torch and numpy map far more than they touch: only what is held counts.
    outcome = run_text(
        "# %% reserve\nimport mmap\nm = mmap.mmap(-1, 8 * 2**30)\nm[:5] = b'hello'\n",
        memory=100 * 2**20,
    )
    assert outcome.status == "ok"


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)", "192.0.2.1"),
        ("import socket; socket.getaddrinfo('example.org', 443)", "example.org"),
        ("import socket; socket.gethostbyname('example.org')", "example.org"),
        (
            "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=5)",
            "192.0.2.1",
        ),
        (
            "import socket as s; s.socket(type=s.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
            "192.0.2.1:9",
        ),
    ],
)
def test_python_code_cannot_reach_the_network(run_text: Run, code: str, target: str) -> None:
    outcome = run_text(f"# %% fine\nprint(1)\n# %% call\n\n{code}\n")
    assert outcome.status == "network"
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("call", 5)
    assert target in outcome.failure.message
    assert "sandbox.py" not in outcome.failure.traceback


def test_an_attempt_counts_even_if_the_cell_swallows_the_refusal(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% try
        import socket
        try:
            socket.create_connection(("192.0.2.1", 80), timeout=5)
        except OSError:
            print("fallback")
        # %% next
        print("must not run")
        """
    )
    assert outcome.status == "network"
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("try", 4)
    assert [cell.stdout for cell in outcome.cells] == ["fallback\n"]


C_CONNECT = """
import ctypes, struct, socket
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.socket({family}, {kind}, 0)
address = {address}
result = {call}
print(result, ctypes.get_errno())
"""
IPV4 = "struct.pack('=H', 2) + struct.pack('!H', 80) + bytes([192, 0, 2, 1]) + bytes(8)"
IPV6 = (
    "struct.pack('=H', 10) + struct.pack('!HI', 80, 0)"
    " + socket.inet_pton(10, '2001:db8::1') + bytes(4)"
)


@linux
@pytest.mark.parametrize(
    ("family", "kind", "address", "call", "target"),
    [
        (2, 1, IPV4, "libc.connect(fd, address, len(address))", "192.0.2.1:80"),
        (10, 1, IPV6, "libc.connect(fd, address, len(address))", "[2001:db8::1]:80"),
        (2, 2, IPV4, "libc.sendto(fd, b'x', 1, 0, address, len(address))", "192.0.2.1:80"),
    ],
)
def test_c_code_cannot_reach_the_network(
    run_text: Run, family: int, kind: int, address: str, call: str, target: str
) -> None:
    code = C_CONNECT.format(family=family, kind=kind, address=address, call=call)
    outcome = run_text(f"# %% c\n{code}")
    assert outcome.status == "network"
    assert outcome.failure is not None
    assert target in outcome.failure.message
    # The line of the call itself: the child was asked while it waited for an answer.
    assert outcome.failure.line == 7
    assert outcome.cells[0].stdout == "-1 13\n"


@linux
@pytest.mark.parametrize("many", [False, True])
def test_messages_with_an_address_are_refused(run_text: Run, many: bool) -> None:
    call = "libc.sendmmsg(fd, message, 1, 0)" if many else "libc.sendmsg(fd, message, 0)"
    outcome = run_text(
        f"""
        # %% c
        import ctypes, struct
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.socket(2, 2, 0)
        address = ctypes.create_string_buffer({IPV4})
        data = ctypes.create_string_buffer(b"x")
        vector = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(data), 1))
        head = struct.pack("QIxxxxQQ", ctypes.addressof(address), 16, ctypes.addressof(vector), 1)
        message = ctypes.create_string_buffer(head.ljust(64, b"\\0"))
        print({call}, ctypes.get_errno())
        """
    )
    assert outcome.status == "network"
    assert outcome.cells[0].stdout == "-1 13\n"


@linux
def test_a_child_process_cannot_reach_the_network(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% spawn
        import subprocess, sys
        code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
        subprocess.run([sys.executable, "-c", code])
        """
    )
    assert outcome.status == "network"
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("spawn", 4)
    assert "192.0.2.1:80" in outcome.failure.message


def test_processes_of_this_machine_may_talk(run_text: Run) -> None:
    # Data-parallel training on one machine does this.
    outcome = run_text(
        """
        # %% tcp
        import socket, subprocess, sys
        server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port})).sendall(b'hi')"
        child = subprocess.Popen([sys.executable, "-c", code])
        print(server.accept()[0].recv(2), child.wait())
        # %% unix
        import array
        a, b = socket.socketpair()
        socket.send_fds(a, [b"x"], [0])
        print(len(socket.recv_fds(b, 1, 1)[1]))
        # %% name
        print(socket.getaddrinfo("localhost", port)[0][4][1] == port)
        """
    )
    assert outcome.failure is None
    assert [cell.stdout for cell in outcome.cells] == ["b'hi' 0\n", "1\n", "True\n"]


@pytest.mark.slow
def test_torch_processes_may_train_together(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% define
        import os, torch
        import torch.distributed as dist
        import torch.multiprocessing as mp

        def work(rank, folder):
            dist.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
            x = torch.ones(2) * (rank + 1)
            dist.all_reduce(x)
            if rank == 0:
                print(x.tolist(), flush=True)
            dist.destroy_process_group()

        # %% go
        if __name__ == "__main__":
            mp.spawn(work, (os.getcwd(),), 2)
        """,
        timeout=120.0,
    )
    assert outcome.failure is None
    assert "[3.0, 3.0]\n" in outcome.cells[1].stdout


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os.abort()", "SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import os; os._exit(0)", "exit code 0"),
        ("import os; os._exit(7)", "exit code 7"),
        ("import sys; sys.exit(3)", "sys.exit(3)"),
        ("import sys; sys.exit()", "sys.exit(None)"),
    ],
)
def test_the_death_of_the_process_names_its_cell(run_text: Run, code: str, says: str) -> None:
    outcome = run_text(f"# %% fine\nprint(1)\n# %% fatal\n{code}\n# %% after\nprint(2)\n")
    assert outcome.status == "crashed"
    assert outcome.failure is not None
    assert outcome.failure.cell == "fatal"
    assert says in outcome.failure.message
    assert [cell.stdout for cell in outcome.cells] == ["1\n", ""]
    if "SIGSEGV" in says or "sys.exit" in says:
        assert outcome.failure.line == 4


def test_a_script_may_end_with_sys_exit_zero(run_text: Run) -> None:
    outcome = run_text("# %% only\nimport sys\nprint('done')\nsys.exit(0)\n")
    assert outcome.status == "ok"
    assert outcome.cells[0].stdout == "done\n"


def test_a_flood_of_text_ends_the_run_and_is_cut(run_text: Run) -> None:
    outcome = run_text("# %% flood\nwhile True:\n    print('x' * 1000)\n", timeout=20.0)
    assert outcome.status == "output"
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("flood", 3)
    assert len(outcome.cells[0].stdout) == transcript.TEXT_LIMIT


def test_a_flood_of_figures_ends_the_run(run_text: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "FIGURE_LIMIT", 1000)
    outcome = run_text("# %% draw\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n")
    assert outcome.status == "output"
    assert outcome.failure is not None
    assert "drew" in outcome.failure.message


def test_a_figure_that_cannot_be_drawn_is_a_failure_of_its_cell(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% draw
        import matplotlib.pyplot as plt
        plt.title(r"$\\frac$")
        """
    )
    assert outcome.status == "failed"
    assert outcome.failure is not None
    assert outcome.failure.cell == "draw"
    assert "ValueError" in outcome.failure.message


def test_figures_are_collected_at_the_end_of_each_cell_and_closed(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% two
        import matplotlib.pyplot as plt
        plt.plot([1, 2])
        plt.figure()
        plt.plot([2, 1])
        # %% none
        print(plt.get_fignums())
        # %% one
        plt.plot([1, 3])
        """
    )
    assert outcome.failure is None
    assert [len(cell.figures) for cell in outcome.cells] == [2, 0, 1]
    assert outcome.cells[1].stdout == "[]\n"
    assert all(
        svg.lstrip().startswith("<?xml") and "</svg>" in svg for svg in outcome.cells[0].figures
    )


RANDOM = """
# %% draw
import random, hashlib
import numpy as np
print(random.random(), hash("a string"), {"set", "order", "of", "strings"})
print(np.random.rand(3), np.random.default_rng(0).random())
import matplotlib.pyplot as plt
plt.plot(np.random.rand(5), label="x")
plt.legend()
# %% report
from llm_reference.report import report
report(x=np.random.rand())
"""


def test_two_runs_with_one_seed_are_equal_and_another_seed_differs(run_text: Run) -> None:
    def seen(outcome: Outcome) -> Any:
        assert outcome.failure is None
        return [(c.stdout, c.stderr, c.figures, c.results) for c in outcome.cells]

    first, again = seen(run_text(RANDOM, seed=3)), seen(run_text(RANDOM, seed=3))
    assert first == again
    other = seen(run_text(RANDOM, seed=4))
    assert other[0][0] != first[0][0]
    assert other[1][3] != first[1][3]


def test_torch_is_seeded_when_it_is_imported_and_keeps_to_its_threads(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% late
        import torch
        print(torch.rand(2).tolist() == torch.manual_seed(5) or torch.initial_seed())
        print(torch.get_num_threads())
        # %% same
        first = torch.manual_seed(5) and torch.rand(3)
        import os
        print(os.environ["OMP_NUM_THREADS"])
        """,
        seed=5,
        threads=2,
    )
    assert outcome.failure is None
    assert outcome.cells[0].stdout == "5\n2\n"
    assert outcome.cells[1].stdout == "2\n"
    assert outcome.machine == "cpu"


def test_files_are_written_outside_the_book_and_swept_up(run_text: Run, project: Path) -> None:
    before = {p for p in project.rglob("*") if "__pycache__" not in p.parts}
    outcome = run_text(
        """
        # %% write
        import os, pathlib, tempfile
        pathlib.Path("left.txt").write_text("x")
        handle, name = tempfile.mkstemp()
        print(os.path.realpath("left.txt"))
        print(name)
        open("/dev/stdout", "w").write(os.getcwd().split(os.sep)[-2])
        """
    )
    assert outcome.failure is None
    new = {p for p in project.rglob("*") if "__pycache__" not in p.parts} - before
    assert {p.name for p in new} <= {"experiment.py", "demo", "00-stage"}
    lines = outcome.cells[0].stdout.split("\n")
    assert lines[0] == "left.txt"  # the temporary folder's name is not on the page
    assert lines[1].startswith("tmp/")
    assert not (Path(execute_module.tempfile.gettempdir()) / lines[2]).exists()


def test_warnings_name_files_as_seen_from_the_project(run_text: Run) -> None:
    outcome = run_text("# %% warn\nimport warnings\nwarnings.warn('careful')\n")
    assert outcome.cells[0].stderr.startswith(
        "content/00-stage/demo/experiment.py:3: UserWarning: careful\n"
    )


@pytest.mark.parametrize("raw", ["crlf", "bom"])
def test_crlf_and_bom_do_not_shift_lines(make: Any, project: Path, raw: str) -> None:
    text = "# %% fine\nprint(1)\n# %% broken\n\n1 / 0  # here\n"
    data = {"crlf": text.replace("\n", "\r\n").encode(), "bom": b"\xef\xbb\xbf" + text.encode()}[
        raw
    ]
    outcome = execute(make(text, raw=data), project)
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("broken", 5)
    assert "1 / 0  # here" in outcome.failure.traceback
    assert outcome.cells[0].stdout == "1\n"


def test_local_modules_are_imported_from_the_node_and_from_the_project(
    run_text: Run, tree: Any
) -> None:
    tree(
        {
            "content/00-stage/demo/helper.py": "name = 'beside the script'\n",
            "library/__init__.py": "",
            "library/part.py": "name = 'of the project'\n",
        }
    )
    outcome = run_text(
        "# %% a\nimport helper, library.part\nprint(helper.name, library.part.name)\n"
    )
    assert outcome.cells[0].stdout == "beside the script of the project\n"


def test_a_forked_child_that_leaves_its_cell_runs_no_further_cells(run_text: Run) -> None:
    outcome = run_text(
        """
        # %% fork
        import os
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
        print("parent" if pid else "child", flush=True)
        # %% once
        print("once")
        """
    )
    assert outcome.failure is None
    assert outcome.cells[0].stdout == "child\nparent\n"
    assert outcome.cells[1].stdout == "once\n"


def test_a_syntax_error_in_a_cell_has_its_line(run_text: Run) -> None:
    outcome = run_text("# %% fine\nprint(1)\n# %% broken\n\nx = = 2\n")
    assert outcome.status == "failed"
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.line) == ("broken", 5)


def test_input_is_empty_rather_than_waited_for(run_text: Run) -> None:
    outcome = run_text("# %% ask\ninput('name? ')\n")
    assert outcome.failure is not None
    assert outcome.failure.message.startswith("EOFError")


def test_a_worker_that_cannot_start_is_a_crash_with_its_words(
    run_text: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "START", "import sys; sys.exit('no worker here')")
    outcome = run_text("# %% a\nprint(1)\n")
    assert outcome.status == "crashed"
    assert outcome.failure is not None
    assert outcome.failure.cell == ""
    assert outcome.cells[0].stderr == "no worker here\n"


def test_a_full_disk_is_an_outcome_not_a_traceback(
    run_text: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(prefix: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(execute_module.tempfile, "mkdtemp", full)
    outcome = run_text("# %% a\nprint(1)\n")
    assert outcome.status == "crashed"
    assert outcome.failure is not None
    assert "No space left on device" in outcome.failure.message


def test_a_process_that_cannot_be_started_is_an_outcome(
    run_text: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise.sys, "executable", "/no/such/python")
    outcome = run_text("# %% a\nprint(1)\n")
    assert outcome.status == "crashed"
    assert outcome.failure is not None
    assert "No such file" in outcome.failure.message


def test_stop_ends_the_run_at_once_and_leaves_nothing(make: Any, project: Path) -> None:
    stop = threading.Event()
    experiment = make("# %% wait\nimport os, time\nprint(os.getpid())\ntime.sleep(60)\n")
    events: list[Event] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if event.kind == "cell":
            stop.set()

    with pytest.raises(KeyboardInterrupt):
        execute(experiment, project, on_event, stop=stop)
    assert [event.kind for event in events] == ["started", "cell"]


@linux
def test_killing_the_parent_kills_the_child(make: Any, project: Path, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    write = f"open({str(mark)!r}, 'w').write(str(os.getpid()))"
    make(f"# %% wait\nimport os, time\n{write}\ntime.sleep(60)\n")
    code = f"""
from pathlib import Path
from roadmap.model import Cell, Experiment, RunOptions
from roadmap.run.execute import execute
path = Path({str(project)!r}) / "content/00-stage/demo/experiment.py"
text = path.read_text()
cell = Cell("wait", "code", text.split("\\n", 1)[1], 1)
execute(Experiment("demo", path, text, (cell,), RunOptions()), Path({str(project)!r}))
"""
    root = Path(execute_module.__file__).parents[2]
    env = os.environ | {"PYTHONPATH": str(root), "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=env)
    try:
        while not (mark.exists() and mark.read_text()):
            time.sleep(0.01)
            assert parent.poll() is None
        assert alive(int(mark.read_text()))
    finally:
        parent.kill()
        parent.wait()
    assert gone(int(mark.read_text()))


def test_events_tell_the_story_in_order(run_text: Run) -> None:
    events: list[Event] = []
    outcome = run_text("# %% a\nprint(1)\n# %% [markdown] w\n# %% b\n", on_event=events.append)
    assert [(e.kind, e.cell) for e in events] == [
        ("started", ""),
        ("cell", "a"),
        ("cell", "b"),
        ("finished", ""),
    ]
    assert events[-1].status == "ok"
    assert events[-1].seconds == outcome.seconds
    assert sum(cell.seconds for cell in outcome.cells) <= outcome.seconds


def test_environment_fixes_threads_and_hides_settings_of_the_caller(
    make: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "x")
    monkeypatch.setenv("MATPLOTLIBRC", "x")
    monkeypatch.setenv("PYTHONPATH", "kept")
    env = environment(make("# %% a\n", threads=3, seed=2**40), project, Path("/run"))
    assert "PYTHONSTARTUP" not in env
    assert "MATPLOTLIBRC" not in env
    for name in (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ):
        assert env[name] == "3"
    assert 0 <= int(env["PYTHONHASHSEED"]) < 2**32
    assert env["PYTHONPATH"].split(os.pathsep)[0] == str(project)
    assert env["PYTHONPATH"].split(os.pathsep)[-1] == "kept"


def test_the_date_of_a_record_can_be_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert today().isoformat() == "2023-11-14"
