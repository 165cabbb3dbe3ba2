"""Outcomes as JSON: everything a page needs of a run, the same text for the same outcome."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from roadmap.model import CellOutput, Failure, Outcome


def encode(outcome: Outcome) -> str:
    """The outcome as JSON. Keys are sorted; what has an order is a list."""
    failure = outcome.failure
    record = {
        "node": outcome.node,
        "status": outcome.status,
        "components": dict(outcome.components),
        "machine": outcome.machine,
        "cells": [
            {
                "name": cell.name,
                "stdout": cell.stdout,
                "stderr": cell.stderr,
                "figures": list(cell.figures),
                "results": [[name, value] for name, value in cell.results],
                "seconds": cell.seconds,
            }
            for cell in outcome.cells
        ],
        "seconds": outcome.seconds,
        "peak_bytes": outcome.peak_bytes,
        "ran_on": outcome.ran_on.isoformat(),
        "failure": failure
        and {
            "cell": failure.cell,
            "line": failure.line,
            "message": failure.message,
            "traceback": failure.traceback,
        },
    }
    return json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False)


def decode(text: str | bytes) -> Outcome:
    """The outcome that `encode` wrote. Raises ValueError for anything else."""
    try:
        return _outcome(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the record of a run: {error!r}") from error


def _outcome(record: dict[str, Any]) -> Outcome:
    failure = record["failure"]
    return Outcome(
        node=record["node"],
        status=record["status"],
        components=dict(record["components"]),
        machine=record["machine"],
        cells=tuple(
            CellOutput(
                name=cell["name"],
                stdout=cell["stdout"],
                stderr=cell["stderr"],
                figures=tuple(cell["figures"]),
                results=tuple((str(name), float(value)) for name, value in cell["results"]),
                seconds=float(cell["seconds"]),
            )
            for cell in record["cells"]
        ),
        seconds=float(record["seconds"]),
        peak_bytes=int(record["peak_bytes"]),
        ran_on=date.fromisoformat(record["ran_on"]),
        failure=None if failure is None else Failure(**failure),
    )
