"""Runs one experiment in a child process of its own, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from datetime import UTC, date, datetime
from pathlib import Path

from roadmap.model import CODE_COLUMNS, Experiment, Failure, Outcome
from roadmap.run.events import Event, OnEvent, ignore
from roadmap.run.imports import import_roots
from roadmap.run.supervise import Supervisor


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
    node = experiment.node
    on_event(Event("started", node))
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix="roadmap-"))
        with Supervisor(
            experiment,
            folder,
            environment(experiment, root, folder),
            lambda cell: on_event(Event("cell", node, cell)),
            stop or threading.Event(),
        ) as child:
            child.follow()
            status, failure = child.verdict()
            outcome = Outcome(
                node=node,
                status=status,
                components=components or {},
                machine=child.machine or "cpu",
                cells=child.transcript.outputs({folder / "work": "", folder: "", root: ""}),
                seconds=child.seconds,
                peak_bytes=child.peak,
                ran_on=today(),
                failure=failure,
            )
    except OSError as error:  # a full disk, or no process left to start
        failure = Failure("", 0, f"could not be run: {error.strerror or error}")
        outcome = Outcome(node, "crashed", components or {}, "cpu", (), 0.0, 0, today(), failure)
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    on_event(Event("finished", node, seconds=outcome.seconds, status=outcome.status))
    return outcome


def environment(experiment: Experiment, root: Path, folder: Path) -> dict[str, str]:
    """The child's environment: ours, without what would make two runs differ."""
    options = experiment.options
    foreign = ("PYTHON", "MPL", "MATPLOTLIB")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    pools = ("OMP_NUM", "MKL_NUM", "OPENBLAS_NUM", "NUMEXPR_NUM", "NUMBA_NUM", "VECLIB_MAXIMUM")
    path = [str(folder) for folder in import_roots(experiment.path, root)[1:]]
    if "PYTHONPATH" in os.environ:
        path.append(os.environ["PYTHONPATH"])
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    return (
        kept
        | {f"{pool}_THREADS": str(options.threads) for pool in pools}
        | {
            "COLUMNS": str(CODE_COLUMNS),
            "GLOO_SOCKET_IFNAME": loopback,
            "LLM_REPORT": str(folder / "report.jsonl"),
            "MPLBACKEND": "agg",
            "NO_COLOR": "1",
            "PYTHONHASHSEED": str(options.seed % 2**32),
            "PYTHONPATH": os.pathsep.join(path),
            "TERM": "dumb",
            "TMPDIR": str(folder / "tmp"),
            "TP_SOCKET_IFNAME": loopback,
        }
    )


def today() -> date:
    """The date to put on a record; SOURCE_DATE_EPOCH decides where it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    return now.date()
