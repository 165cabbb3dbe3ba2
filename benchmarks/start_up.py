"""How long an experiment waits for its worker, beyond what its own imports take.

Compares `execute` of a script that only imports with `python -c` of the same imports, several
times in turn, and prints the medians, their difference (the overhead) and their ratio.

    python benchmarks/start_up.py [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from roadmap.model import Cell, Experiment, RunOptions
from roadmap.run.execute import execute

SCRIPTS = {
    "nothing": "pass",
    "json": "import json",
    "numpy": "import numpy",
    "matplotlib": "import matplotlib.pyplot",
    "torch": "import torch",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print(f"{'imports':<12} {'python -c':>10} {'worker':>10} {'overhead':>10} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name, code in SCRIPTS.items():
            plain, worker = measure(code, Path(folder), rounds)
            print(
                f"{name:<12} {plain * 1e3:>7.0f} ms {worker * 1e3:>7.0f} ms "
                f"{(worker - plain) * 1e3:>7.0f} ms {worker / plain:>6.2f}"
            )


def measure(code: str, folder: Path, rounds: int) -> tuple[float, float]:
    """Median seconds of `python -c code` and of an experiment with the one cell `code`."""
    path = folder / "experiment.py"
    path.write_text(f"# %% only\n{code}\n", encoding="utf-8")
    cells = (Cell("only", "code", code, 1),)
    experiment = Experiment("start-up", path, path.read_text(encoding="utf-8"), cells, RunOptions())
    command = [sys.executable, "-c", code]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    plain, worker = [], []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        subprocess.run(command, check=True, env=one_thread)
        plain.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        outcome = execute(experiment, folder)
        worker.append(time.perf_counter() - begin)
        assert outcome.status == "ok", outcome.failure
    return statistics.median(plain[1:]), statistics.median(worker[1:])


if __name__ == "__main__":
    main()
