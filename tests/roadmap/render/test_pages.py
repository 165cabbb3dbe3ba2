"""Pages: what they link to, what they say per track, and what their digests stand for."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
from sample_site import BODY, OUTCOME, sample_roadmap, write_site

from roadmap.model import Chapter, Experiment, RunOptions
from roadmap.render.pages import (
    index_page,
    neighbours,
    node_page,
    times,
    totals,
    track_page,
    verified,
)
from roadmap.render.pages_meta import iso_duration, llms_txt, sitemap_xml
from roadmap.render.pages_site import (
    content_digest,
    data_js,
    site_context,
    site_digest,
    slug,
)
from roadmap.render.templates import duration, script_json

VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "wbr"})


class Page(HTMLParser):
    """Ids, links and headings of a page, and whether its tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.data: list[str] = []
        self.open: list[str] = []
        self.misnested: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "id" in found:
            self.ids.append(found["id"] or "")
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if re.fullmatch("h[1-6]", tag) and "dialog" not in self.open:
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misnested.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script" and data.lstrip().startswith("{"):
            self.data.append(data)


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pages(site_folder: Path) -> dict[str, Page]:
    return {
        path.relative_to(site_folder).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site_folder.rglob("*.html"))
    }


def test_every_page_nests_its_tags_and_uses_an_id_once(pages: dict[str, Page]) -> None:
    assert len(pages) == 2 + 3 + 3 + 6
    for name, page in pages.items():
        assert page.misnested == [], name
        assert [i for i, n in Counter(page.ids).items() if n > 1] == [], name


def test_every_page_has_one_first_level_heading_and_skips_no_level(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert page.headings.count(1) == 1, name
        assert page.headings[0] == 1, name
        steps = zip(page.headings, page.headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps), (name, page.headings)


def test_every_internal_link_leads_to_a_file_and_an_anchor_that_exist(
    site_folder: Path, pages: dict[str, Page]
) -> None:
    checked = 0
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            assert not link.startswith("/"), f"{name}: {link} is not relative"
            target = (site_folder / name).parent / unquote(parts.path) if parts.path else None
            path = (target or site_folder / name).resolve()
            assert path.is_file(), f"{name}: {link}"
            if parts.fragment:
                other = path.relative_to(site_folder.resolve()).as_posix()
                assert parts.fragment in pages[other].ids, f"{name}: {link}"
            checked += 1
    assert checked > 300


def test_markdown_twins_link_to_files_that_exist(site_folder: Path) -> None:
    twins = sorted(site_folder.rglob("*.md"))
    own = [t for t in twins if "assets" not in t.parts]
    assert {t.relative_to(site_folder).parts[0] for t in own} == {"node", "stage", "track"}
    for twin in own:
        for link in re.findall(r"\]\((\.\.[^)#]+|[^):#]+)\)", twin.read_text(encoding="utf-8")):
            assert (twin.parent / link).is_file(), f"{twin.name}: {link}"


def test_linked_data_is_json_and_names_what_the_chapter_teaches(pages: dict[str, Page]) -> None:
    first = json.loads(pages["node/attention.html"].data[0])
    assert first["@type"] == ["Chapter", "LearningResource"]
    assert first["teaches"] == ["causal mask", "softmax stability"]
    assert first["timeRequired"] == "PT1H35M"
    assert first["license"].startswith("https://creativecommons.org/licenses/by/4.0")
    assert first["isPartOf"]["name"] == "Sample Road"
    for page in pages.values():
        for data in page.data:
            assert json.loads(data)["@context"] == "https://schema.org"


def test_text_of_the_book_cannot_become_markup() -> None:
    roadmap = sample_roadmap()
    evil = 'A "quoted" </script><b>title</b> & more'
    nodes = tuple(replace(n, title=evil, summary=evil) for n in roadmap)
    site = site_context(replace(roadmap, title=evil, nodes=nodes))
    (text,) = node_page(site, site.roadmap.node("attention"), BODY, OUTCOME).values()
    assert "<b>title" not in text
    page = Page(text)
    assert page.misnested == []
    assert json.loads(page.data[0])["name"] == evil
    assert "</" not in script_json([evil, "<!--"])
    assert "<!--" not in script_json([evil, "<!--"])


def test_a_compiled_template_cache_changes_no_page(tmp_path: Path) -> None:
    roadmap = sample_roadmap()
    node = roadmap.node("attention")
    plain = node_page(site_context(roadmap), node, BODY, OUTCOME)
    for _ in range(2):
        cached = node_page(site_context(roadmap, cache=tmp_path / "new"), node, BODY, OUTCOME)
        assert cached == plain
    assert list((tmp_path / "new").iterdir())


def test_pdfs_are_linked_exactly_when_there_are_some() -> None:
    roadmap = sample_roadmap()
    for made in (True, False):
        site = site_context(roadmap, pdfs=made)
        (first,) = index_page(site, "", "").values()
        (track,) = track_page(site, roadmap.tracks[0]).values()
        links = {link for page in (first, track) for link in Page(page).links if ".pdf" in link}
        every = {f"sample-road-{t.id}.pdf" for t in roadmap.tracks}
        assert links == ({*every, "../sample-road-beginner.pdf"} if made else set())


def test_neighbours_are_the_nearest_shown_steps_in_every_track() -> None:
    roadmap = sample_roadmap()
    order = [node.id for node in roadmap]
    for node in roadmap:
        found = neighbours(roadmap, node)
        here = order.index(node.id)
        for track in ("all", "beginner", "practitioner", "researcher"):
            shown = [n.id for n in roadmap if track == "all" or track in n.minutes]
            before = [i for i in order[:here] if i in shown]
            after = [i for i in order[here + 1 :] if i in shown]
            for way, expected in (("previous", before[-1:]), ("next", after[:1])):
                got = [other.id for other, tracks in found[way] if track in tracks.split()]
                assert got == expected, (node.id, track, way)


def test_times_say_each_track_its_own_and_the_range_to_all() -> None:
    roadmap = sample_roadmap()
    assert times(roadmap, roadmap.node("attention")) == {
        "45 min – 1 h 35 min": "all",
        "45 min": "beginner",
        "1 h": "practitioner",
        "1 h 35 min": "researcher",
    }
    assert "beginner" not in " ".join(times(roadmap, roadmap.node("sharded")).values())
    assert totals(roadmap, roadmap.in_stage("model"))["1 h 45 min"] == "beginner"


@pytest.mark.parametrize(
    ("minutes", "text", "iso"),
    [
        (0, "0 min", "PT0M"),
        (45, "45 min", "PT45M"),
        (60, "1 h", "PT1H"),
        (95, "1 h 35 min", "PT1H35M"),
    ],
)
def test_durations_read_well_to_people_and_machines(minutes: int, text: str, iso: str) -> None:
    assert duration(minutes) == text
    assert iso_duration(minutes) == iso


def test_a_run_is_called_verified_only_when_every_result_lies_in_its_band() -> None:
    node = sample_roadmap().node("attention")
    assert verified(node, None) is None
    good = verified(node, OUTCOME)
    assert good is not None
    assert good["ok"] is True
    assert (good["inside"], good["results"]) == (1, 1)
    (cell,) = OUTCOME.cells
    for results in ((("final_loss", 9.0),), (("final_loss", 1.62), ("unbanded", 1.0))):
        bad = verified(node, replace(OUTCOME, cells=(replace(cell, results=results),)))
        assert bad is not None
        assert bad["ok"] is False
    failed = verified(node, replace(OUTCOME, status="failed"))
    assert failed is not None
    assert failed["ok"] is False


def test_what_pages_share_has_a_digest_that_no_chapter_text_changes() -> None:
    roadmap = sample_roadmap("one text")
    assert site_digest(roadmap) == site_digest(sample_roadmap("another text"))
    assert site_context(roadmap).digest == site_digest(roadmap)
    first, *rest = roadmap.nodes
    for changed in (
        replace(first, title="Another"),
        replace(first, status="ready"),
        replace(first, minutes={"beginner": 31}),
    ):
        assert site_digest(replace(roadmap, nodes=(changed, *rest))) != site_digest(roadmap)
    assert site_digest(roadmap, pdfs=False) != site_digest(roadmap)


def test_a_content_digest_follows_text_and_experiment_and_nothing_else() -> None:
    node = sample_roadmap("Some  text\nhere.").node("attention")
    digest = content_digest(node)
    rewrapped = Chapter(node.chapter.path, "Some text here.\n", 9, "f" * 64)
    assert content_digest(replace(node, chapter=rewrapped, title="New", bands=())) == digest
    reworded = replace(node.chapter, body="Some other text here.")
    assert content_digest(replace(node, chapter=reworded)) != digest
    script = Experiment("attention", Path("experiment.py"), "x = 1\n", (), RunOptions())
    with_script = content_digest(replace(node, experiment=script))
    assert with_script != digest
    other = replace(script, source="x = 2\n")
    assert content_digest(replace(node, experiment=other)) != with_script


def test_the_scripts_get_every_step_edge_and_alias() -> None:
    roadmap = sample_roadmap()
    text = data_js(site_context(roadmap))
    data = json.loads(text.removeprefix("window.roadmapData = ").removesuffix(";\n"))
    assert list(data["nodes"]) == [node.id for node in roadmap]
    assert data["nodes"]["attention"]["aliases"] == ["self-attention"]
    assert data["nodes"]["attention"]["digest"] == content_digest(roadmap.node("attention"))
    assert ["attention", "block", "requires"] in data["edges"]
    assert ["bytes-and-bpe", "attention", "recommends"] in data["edges"]
    assert data["key"] == slug("Sample Road") == "sample-road"


def test_llms_txt_has_title_summary_and_a_link_per_step() -> None:
    roadmap = sample_roadmap()
    lines = llms_txt(site_context(roadmap)).split("\n")
    assert lines[0] == "# Sample Road"
    assert lines[2] == f"> {roadmap.summary}"
    assert [line for line in lines if line.startswith("## ")] == [
        "## Tokens",
        "## Model",
        "## Scale-out",
        "## Optional",
    ]
    for node in roadmap:
        (line,) = [
            line for line in lines if f"(https://example.org/sample/node/{node.id}.md)" in line
        ]
        assert line.endswith("(planned)") == (node.status == "planned")


def test_the_sitemap_names_every_page_and_no_other(site_folder: Path) -> None:
    root = ElementTree.fromstring(sitemap_xml(site_context(sample_roadmap())))
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = [loc.text for loc in root.iter(f"{space}loc")]
    built = {p.relative_to(site_folder).as_posix() for p in site_folder.rglob("*.html")}
    assert sorted(found) == sorted(f"https://example.org/sample/{path}" for path in built)
