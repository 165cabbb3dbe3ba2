"""A small book made of values, with every kind of thing that a page can hold, and its site."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from roadmap.diagnostics import Span
from roadmap.model import (
    Band,
    CellOutput,
    Chapter,
    Heading,
    Node,
    Outcome,
    Roadmap,
    Stage,
    Track,
)
from roadmap.render.pages import index_page, node_page, progress_page, stage_page, track_page
from roadmap.render.pages_meta import llms_txt, sitemap_xml
from roadmap.render.pages_site import data_js, site_context
from roadmap.render.search import search_js, search_record
from roadmap.render.templates import TEMPLATES
from roadmap.render.twin import stage_twin, track_twin, twin

PLACE = Span(Path("chapter.md"))
PLANTED = "zyzzyva"
"""A word that stands in one section of one page alone."""

BODY = Path(__file__).with_name("sample_chapter.html").read_text(encoding="utf-8")

HEADINGS = tuple(
    Heading(level, text, anchor, depth, PLACE)
    for level, text, anchor, depth in (
        (2, "The idea", "the-idea", ""),
        (3, "Shapes", "shapes", ""),
        (2, "In practice", "in-practice", "practitioner"),
        (2, "Open questions", "open-questions", "researcher"),
        (2, "Experiment", "experiment", ""),
    )
)


def node(name: str, stage: str, title: str, **fields: object) -> Node:
    """A planned node in all tracks, unless `fields` say otherwise."""
    values: dict[str, object] = {
        "summary": f"What {title.lower()} is, in one sentence.",
        "status": "planned",
        "folder": Path("content") / name,
        "chapter": Chapter(Path("chapter.md"), f"Text of {title}.", 1, "0" * 64),
        "minutes": {"beginner": 30, "practitioner": 45, "researcher": 60},
    }
    return Node(id=name, title=title, stage=stage, **(values | fields))  # type: ignore[arg-type]


def sample_roadmap(body: str = "Chapter text.") -> Roadmap:
    """Three stages, six nodes; `attention` is written, the beginner track skips `sharded`."""
    return Roadmap(
        title="Sample Road",
        summary="From raw text to a served language model.",
        url="https://example.org/sample/",
        repository="https://example.org/sample.git",
        root=Path("content"),
        tracks=(
            Track("beginner", "Beginner", "A laptop and an afternoon per stage."),
            Track("practitioner", "Practitioner", "One GPU to one node."),
            Track("researcher", "Researcher", "Primary sources."),
        ),
        stages=(
            Stage("tokens", "Tokens", "From text to integers.", 0, "00-tokens"),
            Stage("model", "Model", "The transformer, part by part.", 1, "01-model"),
            Stage("scale-out", "Scale-out", "More than one device.", 2, "02-scale-out"),
        ),
        nodes=(
            node("bytes-and-bpe", "tokens", "Bytes and BPE"),
            node("embeddings", "model", "Embeddings", requires=("bytes-and-bpe",)),
            node(
                "attention",
                "model",
                "Scaled dot-product attention",
                status="ready",
                requires=("embeddings",),
                recommends=("bytes-and-bpe",),
                teaches=("causal mask", "softmax stability"),
                minutes={"beginner": 45, "practitioner": 60, "researcher": 95},
                aliases=("self-attention",),
                chapter=Chapter(Path("chapter.md"), body, 1, "1" * 64, HEADINGS),
                bands=(Band("final_loss", "cpu", PLACE, value=1.6, atol=0.1),),
            ),
            node("block", "model", "The block", requires=("attention",)),
            node(
                "sharded",
                "scale-out",
                "Sharded training",
                requires=("block",),
                minutes={"practitioner": 60, "researcher": 90},
            ),
            node("serving", "scale-out", "Serving", requires=("block",), optional=True),
        ),
    )


OUTCOME = Outcome(
    node="attention",
    status="ok",
    components={},
    machine="cpu",
    cells=(CellOutput("weights", "ok\n", "", (), (("final_loss", 1.62),), 1.0),),
    seconds=12.0,
    peak_bytes=310 * 2**20,
    ran_on=date(2026, 11, 20),
)

MAP = (
    '<nav class="map" aria-label="Map" style="position:relative;width:640px;height:420px">'
    '<svg class="edges" aria-hidden="true" width="640" height="420" '
    'style="position:absolute;inset:0" fill="none" stroke="currentColor">{lines}</svg>{boxes}</nav>'
)
PLACES = {
    "bytes-and-bpe": (240, 10),
    "embeddings": (240, 90),
    "attention": (200, 170),
    "block": (240, 250),
    "sharded": (80, 340),
    "serving": (400, 340),
}


def sample_map(roadmap: Roadmap) -> str:
    """The markup that the map's renderer makes, with places chosen by hand."""
    boxes = "".join(
        f'<a class="node stage-{n.stage}{" optional" if n.optional else ""}" data-node="{n.id}" '
        f'href="node/{n.id}.html" style="position:absolute;left:{PLACES[n.id][0]}px;'
        f'top:{PLACES[n.id][1]}px;padding:6px 12px;border:1px solid;background:var(--paper)">'
        f"{n.title}</a>"
        for n in roadmap
    )
    lines = "".join(
        f'<path data-from="{e.source}" data-to="{e.target}" data-kind="{e.kind}" '
        f'd="M{PLACES[e.source][0] + 60} {PLACES[e.source][1] + 40}L{PLACES[e.target][0] + 60} '
        f'{PLACES[e.target][1]}"/>'
        for e in roadmap.edges
        if e.kind == "requires"
    )
    return MAP.format(lines=lines, boxes=boxes)


def sample_list(roadmap: Roadmap) -> str:
    """The list beside the map."""
    items = "".join(
        f'<li><a data-node="{n.id}" href="node/{n.id}.html">{n.title}</a></li>' for n in roadmap
    )
    return f'<ul class="map-list">{items}</ul>'


def write_site(folder: Path, body: str = "Chapter text.") -> Path:
    """Write the sample's whole site into `folder` and return it."""
    roadmap = sample_roadmap(body)
    site = site_context(roadmap, pdfs=False)
    bodies = {n.id: BODY if n.status == "ready" else "<p>Planned.</p>" for n in roadmap}
    pages = index_page(site, sample_map(roadmap), sample_list(roadmap), {"attention": OUTCOME})
    pages |= progress_page(site)
    for stage in roadmap.stages:
        pages |= stage_page(site, stage) | stage_twin(site, stage)
    for track in roadmap.tracks:
        pages |= track_page(site, track) | track_twin(site, track)
    for each in roadmap:
        outcome = OUTCOME if each.status == "ready" else None
        pages |= node_page(site, each, bodies[each.id], outcome)
        pages |= twin(site, each, {"attention": OUTCOME})
    pages["assets/data.js"] = data_js(site)
    pages["assets/search-index.js"] = search_js([search_record(n, bodies[n.id]) for n in roadmap])
    pages["downloads/attention.py"] = "print()\n"
    pages["llms.txt"], pages["sitemap.xml"] = llms_txt(site), sitemap_xml(site)
    shutil.copytree(TEMPLATES / "assets", folder / "assets")
    shutil.copytree(TEMPLATES / "fonts", folder / "assets" / "fonts")
    for path, text in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder
