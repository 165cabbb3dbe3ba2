"""What all pages of the site share: links, navigation, templates, and the data the scripts read.

A page is a pure function of the values it is given, so that the pipeline can keep it as long as
they stay the same. `site_digest` stands for everything here that any page shows; it costs
microseconds and imports no template engine.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadmap.model import Node, Roadmap
from roadmap.render.templates import TEMPLATES, environment, fill, script_json

if TYPE_CHECKING:
    from jinja2 import Environment

EVERY_TRACK = "all"
"""What `data-track` says when the reader has chosen no track: everything is shown."""


@dataclass(frozen=True, slots=True)
class Site:
    """What every page is given. `navigation` is the sidebar's HTML, with `%root%` for the way up.

    `pdfs` says whether there are PDFs to link to; `digest` stands for all that pages share.
    """

    roadmap: Roadmap
    slug: str
    pdfs: bool
    digest: str
    track_css: str
    navigation: str
    environment: Environment

    def render(self, template: str, root: str, **context: Any) -> str:
        """Fill a template of `templates/site`. `root` leads from the page to the site's root."""
        return fill(
            self.environment, template, site=self, roadmap=self.roadmap, root=root, **context
        )

    def url(self, path: str) -> str:
        """The page's public address."""
        return self.roadmap.url + path

    def pdf(self, track_id: str) -> str:
        """The path of a track's PDF, from the root of the site."""
        return f"{self.slug}-{track_id}.pdf"

    def sidebar(self, root: str, node: Node | None = None, stage: str = "") -> str:
        """The contents, with the stage's part open and the current page marked."""
        html = self.navigation
        if stage:
            html = html.replace(f'data-stage="{stage}"', f'data-stage="{stage}" open')
        if node is not None:
            mark = f'data-node="{node.id}"'
            html = html.replace(mark, f'{mark} aria-current="page"')
        elif stage:
            mark = f'data-overview="{stage}"'
            html = html.replace(mark, f'{mark} aria-current="page"')
        return html.replace("%root%", root)


def site_context(
    roadmap: Roadmap,
    *,
    templates: Path = TEMPLATES,
    cache: Path | None = None,
    pdfs: bool = True,
) -> Site:
    """Make what pages share. Compiled templates are kept in the folder `cache`, if given."""
    made = environment(templates / "site", cache)
    return Site(
        roadmap=roadmap,
        slug=slug(roadmap.title),
        pdfs=pdfs,
        digest=site_digest(roadmap, pdfs=pdfs),
        track_css=track_css([track.id for track in roadmap.tracks]),
        navigation=fill(made, "navigation.html", roadmap=roadmap),
        environment=made,
    )


def site_digest(roadmap: Roadmap, *, pdfs: bool = True) -> str:
    """SHA-256 of everything that more than one page shows. No chapter's text is part of it."""
    shared = (
        pdfs,
        (roadmap.title, roadmap.summary, roadmap.url, roadmap.repository),
        roadmap.tracks,
        roadmap.stages,
        [_shared(node) for node in roadmap],
    )
    return hashlib.sha256(repr(shared).encode()).hexdigest()


def _shared(node: Node) -> tuple[object, ...]:
    return (
        (node.id, node.title, node.stage, node.summary, node.status, node.optional),
        (node.requires, node.recommends),
        sorted(node.minutes.items()),
    )


def content_digest(node: Node) -> str:
    """Which text a reader finished: changes when the chapter or its experiment does.

    Front matter and white space are no part of it, so a corrected band or a re-wrapped paragraph
    does not ask anybody to read again. Progress files carry it as `digest`.
    """
    text = " ".join(node.chapter.body.split())
    if node.experiment is not None:
        text += "\0" + node.experiment.source
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def data_js(site: Site) -> str:
    """`assets/data.js`: the graph and the steps, for the map and for progress, from file:// too."""
    roadmap = site.roadmap
    data = {
        "key": site.slug,
        "tracks": [{"id": track.id, "title": track.title} for track in roadmap.tracks],
        "nodes": {
            node.id: {
                "title": node.title,
                "stage": node.stage,
                "status": node.status,
                "optional": node.optional,
                "minutes": dict(node.minutes),
                "aliases": node.aliases,
                "digest": content_digest(node),
            }
            for node in roadmap
        },
        "edges": [(edge.source, edge.target, edge.kind) for edge in roadmap.edges],
    }
    return f"window.roadmapData = {script_json(data)};\n"


def slug(title: str) -> str:
    """`LLM Roadmap` -> `llm-roadmap`: a name for files and for the browser's storage."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "roadmap"


def track_css(tracks: Sequence[str]) -> str:
    """The rules that make `html[data-track]` show one track, and its row in tables of times.

    `data-depth="t"` is shown from track `t` up, or where a link led into it (`revealed`).
    `data-for="a b"` is shown in exactly the tracks it names, `all` being no track chosen.
    """
    hidden = [
        f'html[data-track="{shown}"] [data-depth="{deeper}"]:not(.revealed)'
        for depth, shown in enumerate(tracks)
        for deeper in tracks[depth + 1 :]
    ]
    hidden += [
        f'html[data-track="{shown}"] [data-for]:not([data-for~="{shown}"])'
        for shown in (EVERY_TRACK, *tracks)
    ]
    chosen = [f'html[data-track="{track}"] tr[data-track="{track}"]' for track in tracks]
    return ",".join(hidden) + "{display:none!important}" + ",".join(chosen) + "{font-weight:600}"


def per_track(values: Mapping[str, str]) -> dict[str, str]:
    """Turn track -> value into value -> the tracks that have it, as `data-for` wants them."""
    tracks: dict[str, list[str]] = {}
    for track, value in values.items():
        tracks.setdefault(value, []).append(track)
    return {value: " ".join(names) for value, names in tracks.items()}
