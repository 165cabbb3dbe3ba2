"""One node's folder: chapter.md and experiment.py, read into a `Node`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from roadmap.diagnostics import Diagnostic, Span, did_you_mean
from roadmap.load.cache import Cache, digest
from roadmap.load.experiment import check_script, read_cells
from roadmap.load.files import read_text, relative_path
from roadmap.model import (
    Band,
    Chapter,
    ComplianceNote,
    Experiment,
    Heading,
    Link,
    Node,
    RunOptions,
    Tool,
    Use,
)


@dataclass(frozen=True, slots=True)
class Spans(Mapping[str, Span]):
    """Places of one file by key path, as `line column length`; made into spans when asked for."""

    path: Path
    places: Mapping[str, str]

    def __getitem__(self, key: str) -> Span:
        return Span(self.path, *map(int, self.places[key].split()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, key: object) -> bool:
        return key in self.places


def read_node(
    folder: Path, book: Path, listed: Span, cache: Cache
) -> tuple[Node | None, list[Diagnostic]]:
    """The node in `folder`, and all that is wrong with its files.

    `listed` is where roadmap.yaml names it. None where no node can be made of the front matter.
    """
    path = folder / "chapter.md"
    text = read_text(path, book, listed)
    if isinstance(text, Diagnostic):
        return None, [text]
    head, body, body_line = split(text)
    file_digest = digest(text)
    chapter, found = _read_body(Chapter(path, body, body_line, file_digest), cache)
    script = _read_script(folder / "experiment.py", book)
    if isinstance(script, Diagnostic):
        found.append(script)
    elif script is not None:
        found += _check_script(script, folder / "experiment.py", cache)
    if head is None:
        return None, [_no_front_matter(text, path), *found]
    front, places, faults = read_yaml_cached("front", head, path, 2, cache)
    found += faults
    if front is None or isinstance(script, Diagnostic):
        return None, found
    spans = Spans(path, places)
    if front["id"] != folder.name:
        message = f"The id is `{front['id']}`, but the folder is `{folder.name}`."
        hint = "A node's id is the name of its folder; `aliases:` keeps old ids."
        found.append(Diagnostic("field-invalid", message, spans["id"], hint))
        return None, found
    experiment = None
    if script is not None:
        options, faults = _options(front["experiment"], folder, book, spans)
        found += faults
        cells = read_cells(script)
        experiment = Experiment(folder.name, folder / "experiment.py", script, cells, options)
    return _node(front, folder, chapter, experiment, spans), found


def split(text: str) -> tuple[str | None, str, int]:
    """Front matter (None where there is none), the body, and the line the body begins on."""
    if not text.startswith("---\n"):
        return None, text, 1
    end = text.find("\n---\n", 3)
    if end < 0 and text.endswith("\n---"):
        end = len(text) - 4
    if end < 0:
        return None, "", text.count("\n") + 1
    head = text[4 : end + 1]
    return head, text[end + 5 :], head.count("\n") + 3


def read_yaml_cached(
    kind: str, text: str, path: Path, first_line: int, cache: Cache
) -> tuple[dict[str, Any] | None, dict[str, str], list[Diagnostic]]:
    """YAML held against the schema of its `kind`, `front` or `book`: data, places, faults."""
    text_digest = digest(text)
    known = cache.get(kind, text_digest)
    if known is not None:
        return known["data"], known["places"], []
    from roadmap.load import schema
    from roadmap.load.validate import validated
    from roadmap.load.yaml_source import read_yaml

    source, found = read_yaml(text, path, first_line)
    if source is None:
        return None, {}, found
    model = schema.FrontMatter if kind == "front" else schema.Book
    data, faults = validated(source, model, path, max(1, first_line - 1))
    found += faults
    # A long value is pointed at by its key: a caret under half a page helps nobody.
    places = {
        at: " ".join(map(str, place if place[0] == key_place[0] else key_place))
        for at, place in source.values.items()
        for key_place in [source.keys.get(at, place)]
    }
    if data is not None and not found:
        cache.put(kind, text_digest, {"data": data, "places": places})
    return data, places, found


def _no_front_matter(text: str, path: Path) -> Diagnostic:
    first = text.partition("\n")[0]
    message = "The chapter does not begin with front matter."
    hint = "Begin with a line `---`, the keys, and another line `---`."
    if first == "---":
        message, hint = "The front matter never ends.", "Close it with a line `---`."
    return Diagnostic("front-matter-missing", message, Span(path, 1, 1, max(1, len(first))), hint)


def _read_body(chapter: Chapter, cache: Cache) -> tuple[Chapter, list[Diagnostic]]:
    found: list[Diagnostic] = []
    facts = cache.get("body", chapter.digest)
    if facts is None:
        from roadmap.load.markdown import parse

        parsed = parse(chapter.body, chapter.path, chapter.body_line)
        found = list(parsed.diagnostics)
        facts = {
            "headings": [[h.level, h.text, h.anchor, h.depth, _at(h)] for h in parsed.headings],
            "links": [[link.target, _at(link)] for link in parsed.links],
            "uses": [[u.name, u.argument, dict(u.options), _at(u)] for u in parsed.uses],
        }
        if not found:
            cache.put("body", chapter.digest, facts)
    path = chapter.path
    return Chapter(
        path,
        chapter.body,
        chapter.body_line,
        chapter.digest,
        tuple([Heading(lv, t, a, d, Span(path, *at)) for lv, t, a, d, at in facts["headings"]]),
        tuple([Link(target, Span(path, *at)) for target, at in facts["links"]]),
        tuple([Use(n, a, options, Span(path, *at)) for n, a, options, at in facts["uses"]]),
    ), found


def _at(fact: Heading | Link | Use) -> list[int]:
    return [fact.span.line, fact.span.column, fact.span.length]


def _read_script(path: Path, book: Path) -> str | Diagnostic | None:
    return read_text(path, book) if os.path.lexists(path) else None


def _check_script(text: str, path: Path, cache: Cache) -> list[Diagnostic]:
    key = digest(text)
    if cache.get("script", key) is not None:
        return []
    found = check_script(text, read_cells(text), path)
    if not found:
        cache.put("script", key, "sound")
    return found


def _options(
    front: dict[str, Any], folder: Path, book: Path, spans: Spans
) -> tuple[RunOptions, list[Diagnostic]]:
    needs, found = [], []
    for number, name in enumerate(front["needs"]):
        span = spans[f"experiment.needs.{number}"]
        path = relative_path(name, folder, book)
        if path is None:
            message = f"`{name}` leads outside the book."
            hint = "Name a file of the book, relative to this folder."
            found.append(Diagnostic("path-escapes-book", message, span, hint))
        elif not path.is_file():
            near = did_you_mean(name, [p.name for p in folder.iterdir()])
            hint = near or "Paths are relative to this folder."
            found.append(Diagnostic("file-missing", f"`{name}` does not exist.", span, hint))
        else:
            needs.append(path)
    options = RunOptions(
        timeout=front["timeout"],
        memory=front["memory"],
        threads=front["threads"],
        seed=front["seed"],
        needs=tuple(needs),
    )
    return options, found


def _node(
    front: dict[str, Any],
    folder: Path,
    chapter: Chapter,
    experiment: Experiment | None,
    spans: Spans,
) -> Node:
    return Node(
        id=front["id"],
        title=front["title"],
        stage=front["stage"],
        summary=front["summary"],
        status=front["status"],
        folder=folder,
        chapter=chapter,
        minutes={t: v["minutes"] for t, v in front["tracks"].items() if v != "skip"},
        aliases=tuple(front["aliases"]),
        requires=tuple(front["requires"]),
        recommends=tuple(front["recommends"]),
        optional=front["optional"],
        compute=front["compute"]["kind"],
        teaches=tuple(front["teaches"]),
        source=tuple(front["source"]),
        tools=tuple(Tool(**tool) for tool in front["tools"]),
        compliance=tuple(
            ComplianceNote(
                id=note["id"],
                risk=note["risk"],
                note=note["note"],
                refs=tuple(note["refs"]),
                facts_as_of=date.fromisoformat(note["facts_as_of"]),
                check=note["check"]["command"] if note["check"] else "",
                span=spans[f"compliance.{number}"],
            )
            for number, note in enumerate(front["compliance"])
        ),
        bands=tuple(
            Band(
                result=result,
                machine=machine,
                span=spans[f"expect.{result}.{machine}"],
                value=band["value"],
                atol=band["atol"] or 0.0,
                rtol=band["rtol"] or 0.0,
                low=band["min"],
                high=band["max"],
            )
            for result, machines in front["expect"].items()
            for machine, band in machines.items()
        ),
        experiment=experiment,
        spans=spans,
    )
