"""Makes experiments, nodes and books as values, without the load stage."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from roadmap.diagnostics import Span
from roadmap.model import Band, Cell, Chapter, Experiment, Node, Roadmap, RunOptions, Stage, Track
from roadmap.run.events import ignore
from roadmap.run.execute import execute

MakeExperiment = Callable[..., Experiment]


def split_cells(text: str) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    lines = text.split("\n")
    marks = [n for n, line in enumerate(lines) if line.startswith("# %%")]
    for mark, end in zip(marks, [*marks[1:], len(lines)], strict=True):
        label = lines[mark].removeprefix("# %%").strip()
        kind = "markdown" if label.startswith("[markdown]") else "code"
        name = label.removeprefix("[markdown]").strip()
        source = "\n".join(lines[mark + 1 : end]).rstrip()
        cells.append(Cell(name, kind, source, mark + 1))
    return tuple(cells)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder; its name has a space and letters that are not ASCII."""
    folder = tmp_path / "Büch mit Leerzeichen"
    (folder / "content").mkdir(parents=True)
    return folder


@pytest.fixture
def make(project: Path) -> MakeExperiment:
    def make(text: str, node: str = "demo", raw: bytes | None = None, **options: Any) -> Experiment:
        """Write experiment.py (or `raw`, whose text is `text`) and give its value."""
        text = textwrap.dedent(text).lstrip("\n")
        path = project / "content" / "00-stage" / node / "experiment.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if raw is None else raw)
        return Experiment(node, path, text, split_cells(text), RunOptions(**options))

    return make


@pytest.fixture
def run_text(make: MakeExperiment, project: Path) -> Callable[..., Any]:
    """Execute a script given as text; options as for `RunOptions`."""

    def run_text(text: str, on_event: Any = ignore, **options: Any) -> Any:
        return execute(make(text, **options), project, on_event)

    return run_text


@pytest.fixture
def make_node(project: Path) -> Callable[..., Node]:
    def make_node(experiment: Experiment, bands: tuple[Band, ...] = (), **fields: Any) -> Node:
        folder = experiment.path.parent
        chapter = folder / "chapter.md"
        if not chapter.exists():
            chapter.write_text(f"---\nid: {experiment.node}\n---\n", encoding="utf-8")
        return Node(
            id=experiment.node,
            title=experiment.node,
            stage="stage",
            summary="",
            status="ready",
            folder=folder,
            chapter=Chapter(chapter, "", 4, ""),
            minutes={"all": 1},
            bands=bands,
            experiment=experiment,
            **fields,
        )

    return make_node


@pytest.fixture
def make_book(project: Path) -> Callable[..., Roadmap]:
    def make_book(*nodes: Node) -> Roadmap:
        return Roadmap(
            title="Book",
            summary="",
            url="",
            repository="",
            root=project / "content",
            tracks=(Track("all", "All", ""),),
            stages=(Stage("stage", "Stage", "", 0, "00-stage"),),
            nodes=nodes,
        )

    return make_book


@pytest.fixture
def band() -> Callable[..., Band]:
    def band(result: str, machine: str = "cpu", line: int = 2, **limits: float) -> Band:
        return Band(result, machine, Span(Path("chapter.md"), line), **limits)

    return band


def write_tree(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def tree(project: Path) -> Callable[[Mapping[str, str]], None]:
    """Write files below the project's folder."""
    return lambda files: write_tree(project, files)
