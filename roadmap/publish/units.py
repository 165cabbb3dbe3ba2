"""What the site consists of: each unit's files, and everything that they depend on."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from roadmap.diagnostics import BuildError
from roadmap.load.symbols import module_file
from roadmap.model import Node, Outcome, Roadmap, Stage, Track
from roadmap.publish.inputs import Inputs
from roadmap.publish.site import LAST, Make, Read, Unit, digest
from roadmap.render.pages_site import Site, content_digest, data_js, site_context, site_digest
from roadmap.render.templates import TEMPLATES
from roadmap.run.record import encode

if TYPE_CHECKING:
    from roadmap.render.engine_js import Engine
    from roadmap.render.graph import Graph
    from roadmap.render.math import Math

Href = Callable[[Node], str]

_RECORDS = ".search"
_MAPS = "maps"


@dataclass(frozen=True)
class Sources:
    """All that rendering reads. What is costly to make is made when the first page asks for it.

    `state` is the folder for caches; `jobs` are the cores to use, 0 for all.
    """

    roadmap: Roadmap
    outcomes: Mapping[str, Outcome]
    inputs: Inputs
    state: Path
    pdf: bool
    jobs: int

    @cached_property
    def site(self) -> Site:
        """What pages share."""
        cache = self.state / "templates"
        return site_context(self.roadmap, cache=cache, pdfs=self.pdf)

    @cached_property
    def graph(self) -> Graph:
        """What the edges of all nodes mean."""
        from roadmap.render.graph import graph

        return graph(self.roadmap)

    @cached_property
    def math(self) -> Math:
        """The typesetter of formulas."""
        from roadmap.render.math import Math

        return Math(self.state / "math")

    @cached_property
    def graphviz(self) -> Engine:
        """The engine that lays out maps."""
        from roadmap.render.engine_js import GRAPHVIZ, Engine

        return Engine(GRAPHVIZ)

    def map(
        self, href: Href, nodes: Collection[str] | None = None, focus: Collection[str] | None = None
    ) -> str:
        """The map of some nodes, or of all."""
        from roadmap.render.layout import layout
        from roadmap.render.map import map_html

        folder = self.state / "layout"
        placed = layout(self.roadmap, folder, nodes=nodes, focus=focus, engine=self.graphviz)
        return map_html(self.roadmap, placed, href, "site", focus=focus)

    def prepare(self) -> None:
        """Load what every page needs, once, before processes share it."""
        from roadmap.render import chapter, pages, search, twin  # noqa: F401

        _ = self.site

    def close(self) -> None:
        """End the engines that were started."""
        for name in ("math", "graphviz"):
            if name in self.__dict__:
                getattr(self, name).close()


def site_units(sources: Sources) -> list[Unit]:
    """Every unit of the site, in an order in which later ones may read earlier ones."""
    return list(_units(sources))


def _units(sources: Sources) -> Iterator[Unit]:
    roadmap, press = sources.roadmap, sources.inputs.press
    shared = digest(press, site_digest(roadmap, pdfs=sources.pdf), _headings(roadmap))
    keys: dict[str, str] = {}
    chapters = {node.id: digest(_node_key(sources, node)) for node in roadmap}
    yield Unit("assets", press, _assets)
    for node in roadmap:
        keys[node.id] = digest(shared, chapters[node.id])
        yield Unit(f"node:{node.id}", keys[node.id], _node(sources, node))
    written = digest(shared, [o.results for o in sources.outcomes.values()])
    yield Unit("index", written, partial(_index, sources), _MAPS)
    for stage in roadmap.stages:
        yield Unit(f"stage:{stage.id}", shared, partial(_stage, sources, stage), _MAPS)
    for track in roadmap.tracks:
        yield Unit(f"track:{track.id}", shared, partial(_track, sources, track))
    yield Unit("meta", shared, partial(_meta, sources))
    versions = digest(shared, [(n.id, n.aliases, content_digest(n)) for n in roadmap])
    yield Unit("data", versions, lambda _: {"assets/data.js": data_js(sources.site)})
    yield Unit("search", digest(press, keys), partial(_search, roadmap), LAST)
    yield _pdfs(sources, digest(press, site_digest(roadmap), _headings(roadmap), chapters))


def _headings(roadmap: Roadmap) -> list[object]:
    """What links of other pages show and depend on."""
    return [
        (node.id, [(h.text, h.anchor, h.depth) for h in node.chapter.headings]) for node in roadmap
    ]


def _node_key(sources: Sources, node: Node) -> list[object]:
    inputs, project = sources.inputs, sources.roadmap.root.parent
    folder = node.folder.relative_to(sources.roadmap.root).as_posix() + "/"
    files = {path: d for path, d in inputs.book.items() if path.startswith(folder)}
    shown = [u.argument.partition(":")[0] for u in node.chapter.uses if u.name == "source"]
    modules = [
        path.relative_to(project).as_posix() for m in shown if (path := module_file(project, m))
    ]
    quoted = {u.argument.rpartition("/")[0] for u in node.chapter.uses if u.name == "value"}
    records = [sources.outcomes[n] for n in sorted({node.id, *quoted}) if n in sources.outcomes]
    code = {m: inputs.subject.get(m, "") for m in modules}
    return [files, code, [encode(record) for record in records]]


def _assets(_: Read) -> dict[str, bytes]:
    files = {
        f"assets/{path.relative_to(TEMPLATES / 'assets').as_posix()}": path
        for path in sorted((TEMPLATES / "assets").rglob("*"))
        if path.is_file()
    }
    fonts = TEMPLATES / "fonts"
    for path in [*sorted(fonts.glob("*.ttf")), *sorted((fonts / "licences").glob("*"))]:
        files[f"assets/fonts/{path.name}"] = path
    return {name: path.read_bytes() for name, path in files.items()}


def _node(sources: Sources, node: Node) -> Make:
    def make(_: Read) -> dict[str, str]:
        from roadmap.render.chapter import chapter_html
        from roadmap.render.pages import node_page
        from roadmap.render.search import search_record
        from roadmap.render.twin import twin

        outcome = sources.outcomes.get(node.id)
        body = chapter_html(node, sources.roadmap, sources.outcomes, "site", math=sources.math)
        files = node_page(sources.site, node, body, outcome)
        files |= twin(sources.site, node, sources.outcomes)
        files[f"{_RECORDS}/{node.id}.json"] = json.dumps(
            search_record(node, body), ensure_ascii=False
        )
        return files | downloads(sources, node)

    return make


def downloads(sources: Sources, node: Node) -> dict[str, str]:
    """The script and the notebook of a node's experiment, if it has one."""
    if node.experiment is None:
        return {}
    from roadmap.render.notebook import notebook

    outcome = sources.outcomes.get(node.id)
    return {
        f"downloads/{node.id}.py": node.experiment.source,
        f"downloads/{node.id}.ipynb": notebook(node, node.experiment, outcome, sources.roadmap.url),
    }


def _index(sources: Sources, _: Read) -> dict[str, str]:
    from roadmap.render.map import map_list
    from roadmap.render.pages import index_page

    def href(node: Node) -> str:
        return f"node/{node.id}.html"

    listed = map_list(sources.roadmap, href)
    return index_page(sources.site, sources.map(href), listed, sources.outcomes)


def _stage(sources: Sources, stage: Stage, _: Read) -> dict[str, str]:
    from roadmap.render.graph import neighbourhood
    from roadmap.render.pages import stage_page
    from roadmap.render.twin import stage_twin

    roadmap = sources.roadmap
    inside = [node.id for node in roadmap.in_stage(stage.id)]
    shown = neighbourhood(roadmap, stage.id, sources.graph)
    drawn = sources.map(lambda node: f"../node/{node.id}.html", shown, inside)
    return stage_page(sources.site, stage, drawn) | stage_twin(sources.site, stage)


def _track(sources: Sources, track: Track, _: Read) -> dict[str, str]:
    from roadmap.render.pages import track_page
    from roadmap.render.twin import track_twin

    return track_page(sources.site, track) | track_twin(sources.site, track)


def _meta(sources: Sources, _: Read) -> dict[str, str]:
    from roadmap.render.pages import progress_page
    from roadmap.render.pages_meta import llms_txt, sitemap_xml

    return {
        **progress_page(sources.site),
        "llms.txt": llms_txt(sources.site),
        "sitemap.xml": sitemap_xml(sources.site),
    }


def _search(roadmap: Roadmap, read: Read) -> dict[str, str]:
    from roadmap.render.search import search_js

    records = [json.loads(read(f"{_RECORDS}/{node.id}.json")) for node in roadmap]
    return {"assets/search-index.js": search_js(records)}


def _pdfs(sources: Sources, key: str) -> Unit:
    """The books of all tracks are one unit, since they are made side by side."""
    if not sources.pdf:
        return Unit("pdf", key, None, LAST)
    from roadmap.render.pdf.document import edition

    made_on = edition(sources.roadmap.root.parent)

    def make(_: Read) -> dict[str, bytes]:
        from roadmap.render.pdf import render_pdfs
        from roadmap.run.schedule import cores

        roadmap, folder = sources.roadmap, sources.state / "pdf"
        outs = {track.id: folder / sources.site.pdf(track.id) for track in roadmap.tracks}
        found = render_pdfs(
            roadmap,
            sources.outcomes,
            outs,
            cache=folder,
            math=sources.math,
            edition=made_on,
            jobs=sources.jobs or cores(),
        )
        if found:
            raise BuildError(*found)
        return {path.name: path.read_bytes() for path in outs.values()}

    return Unit("pdf", key, make, LAST)
