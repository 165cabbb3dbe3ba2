"""Tracks: every node decides about each, and each is complete in itself."""

from __future__ import annotations

from collections.abc import Iterator

from roadmap.check.names import Names
from roadmap.diagnostics import Diagnostic, did_you_mean
from roadmap.model import Node, Roadmap


def check_tracks(roadmap: Roadmap, names: Names) -> Iterator[Diagnostic]:
    """Undecided and unknown tracks, and prerequisites that a track hides."""
    tracks = [track.id for track in roadmap.tracks]
    decided = {node.id: _decided(node) for node in roadmap}
    for node in roadmap:
        for track in decided[node.id]:
            if track not in tracks:
                message = f"There is no track `{track}`."
                hint = did_you_mean(track, tracks) or f"Tracks: {', '.join(tracks)}."
                yield Diagnostic("track-unknown", message, node.span(f"tracks.{track}"), hint)
        for track in tracks:
            if track not in decided[node.id]:
                message = f"`{node.id}` says nothing about the track `{track}`."
                hint = f"Add `{track}: {{minutes: 30}}` or `{track}: skip`."
                yield Diagnostic("track-undecided", message, node.span("tracks"), hint)
        yield from _hidden(node, tracks, decided, names)


def _decided(node: Node) -> list[str]:
    """The tracks that the front matter mentions: those shown and those skipped."""
    keys = (key.split(".") for key in node.spans if key.startswith("tracks."))
    return [key[1] for key in keys if len(key) == 2]


def _hidden(
    node: Node, tracks: list[str], decided: dict[str, list[str]], names: Names
) -> Iterator[Diagnostic]:
    for number, name in enumerate(node.requires):
        required = names.node(name)
        if required is None:
            continue
        for track in tracks:
            skipped = track in decided[required.id] and track not in required.minutes
            if skipped and track in node.minutes:
                message = (
                    f"The track `{track}` shows `{node.id}` but skips `{required.id}`, "
                    "which it requires."
                )
                hint = f"Show `{required.id}` to `{track}`, or skip this node there too."
                span = node.span(f"requires.{number}")
                yield Diagnostic("prerequisite-hidden", message, span, hint)
