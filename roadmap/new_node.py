"""Makes the folder of a new node, planned until somebody writes it."""

from __future__ import annotations

import re
from pathlib import Path

from roadmap.diagnostics import BuildError, Diagnostic, Span
from roadmap.files import write_atomically
from roadmap.model import ID, Roadmap

_CHAPTER = """\
---
id: {id}
title: {title}
stage: {stage}
summary: One sentence that says what this step does and why it matters.
status: planned
requires: []
tracks:
{tracks}
compute: {{kind: none}}
teaches: []
---

What this step will show.
"""


def make(roadmap: Roadmap, node_id: str, stage_id: str, title: str) -> list[Path]:
    """Write the node's chapter.md and list it last in its stage, unless it is listed already.

    Returns the paths that were written. Raises BuildError when the id is taken or malformed, or
    when there is no such stage; OSError when the disk refuses.
    """
    book = Span(roadmap.root / "roadmap.yaml")
    if not re.fullmatch(ID, node_id):
        hint = "Use lower-case words joined by hyphens, such as `rotary-positions`."
        raise BuildError(Diagnostic("field-invalid", f"`{node_id}` is no node id.", book, hint))
    if any(node_id in (n.id, *n.aliases) for n in roadmap) or any(
        roadmap.root.glob(f"*/{node_id}/chapter.md")
    ):
        raise BuildError(Diagnostic("node-duplicate", f"The id `{node_id}` is taken.", book))
    stage = next((s for s in roadmap.stages if s.id == stage_id), None)
    if stage is None:
        known = ", ".join(s.id for s in roadmap.stages)
        raise BuildError(
            Diagnostic("field-invalid", f"There is no stage `{stage_id}`.", book, f"Known: {known}")
        )
    listing = roadmap.root / "roadmap.yaml"
    before = listing.read_bytes().decode()
    listed = _listed(before, stage_id, node_id)
    if listed is None:
        hint = f"Add `{node_id}` to the nodes of `{stage_id}` by hand."
        message = "The stage's list of nodes is not written as `nodes: [a, b]`."
        raise BuildError(Diagnostic("field-invalid", message, book, hint))
    folder = roadmap.root / stage.folder / node_id
    folder.mkdir(parents=True, exist_ok=True)
    chapter = folder / "chapter.md"
    tracks = "\n".join(f"  {t.id}: {{minutes: 30}}" for t in roadmap.tracks)
    name = title or node_id.replace("-", " ").capitalize()
    text = _CHAPTER.format(id=node_id, title=name, stage=stage_id, tracks=tracks)
    write_atomically(chapter, text)
    if listed == before:
        return [chapter]
    write_atomically(listing, listed)
    return [chapter, listing]


def _listed(text: str, stage_id: str, node_id: str) -> str | None:
    """roadmap.yaml with the node in the stage's flow list, at its end; None if there is none."""
    stage, key = rf"- id: {re.escape(stage_id)}\s*\n", r"(?:(?!  - id:)[^\n]*\n)*?"
    match = re.search(rf"({stage}{key}\s+nodes: \[)([^\]]*)\]", text)
    if match is None:
        return None
    if node_id in re.split(r"[\s,]+", match[2]):
        return text
    nodes = f"{match[2].rstrip()}, {node_id}" if match[2].strip() else node_id
    return text[: match.start()] + match[1] + nodes + "]" + text[match.end() :]
