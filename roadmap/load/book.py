"""roadmap.yaml, and every node it lists."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from roadmap.diagnostics import Diagnostic, Span, did_you_mean
from roadmap.load.ahead import read_ahead
from roadmap.load.cache import Cache
from roadmap.load.chapter import Spans, read_node, read_yaml_cached
from roadmap.load.files import escapes, read_text
from roadmap.model import Node, Roadmap, Stage, Track


def load(book: Path, cache: Path | None = None) -> tuple[Roadmap | None, list[Diagnostic]]:
    """Read the book in the folder `book`, and report all that is wrong with its files.

    `cache` is a folder in which to remember what unchanged files mean. The roadmap is None when
    roadmap.yaml itself cannot be used; a node with a faulty file is in `Roadmap.broken`.
    """
    collecting = gc.isenabled()
    gc.disable()  # all that is made here lives on: looking for garbage doubles the time
    try:
        return _load(Path(os.path.abspath(book)), Cache(cache, "load"))  # noqa: PTH100 (no links)
    except OSError as error:  # a folder that may not be listed, or that has just gone
        path = Path(error.filename or book)
        message = f"{path} cannot be read: {error.strerror}."
        return None, [Diagnostic("file-unreadable", message, Span(path))]
    finally:
        if collecting:
            gc.enable()


def _load(book: Path, remembered: Cache) -> tuple[Roadmap | None, list[Diagnostic]]:
    path = book / "roadmap.yaml"
    text = read_text(path, book)
    if isinstance(text, Diagnostic):
        return None, [_no_book(book) if not path.exists() else text]
    read_ahead(path, text, remembered)
    data, places, found = read_yaml_cached("book", text, path, 1, remembered)
    if data is None:
        return None, found
    spans = Spans(path, places)
    found += _repeated(data, spans)
    nodes: list[Node] = []
    broken: set[str] = set()
    listed: set[tuple[str, str]] = set()
    for folder, span, fault in _listed(data, book, spans):
        listed.add((folder.parent.name, folder.name))
        node, faults = (None, [fault]) if fault else read_node(folder, book, span, remembered)
        found += faults
        if faults:
            broken.add(folder.name)
        if node is not None:
            nodes.append(node)
    for folder in _unlisted(book, listed):
        if folder.name not in broken:  # else it is listed, in a stage that has another folder
            broken.add(folder.name)
            found.append(_not_listed(folder, data))
    remembered.save()
    nodes = _without_aliases(nodes)
    return _roadmap(data, book, nodes, broken), list(dict.fromkeys(found))


def _roadmap(data: dict[str, Any], book: Path, nodes: list[Node], broken: set[str]) -> Roadmap:
    return Roadmap(
        title=data["title"],
        summary=data["summary"],
        url=data["url"].rstrip("/") + "/",
        repository=data["repository"],
        root=book,
        tracks=tuple(Track(**track) for track in data["tracks"]),
        stages=tuple(
            Stage(stage["id"], stage["title"], stage["summary"], number, stage["folder"])
            for number, stage in enumerate(data["stages"])
        ),
        nodes=tuple(nodes),
        broken=frozenset(broken),
    )


def _without_aliases(nodes: list[Node]) -> list[Node]:
    """Edges by id: a node may be required by the name it once had."""
    ids = {alias: node.id for node in nodes for alias in node.aliases}
    for node in nodes:
        ids.pop(node.id, None)  # an id is nobody's alias: `check` reports it

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(ids.get(name, name) for name in names)

    return [
        node
        if ids.keys().isdisjoint((*node.requires, *node.recommends))
        else replace(node, requires=renamed(node.requires), recommends=renamed(node.recommends))
        for node in nodes
    ]


def _no_book(book: Path) -> Diagnostic:
    message = f"{book.name}/roadmap.yaml does not exist."
    hint = "Run in the project's folder, or name the book's folder with --book."
    if book.is_file():
        message, hint = f"{book} is a file.", "Name the folder that holds roadmap.yaml."
    return Diagnostic("book-missing", message, Span(book / "roadmap.yaml"), hint)


def _repeated(data: dict[str, Any], spans: Spans) -> list[Diagnostic]:
    """Tracks, stages and folders are each named once."""
    found = []
    for kind, key in (("tracks", "id"), ("stages", "id"), ("stages", "folder")):
        seen: set[str] = set()
        for number, entry in enumerate(data[kind]):
            if entry[key] in seen:
                message = f"There is a `{entry[key]}` among the {kind} already."
                span = spans[f"{kind}.{number}.{key}"]
                found.append(Diagnostic("field-invalid", message, span, "Give it another name."))
            seen.add(entry[key])
    return found


def _listed(
    data: dict[str, Any], book: Path, spans: Spans
) -> Iterator[tuple[Path, Span, Diagnostic | None]]:
    """Each listed node's folder, the place that lists it, and what is wrong with that."""
    first: dict[str, int] = {}
    for s, stage in enumerate(data["stages"]):
        folder = book / stage["folder"]
        stage_fault = _stage_fault(folder, stage["folder"], book, spans[f"stages.{s}.folder"])
        entries = {} if stage_fault else {entry.name: entry for entry in os.scandir(folder)}
        for n, node_id in enumerate(stage["nodes"]):
            span, path = spans[f"stages.{s}.nodes.{n}"], folder / node_id
            fault = stage_fault
            if node_id in first:
                message = f"The node `{node_id}` is listed on line {first[node_id]} already."
                fault = Diagnostic("node-duplicate", message, span, "List it once.")
            elif fault is None and (node_id not in entries or not entries[node_id].is_dir()):
                message = f"The folder {path.relative_to(book.parent).as_posix()} does not exist."
                hint = _nearest(node_id, folder) or _elsewhere(node_id, stage["id"], book)
                fault = Diagnostic("file-missing", message, span, hint)
            elif fault is None and entries[node_id].is_symlink() and escapes(path, book):
                message = f"The folder of `{node_id}` is a link that leads outside the book."
                hint = "Copy the folder into the book."
                fault = Diagnostic("path-escapes-book", message, span, hint)
            first.setdefault(node_id, span.line)
            yield path, span, fault


def _stage_fault(folder: Path, name: str, book: Path, span: Span) -> Diagnostic | None:
    if len(Path(name).parts) != 1 or name in (".", "..") or escapes(folder, book):
        message = f"The stage's folder `{name}` is not a folder of the book."
        hint = "Write the name of a folder right below roadmap.yaml."
        return Diagnostic("path-escapes-book", message, span, hint)
    if not folder.is_dir():
        message = f"The folder {book.name}/{name} does not exist."
        return Diagnostic("file-missing", message, span, _nearest(name, book))
    return None


def _nearest(name: str, folder: Path) -> str:
    return did_you_mean(name, [path.name for path in folder.iterdir() if path.is_dir()])


def _elsewhere(node_id: str, stage: str, book: Path) -> str:
    for path in sorted(book.glob(f"*/{node_id}")):
        return f"There is {path.relative_to(book).as_posix()}: list it in that stage."
    return f"`roadmap new-node {node_id} --stage {stage}` makes one."


def _unlisted(book: Path, listed: set[tuple[str, str]]) -> Iterator[Path]:
    """Folders with a chapter that roadmap.yaml does not list, two levels down."""
    for stage in sorted(entry.name for entry in os.scandir(book) if entry.is_dir()):
        for name in sorted(os.listdir(book / stage)):  # noqa: PTH208 (Path is slow to make)
            if (stage, name) not in listed and (book / stage / name / "chapter.md").is_file():
                yield book / stage / name


def _not_listed(folder: Path, data: dict[str, Any]) -> Diagnostic:
    stage = next((s["id"] for s in data["stages"] if s["folder"] == folder.parent.name), None)
    message = f"roadmap.yaml does not list the node `{folder.name}`."
    where = f"the `nodes:` of the stage `{stage}`" if stage else "a stage"
    hint = f"Add `{folder.name}` to {where} in roadmap.yaml, or take the folder away."
    return Diagnostic("node-unlisted", message, Span(folder / "chapter.md"), hint)
