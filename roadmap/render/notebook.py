"""An experiment as a Jupyter notebook: the cells that ran, and what they printed and drew.

Written as nbformat 4.5 by hand, because the same inputs must give the same bytes: cell ids come
from the names, and nothing carries a time.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from roadmap.model import Cell, CellOutput, Experiment, Node, Outcome
from roadmap.render.figures import notebook_svg


def notebook(node: Node, experiment: Experiment, outcome: Outcome | None, url: str) -> str:
    """The notebook's JSON. Its code cells, joined, are the script's code cells, character by
    character; `metadata.roadmap.script_sha256` is the digest of the script.
    """
    title = f"# {node.title}\n\n{node.summary}\n\nFrom [LLM Roadmap]({url}node/{node.id}.html)."
    cells = [_markdown("title", title)]
    executed = 0
    for cell in experiment.cells:
        if cell.kind == "markdown":
            cells.append(_markdown(cell.name, _uncommented(cell.source)))
            continue
        output = outcome.cell(cell.name) if outcome else None
        executed += 1
        cells.append(_code(cell, output, executed))
    digest = hashlib.sha256(experiment.source.encode()).hexdigest()
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "roadmap": {"node": node.id, "script_sha256": digest},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": _id(name), "metadata": {}, "source": _lines(text)}


def _code(cell: Cell, output: CellOutput | None, count: int) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": count if output else None,
        "id": _id(cell.name),
        "metadata": {"name": cell.name},
        "outputs": _outputs(output) if output else [],
        "source": _lines(cell.source.strip("\n")),
    }


def _outputs(output: CellOutput) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = []
    for name, text in (("stdout", output.stdout), ("stderr", output.stderr)):
        if text:
            outputs.append({"name": name, "output_type": "stream", "text": _lines(text)})
    for svg in output.figures:
        data = {"image/svg+xml": _lines(notebook_svg(svg)), "text/plain": ["<Figure>"]}
        outputs.append({"data": data, "metadata": {}, "output_type": "display_data"})
    return outputs


def _id(name: str) -> str:
    return f"cell-{name}"[:64]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _uncommented(source: str) -> str:
    lines = (line.removeprefix("#").removeprefix(" ") for line in source.strip("\n").split("\n"))
    return "\n".join(lines)
