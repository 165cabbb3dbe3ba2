"""A ready chapter has every part that readers find in all the others."""

from __future__ import annotations

from collections.abc import Iterator

from roadmap.diagnostics import Diagnostic
from roadmap.model import Node, Roadmap

_PLACED = ("experiment", "cell", "source", "estimate", "compliance")


def check_completeness(roadmap: Roadmap) -> Iterator[Diagnostic]:
    """One finding per node that is marked ready and lacks something.

    Nodes with faults in their files are left out: the part may be there, but misspelt.
    """
    for node in roadmap:
        judged = node.status == "ready" and node.id not in roadmap.broken
        lacks = list(_lacks(node, roadmap)) if judged else []
        if lacks:
            message = f"`{node.id}` is ready, but lacks {', '.join(lacks)}."
            span = node.span("status" if "status" in node.spans else "id")
            hint = "Add what is missing, or mark the node `status: planned`."
            yield Diagnostic("chapter-incomplete", message, span, hint)


def _lacks(node: Node, roadmap: Roadmap) -> Iterator[str]:
    if not node.source:
        yield "`source:`"
    if not node.tools:
        yield "`tools:`"
    if not node.compliance:
        yield "`compliance:`"
    if node.experiment is None:
        yield "experiment.py"
    if not node.bands:
        yield "`expect:`"
    used = {use.name for use in node.chapter.uses}
    for name in _PLACED:
        if name not in used:
            yield f"{{{name}}}"
    depths = {use.argument for use in node.chapter.uses if use.name == "depth"}
    shown = [track.id for track in roadmap.tracks if track.id in node.minutes]
    for track in shown[1:]:  # text outside any {depth} is the first track's
        if track not in depths:
            yield f"{{depth}} {track}"
