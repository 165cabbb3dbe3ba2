"""The book as a PDF for each track: tagged, linked, tickable, and the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from roadmap.diagnostics import BuildError, Diagnostic, Span
from roadmap.model import Node, Outcome, Roadmap, Stage, Track

if TYPE_CHECKING:
    from roadmap.render.engine_js import Engine
    from roadmap.render.math import Math
    from roadmap.render.pdf.document import Edition
    from roadmap.render.pdf.engine import Book
    from roadmap.render.pdf.post import Attachment

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


def render_pdf(
    roadmap: Roadmap,
    outcomes: Mapping[str, Outcome],
    track: Track,
    out: Path,
    *,
    cache: Path,
    math: Math,
    edition: Edition,
) -> list[Diagnostic]:
    """Write the book of one track to `out`. What is wrong comes back; then `out` is untouched.

    `cache` is a folder of this module's own; in it an unchanged book is found again.
    """
    return render_pdfs(
        roadmap, outcomes, {track.id: out}, cache=cache, math=math, edition=edition, jobs=1
    )


def render_pdfs(
    roadmap: Roadmap,
    outcomes: Mapping[str, Outcome],
    outs: Mapping[str, Path],
    *,
    cache: Path,
    math: Math,
    edition: Edition,
    jobs: int,
) -> list[Diagnostic]:
    """Write the books of several tracks, `{track id: file}`, at most `jobs` at the same time."""
    from roadmap.render.engine_js import GRAPHVIZ, Engine
    from roadmap.render.pdf.engine import make

    graphviz = Engine(GRAPHVIZ)
    try:
        books = [
            _book(roadmap, outcomes, track, outs[track.id], cache, math, graphviz, edition)
            for track in roadmap.tracks
            if track.id in outs
        ]
    except BuildError as error:
        return list(error.diagnostics)
    finally:
        graphviz.close()
    found = make(books, TEMPLATES / "fonts", cache, jobs)
    return [_placed(diagnostic, roadmap) for diagnostic in found]


def _book(
    roadmap: Roadmap,
    outcomes: Mapping[str, Outcome],
    track: Track,
    out: Path,
    cache: Path,
    math: Math,
    graphviz: Engine,
    edition: Edition,
) -> Book:
    from roadmap.render.chapter import chapter_html
    from roadmap.render.graph import neighbourhood
    from roadmap.render.layout import layout
    from roadmap.render.map import map_html
    from roadmap.render.pdf.document import book_html, destinations
    from roadmap.render.pdf.engine import Book
    from roadmap.render.pdf.footnotes import cited

    def chapter(node: Node) -> str:
        return cited(chapter_html(node, roadmap, outcomes, "print", math=math, track=track.id))

    shown = {node.id for node in roadmap.in_track(track.id)}

    def map_of(stage: Stage | None) -> str:
        focus, nodes = None, shown
        if stage is not None:
            focus = {node.id for node in roadmap.in_stage(stage.id)} & shown
            nodes = {node for node in neighbourhood(roadmap, stage.id) if node in shown}
        placed = layout(roadmap, cache / "layout", nodes=nodes, focus=focus, engine=graphviz)
        return map_html(roadmap, placed, lambda node: f"#node-{node.id}", "print", focus=focus)

    return Book(
        name=f"book-{track.id}",
        html=book_html(roadmap, outcomes, track, chapter, map_of, edition, TEMPLATES),
        out=out,
        titles=destinations(roadmap),
        files=tuple(_attachments(roadmap, outcomes, track)),
        base_url=roadmap.url,
        epoch=edition.epoch,
    )


def _attachments(
    roadmap: Roadmap, outcomes: Mapping[str, Outcome], track: Track
) -> list[Attachment]:
    from roadmap.render.notebook import notebook
    from roadmap.render.pdf.post import Attachment

    files = []
    for node in roadmap.in_track(track.id):
        script = node.experiment
        if script is None:
            continue
        outcome = outcomes.get(node.id)
        files += [
            Attachment(f"{node.id}.py", f"The experiment of “{node.title}”", script.source),
            Attachment(
                f"{node.id}.ipynb",
                f"The experiment of “{node.title}”, as a notebook",
                notebook(node, script, outcome, roadmap.url),
            ),
        ]
    return files


def _placed(found: Diagnostic, roadmap: Roadmap) -> Diagnostic:
    """With the first place in the book where the sign stands that no font has."""
    if found.rule != "glyph-missing":
        return found
    sign = found.message.partition("“")[2].partition("”")[0]
    for node in roadmap:
        texts = [(node.chapter.path, node.chapter.body, node.chapter.body_line)]
        if node.experiment is not None:
            texts.append((node.experiment.path, node.experiment.source, 1))
        for path, text, first in texts:
            for number, line in enumerate(text.split("\n"), first):
                if sign in line:
                    span = Span(path, number, line.index(sign) + 1, len(sign))
                    return Diagnostic(found.rule, found.message, span, found.hint, found.notes)
    return found
