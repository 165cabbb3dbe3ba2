"""Whoever clicks in the PDF arrives where the words say."""

from __future__ import annotations

import re
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from tests.roadmap.render.pdf.conftest import Made
from tests.roadmap.render.pdf.pdf_reading import characters, links, page_text, squeezed


def test_each_map_link_covers_exactly_its_label_and_lands_on_the_page_with_its_title(
    made: Made,
) -> None:
    [map_page] = {link.target for link in links(made.path) if link.name == "map"}
    on_map = [a for a in links(made.path) if a.page == map_page and a.name.startswith("node-")]
    titles = {f"node-{n.id}": n.title for n in made.roadmap.in_track("beginner")}
    assert sorted(a.name for a in on_map) == sorted(titles)
    for link in on_map:
        under = "".join(c.text for c in characters(made.path)[map_page] if c.inside(link.rectangle))
        assert squeezed(under) == squeezed(titles[link.name])
        assert squeezed(titles[link.name]) in squeezed(page_text(made.path, link.target))


def test_links_of_the_map_do_not_overlap(made: Made) -> None:
    [map_page] = {link.target for link in links(made.path) if link.name == "map"}
    areas = [a.rectangle for a in links(made.path) if a.page == map_page]
    for i, a in enumerate(areas):
        for b in areas[i + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_pdfium_resolves_every_link_to_the_same_page(made: Made) -> None:
    expected = [(link.page, link.target) for link in links(made.path)]
    found = []
    document = pypdfium2.PdfDocument(made.path)
    for number in range(len(document)):
        page = document[number]
        for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
            annotation = pdfium.FPDFPage_GetAnnot(page, index)
            link = pdfium.FPDFAnnot_GetLink(annotation)
            if link:
                target = pdfium.FPDFLink_GetDest(document, link)
                if target:
                    found.append((number, pdfium.FPDFDest_GetDestPageIndex(document, target)))
    assert found == expected


def test_every_page_but_cover_and_map_leads_back_to_the_map(made: Made) -> None:
    [map_page] = {link.target for link in links(made.path) if link.name == "map"}
    back = [a.page for a in links(made.path) if a.name == "map" and a.rectangle[1] > 780]
    assert back == [i for i in range(len(characters(made.path))) if i not in (0, map_page)]


def test_one_link_is_one_annotation(made: Made) -> None:
    seen = links(made.path)
    for link in seen:
        inside = [
            other
            for other in seen
            if other is not link
            and (other.page, other.name) == (link.page, link.name)
            and other.rectangle[0] >= link.rectangle[0] - 0.5
            and other.rectangle[2] <= link.rectangle[2] + 0.5
            and other.rectangle[1] >= link.rectangle[1] - 0.5
            and other.rectangle[3] <= link.rectangle[3] + 0.5
        ]
        assert inside == []


def test_printed_page_numbers_are_the_pages_that_the_links_lead_to(made: Made) -> None:
    checked = 0
    for link in links(made.path):
        page = characters(made.path)[link.page]
        under = "".join(c.text for c in page if c.inside(link.rectangle))
        number = re.search(r"p\.(\d+)", "".join(under.split()))
        if number:
            assert int(number[1]) == link.target + 1
            checked += 1
    assert checked >= 5


def test_contents_give_the_page_of_every_stage_and_step(made: Made) -> None:
    [contents] = {link.target for link in links(made.path) if link.name == "contents"}
    entries = [a for a in links(made.path) if a.page == contents and a.name != "map"]
    steps = {f"node-{n.id}" for n in made.roadmap.in_track("beginner")}
    assert {e.name for e in entries} == steps | {"stage-words", "stage-weights"}
    for entry in entries:
        x, y = entry.rectangle[2], (entry.rectangle[1] + entry.rectangle[3]) / 2
        edge = 297 if x < 297 else 595
        row = [c for c in characters(made.path)[contents] if c.bottom <= y <= c.top]
        digits = "".join(c.text for c in row if x < c.left < edge and c.text.isdigit())
        assert int(digits) == entry.target + 1


def test_the_outline_mirrors_stages_chapters_and_headings(made: Made) -> None:
    with made.open() as pdf, pdf.open_outline() as outline:

        def tree(items: Any) -> list[Any]:
            return [(str(item.title), tree(item.children)) for item in items]

        found = tree(outline.root)
    assert [title for title, _ in found] == [
        "How to use this book",
        "The map",
        "Contents",
        "Words",
        "Weights",
    ]
    words, weights = found[3][1], found[4][1]
    assert [title for title, _ in words] == ["Text is bytes", "Merging pairs"]
    assert ("Numbers", []) in words[0][1]
    assert [title for title, _ in weights] == [
        "Sampling with care (planned)",
        "Scaled dot-product attention",
    ]


def test_a_link_says_in_words_where_it_leads(made: Made) -> None:
    says = {link.name: link.says for link in links(made.path)}
    assert says["node-attention"] == "Scaled dot-product attention"
    assert says["map"] == "Back to the map"
    assert says["merges--join"] == "the next"


def test_a_link_to_a_step_that_the_track_skips_goes_to_the_site(made: Made) -> None:
    with made.open() as pdf:
        urls = {
            str(a.A.URI)
            for page in pdf.pages
            for a in page.get("/Annots", [])
            if a.Subtype == "/Link" and "/A" in a
        }
    assert "https://example.org/small/" in urls
    assert "https://example.org/law" in urls
    assert all(url.startswith("https://example.org/") for url in urls)
