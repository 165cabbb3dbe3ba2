"""The HTML pages of the site, one function each: values in, `{path: text}` out.

Paths are relative to the root of the site, and so is every link. What a page shows comes from its
arguments alone; `roadmap.render.pages_site` holds what pages share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from roadmap.model import Node, Outcome, Roadmap, Stage, Track
from roadmap.render.pages_meta import book, breadcrumbs, learning_resource, track_course
from roadmap.render.pages_site import EVERY_TRACK, Site, per_track
from roadmap.render.templates import duration

Pages = dict[str, str]


def node_page(site: Site, node: Node, body_html: str, outcome: Outcome | None) -> Pages:
    """The page of one step. `body_html` is the chapter below its title."""
    roadmap = site.roadmap
    stage = roadmap.stage(node.stage)
    path = f"node/{node.id}.html"
    html = site.render(
        "node.html",
        "../",
        path=path,
        title=node.title,
        description=node.summary,
        node=node,
        stage=stage,
        body=body_html,
        twin=f"node/{node.id}.md",
        sidebar=site.sidebar("../", node, stage.id),
        times=times(roadmap, node),
        skipping=[track for track in roadmap.tracks if track.id not in node.minutes],
        requires=[roadmap.node(other) for other in node.requires],
        recommends=[roadmap.node(other) for other in node.recommends],
        unlocks=[other for other in roadmap if node.id in other.requires],
        neighbours=neighbours(roadmap, node),
        verified=verified(node, outcome),
        linked_data=[
            learning_resource(site, node, path),
            breadcrumbs(site, [(stage.title, f"stage/{stage.id}.html"), (node.title, path)]),
        ],
    )
    return {path: html}


def stage_page(site: Site, stage: Stage, map_html: str = "") -> Pages:
    """The page of a stage: its steps in order, with the map of them if given."""
    roadmap = site.roadmap
    nodes = roadmap.in_stage(stage.id)
    path = f"stage/{stage.id}.html"
    outside = [
        roadmap.node(needed)
        for needed in dict.fromkeys(n for node in nodes for n in node.requires)
        if roadmap.node(needed).stage != stage.id
    ]
    html = site.render(
        "stage.html",
        "../",
        path=path,
        title=stage.title,
        description=stage.summary,
        twin=f"stage/{stage.id}.md",
        stage=stage,
        steps=[(node, times(roadmap, node)) for node in nodes],
        totals=totals(roadmap, nodes),
        outside=outside,
        map=map_html,
        sidebar=site.sidebar("../", stage=stage.id),
        before=roadmap.stages[stage.number - 1] if stage.number > 0 else None,
        after=next((s for s in roadmap.stages if s.number == stage.number + 1), None),
        linked_data=[breadcrumbs(site, [(stage.title, path)])],
    )
    return {path: html}


def track_page(site: Site, track: Track) -> Pages:
    """The page of a track: for whom it is, its steps with their times, its PDF."""
    roadmap = site.roadmap
    nodes = roadmap.in_track(track.id)
    path = f"track/{track.id}.html"
    html = site.render(
        "track.html",
        "../",
        path=path,
        title=f"The {track.title.lower()} track",
        description=track.summary,
        twin=f"track/{track.id}.md",
        track=track,
        stages=[
            (stage, [node for node in nodes if node.stage == stage.id]) for stage in roadmap.stages
        ],
        first=nodes[0] if nodes else None,
        steps=len(nodes),
        written=sum(node.status == "ready" for node in nodes),
        minutes=sum(node.minutes[track.id] for node in nodes),
        skipped=[node for node in roadmap if track.id not in node.minutes],
        sidebar=site.sidebar("../"),
        linked_data=[track_course(site, track, nodes, path)],
    )
    return {path: html}


def index_page(
    site: Site, map_html: str, list_html: str, outcomes: Mapping[str, Outcome] | None = None
) -> Pages:
    """The first page: what this is, the three ways through it, and the map with its list."""
    roadmap = site.roadmap
    outcomes = outcomes or {}
    html = site.render(
        "index.html",
        "",
        path="index.html",
        twin="",
        title=roadmap.title,
        description=roadmap.summary,
        map=map_html,
        list=list_html,
        sidebar=site.sidebar(""),
        tracks=[(track, _track_minutes(roadmap, track)) for track in roadmap.tracks],
        first=next((node for node in roadmap if node.status == "ready"), None),
        written=sum(node.status == "ready" for node in roadmap),
        results=sum(len(outcomes[node.id].results) for node in roadmap if node.id in outcomes),
        linked_data=[book(site)],
    )
    return {"index.html": html}


def progress_page(site: Site) -> Pages:
    """The page where readers see, export, import and reset their progress."""
    roadmap = site.roadmap
    html = site.render(
        "progress.html",
        "",
        path="progress.html",
        twin="",
        title="Your progress",
        description=f"What you have done of {roadmap.title}, kept in this browser alone.",
        stages=[
            (stage, [(node, times(roadmap, node)) for node in roadmap.in_stage(stage.id)])
            for stage in roadmap.stages
        ],
        sidebar=site.sidebar(""),
        linked_data=[],
    )
    return {"progress.html": html}


def times(roadmap: Roadmap, node: Node) -> dict[str, str]:
    """The step's time as text -> the tracks that have it; with no track, the range of all."""
    texts = {
        EVERY_TRACK: _range([node.minutes[t.id] for t in roadmap.tracks if t.id in node.minutes])
    }
    for track in roadmap.tracks:
        if track.id in node.minutes:
            texts[track.id] = duration(node.minutes[track.id])
    return per_track(texts)


def totals(roadmap: Roadmap, nodes: Iterable[Node]) -> dict[str, str]:
    """The time of several steps together, as `times`."""
    nodes = list(nodes)
    sums = {
        track.id: sum(node.minutes.get(track.id, 0) for node in nodes) for track in roadmap.tracks
    }
    texts = {EVERY_TRACK: _range(list(sums.values()))}
    return per_track(texts | {track: duration(minutes) for track, minutes in sums.items()})


def _range(minutes: list[int]) -> str:
    if not minutes:
        return ""
    low, high = min(minutes), max(minutes)
    if low == high:
        return duration(low)
    if high < 60:
        return f"{low}–{high} min"
    return f"{duration(low)} – {duration(high)}"


def _track_minutes(roadmap: Roadmap, track: Track) -> int:
    return sum(node.minutes[track.id] for node in roadmap.in_track(track.id))


def neighbours(roadmap: Roadmap, node: Node) -> dict[str, list[tuple[Node, str]]]:
    """`previous` and `next`: each step that is one in some track, with those tracks.

    In a track that skips `node`, they are the shown steps around its place.
    """
    order = {other.id: place for place, other in enumerate(roadmap)}
    here = order[node.id]
    found: dict[str, dict[str, str]] = {"previous": {}, "next": {}}
    for track in (EVERY_TRACK, *(t.id for t in roadmap.tracks)):
        shown = roadmap.nodes if track == EVERY_TRACK else roadmap.in_track(track)
        before = [other.id for other in shown if order[other.id] < here]
        after = [other.id for other in shown if order[other.id] > here]
        if before:
            found["previous"][track] = before[-1]
        if after:
            found["next"][track] = after[0]
    return {
        way: [(roadmap.node(other), tracks) for other, tracks in per_track(by_track).items()]
        for way, by_track in found.items()
    }


def verified(node: Node, outcome: Outcome | None) -> dict[str, object] | None:
    """What the head of a page says of the experiment's run; None where there was none."""
    if outcome is None:
        return None
    bands = node.bands_on(outcome.machine)
    inside = sum(
        name in bands and bands[name].contains(value) for name, value in outcome.results.items()
    )
    return {
        "ok": outcome.status == "ok" and inside == len(outcome.results),
        "inside": inside,
        "results": len(outcome.results),
        "machine": outcome.machine,
        "date": outcome.ran_on.isoformat(),
    }
