"""What the site consists of: each unit's files, and everything that they depend on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from roadmap.diagnostics import BuildError, Diagnostic
from roadmap.load.symbols import module_file
from roadmap.model import Node, Outcome, Roadmap
from roadmap.publish.inputs import Inputs
from roadmap.publish.site import Make, Read, Unit, digest
from roadmap.render.pages_site import Site, content_digest, data_js, site_context, site_digest

_TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_RECORDS = ".search"


@dataclass(frozen=True)
class Sources:
    """All that rendering reads. What is costly to make is made when the first page asks for it."""

    roadmap: Roadmap
    outcomes: Mapping[str, Outcome]
    inputs: Inputs
    state: Path
    pdf: bool
    jobs: int
    on_pdf: Callable[[str, bool], None]

    @cached_property
    def site(self) -> Site:
        """What pages share."""
        cache = self.state / "templates"
        return site_context(self.roadmap, templates=_TEMPLATES, cache=cache, pdfs=self.pdf)

    @cached_property
    def math(self) -> object:
        """The typesetter of formulas."""
        from roadmap.render.math import Math

        return Math(self.state / "math")

    def body(self, node: Node, medium: str, track: str | None = None) -> str:
        """A chapter's HTML."""
        from roadmap.render.chapter import chapter_html

        return chapter_html(
            node, self.roadmap, self.outcomes, medium, math=self.math, track=track
        )

    def map(self, medium: str, href: Callable[[Node], str], nodes: tuple[Node, ...]) -> str:
        """The map of some nodes."""
        from roadmap.render.layout import layout
        from roadmap.render.map import map_html

        arranged = layout(self.roadmap, self.state, nodes=nodes)
        return map_html(self.roadmap, arranged, href, medium, nodes)


def site_units(sources: Sources) -> list[Unit]:
    """Every unit of the site, in an order in which later ones may read earlier ones."""
    return list(_units(sources))


def _units(sources: Sources) -> Iterator[Unit]:
    roadmap, press = sources.roadmap, sources.inputs.press
    shared = digest(press, site_digest(roadmap, pdfs=sources.pdf), _headings(roadmap))
    keys: dict[str, str] = {}
    yield Unit("assets", press, _assets)
    for node in roadmap:
        keys[node.id] = digest(shared, _node_key(sources, node))
        yield Unit(f"node:{node.id}", keys[node.id], _node(sources, node))
    written = digest(shared, [o.results for o in sources.outcomes.values()])
    yield Unit("index", written, lambda _: _index(sources))
    for stage in roadmap.stages:
        yield Unit(f"stage:{stage.id}", shared, lambda _, s=stage: _stage(sources, s.id))
    for track in roadmap.tracks:
        yield Unit(f"track:{track.id}", shared, lambda _, t=track: _track(sources, t.id))
    yield Unit("meta", shared, lambda _: _meta(sources))
    versions = digest(shared, [(n.id, n.aliases, content_digest(n)) for n in roadmap])
    yield Unit("data", versions, lambda _: {"assets/data.js": data_js(sources.site)})
    yield Unit("search", digest(press, keys), lambda read: _search(roadmap, read))
    yield from _pdfs(sources, keys)


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
    quoted = [
        u.argument.rpartition("/")[0] for u in node.chapter.uses if u.name == "value"
    ]
    records = [sources.outcomes.get(n or node.id) for n in {node.id, *quoted}]
    code = {m: inputs.subject.get(m.removeprefix("llm_reference/"), "") for m in modules}
    return [files, code, sorted(repr(r) for r in records)]


def _assets(_: Read) -> dict[str, bytes]:
    files = {
        f"assets/{path.relative_to(_TEMPLATES / 'assets').as_posix()}": path
        for path in sorted((_TEMPLATES / "assets").rglob("*"))
        if path.is_file()
    }
    fonts = _TEMPLATES / "fonts"
    for path in [*sorted(fonts.glob("*.ttf")), *sorted((fonts / "licences").glob("*"))]:
        files[f"assets/fonts/{path.name}"] = path
    return {name: path.read_bytes() for name, path in files.items()}


def _node(sources: Sources, node: Node) -> Make:
    def make(_: Read) -> dict[str, str]:
        from roadmap.render.pages import node_page
        from roadmap.render.search import search_record
        from roadmap.render.twin import twin

        outcome = sources.outcomes.get(node.id)
        body = sources.body(node, "site")
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
        f"downloads/{node.id}.ipynb": notebook(
            node, node.experiment, outcome, sources.roadmap.url
        ),
    }


def _index(sources: Sources) -> dict[str, str]:
    from roadmap.render.map import map_list
    from roadmap.render.pages import index_page

    roadmap = sources.roadmap

    def href(node: Node) -> str:
        return f"node/{node.id}.html"

    drawn = sources.map("site", href, roadmap.nodes)
    return index_page(sources.site, drawn, map_list(roadmap, href), sources.outcomes)


def _stage(sources: Sources, stage_id: str) -> dict[str, str]:
    from roadmap.render.pages import stage_page

    return stage_page(sources.site, sources.roadmap.stage(stage_id))


def _track(sources: Sources, track_id: str) -> dict[str, str]:
    from roadmap.render.pages import track_page

    return track_page(
        sources.site, next(t for t in sources.roadmap.tracks if t.id == track_id)
    )


def _meta(sources: Sources) -> dict[str, str]:
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
