"""All rules, one after another, over the whole book."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from roadmap.check.completeness import check_completeness
from roadmap.check.compliance import check_compliance
from roadmap.check.graph import check_graph
from roadmap.check.links import check_links
from roadmap.check.names import Names
from roadmap.check.sources import check_sources
from roadmap.check.tracks import check_tracks
from roadmap.check.uses import check_uses
from roadmap.diagnostics import Diagnostic
from roadmap.load.cache import Cache
from roadmap.model import Roadmap


def check(
    roadmap: Roadmap, cache: Path | None = None, today: date | None = None
) -> list[Diagnostic]:
    """Everything that is wrong with a book whose files `load` could read, each at its place.

    `cache` is a folder in which to remember which code was found in which file; `today` is the day
    from which the age of compliance notes counts.
    """
    names = Names(roadmap)
    remembered = Cache(cache, "check")
    found = [
        *check_graph(roadmap, names),
        *check_tracks(roadmap, names),
        *check_links(roadmap, names, remembered),
        *check_uses(roadmap, names),
        *check_sources(roadmap, remembered),
        *check_completeness(roadmap),
        *check_compliance(roadmap, today or date.today()),
    ]
    remembered.save()
    return found
