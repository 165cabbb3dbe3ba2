"""Where boxes and curves lie, held against plane geometry and the font's own tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from roadmap.diagnostics import BuildError
from roadmap.load import load
from roadmap.model import Roadmap
from roadmap.render import layout as layout_module
from roadmap.render.engine_js import GRAPHVIZ, Engine
from roadmap.render.graph import graph, neighbourhood
from roadmap.render.layout import FONT, Box, Curve, Layout, Point, layout, wrap
from roadmap.render.map import PRINT_HEIGHT, PRINT_WIDTH

NEAR = 1.0
"""Points: below what an eye sees, above what is lost in rounding."""
CONTENT = Path(__file__).resolve().parents[3] / "content"
WORDS = st.text("abcdefghijklmnoprstuvwyz-", min_size=1, max_size=18)
TITLES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(GRAPHVIZ) as started:
        yield started


@pytest.fixture(scope="module")
def whole_book() -> Roadmap:
    roadmap, diagnostics = load(CONTENT)
    assert roadmap is not None
    assert not roadmap.broken, diagnostics
    return roadmap


def overlap(a: Box, b: Box) -> bool:
    return (
        a.left < b.left + b.width
        and b.left < a.left + a.width
        and a.top < b.top + b.height
        and b.top < a.top + a.height
    )


def distance_to_border(point: Point, box: Box) -> float:
    x, y = point[0] - box.left, point[1] - box.top
    outside = max(-x, 0, x - box.width), max(-y, 0, y - box.height)
    if outside != (0, 0):
        return float((outside[0] ** 2 + outside[1] ** 2) ** 0.5)
    return min(x, box.width - x, y, box.height - y)


def along(curve: Curve, steps: int = 16) -> Iterator[Point]:
    """Points of the curve, by de Casteljau's construction."""
    points = curve.points
    for first in range(0, len(points) - 1, 3):
        for step in range(steps + 1):
            t, left = step / steps, list(points[first : first + 4])
            while len(left) > 1:
                left = [
                    (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])) for a, b in pairwise(left)
                ]
            yield left[0]
    yield curve.tip


def assert_sound(placed: Layout) -> None:
    boxes = {b.node: b for b in placed.boxes}
    for box in placed.boxes:
        assert -NEAR <= box.left <= box.left + box.width <= placed.width + NEAR
        assert -NEAR <= box.top <= box.top + box.height <= placed.height + NEAR
    for a, b in combinations(placed.boxes, 2):
        assert not overlap(a, b), (a.node, b.node)
    for curve in placed.curves:
        assert distance_to_border(curve.points[0], boxes[curve.source]) < NEAR
        assert distance_to_border(curve.tip, boxes[curve.target]) < NEAR
        if curve.kind == "requires":
            assert boxes[curve.source].top < boxes[curve.target].top


@given(
    st.lists(TITLES, min_size=1, max_size=9),
    st.lists(st.sampled_from("--rs"), min_size=36, max_size=36),
)
@settings(max_examples=25)
def test_boxes_never_overlap_and_every_edge_runs_from_border_to_border(
    road: Any, engine: Engine, tmp_path_factory: Any, titles: list[str], kinds: list[str]
) -> None:
    pairs = [(a, b) for b in range(len(titles)) for a in range(b)]
    kind = dict(zip(pairs, kinds, strict=False))
    before = {
        letter: {
            f"n{b}": [f"n{a}" for a in range(b) if kind[a, b] == letter] for b in range(len(titles))
        }
        for letter in "rs"
    }
    roadmap = road(
        before["r"], recommends=before["s"], titles={f"n{i}": t for i, t in enumerate(titles)}
    )
    placed = layout(roadmap, tmp_path_factory.mktemp("layouts"), engine=engine)
    assert_sound(placed)
    assert {b.node for b in placed.boxes} == {n.id for n in roadmap}
    drawn = {(e.source, e.target, e.kind) for e in graph(roadmap).drawn}
    assert {(c.source, c.target, c.kind) for c in placed.curves} == drawn
    rows = [round(b.top + b.height / 2) for b in placed.boxes]
    assert rows == sorted(rows)


@given(TITLES)
def test_wrapping_keeps_the_words_and_never_makes_a_line_longer_than_its_longest_word_needs(
    title: str,
) -> None:
    lines = wrap(title)
    assert " ".join(lines).split() == title.split()
    assert max(map(len, lines)) <= max(layout_module.WRAP, *map(len, title.split()))


def test_every_label_of_the_book_fits_its_box_by_the_fonts_own_advance_widths(
    whole_book: Roadmap, engine: Engine, tmp_path: Path
) -> None:
    font = TTFont(FONT)
    glyphs, advances = font.getBestCmap(), font["hmtx"].metrics
    scale = layout_module.FONT_SIZE / font["head"].unitsPerEm
    for box in layout(whole_book, tmp_path, engine=engine).boxes:
        for line in box.lines:
            width = sum(advances[glyphs[ord(c)]][0] for c in line) * scale
            assert width + 6 < box.width, line
        assert len(box.lines) * layout_module.FONT_SIZE * 1.15 < box.height


def test_the_books_map_fits_a_page_legibly_with_no_edge_through_a_box(
    whole_book: Roadmap, engine: Engine, tmp_path: Path
) -> None:
    placed = layout(whole_book, tmp_path, engine=engine)
    assert len(placed.boxes) == len(whole_book.nodes)
    assert_sound(placed)
    scale = min(1.0, PRINT_WIDTH / placed.width, PRINT_HEIGHT / placed.height)
    assert placed.font_size * scale >= 9.0
    for curve in placed.curves:
        for box in placed.boxes:
            if box.node not in (curve.source, curve.target):
                inside = Box("", (), box.left + 1, box.top + 1, box.width - 2, box.height - 2)
                at = [Box("", (), x, y, 0, 0) for x, y in along(curve)]
                assert not any(overlap(inside, p) for p in at), (curve, box)


def test_every_stages_own_map_fits_a_page_legibly(
    whole_book: Roadmap, engine: Engine, tmp_path: Path
) -> None:
    for stage in whole_book.stages:
        own = {n.id for n in whole_book.in_stage(stage.id)}
        near = neighbourhood(whole_book, stage.id)
        placed = layout(whole_book, tmp_path, nodes=near, focus=own, engine=engine)
        assert_sound(placed)
        assert all({c.source, c.target} & own for c in placed.curves)
        assert placed.font_size * min(1.0, PRINT_WIDTH / placed.width) >= 9.0


def test_a_kept_layout_is_read_again_without_graphviz(road: Any, tmp_path: Path) -> None:
    roadmap = road({"a": [], "b": ["a"]})
    first = layout(roadmap, tmp_path)
    assert layout(roadmap, tmp_path, engine=Engine(Path("/nowhere"))) == first


def test_a_layout_kept_for_other_titles_of_the_same_size_shows_the_right_titles(
    road: Any, tmp_path: Path, engine: Engine
) -> None:
    layout(road({"a": []}, titles={"a": "now"}), tmp_path, engine=engine)
    placed = layout(road({"a": []}, titles={"a": "own"}), tmp_path, engine=engine)
    assert placed.boxes[0].lines == ("own",)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda text: text[:40], lambda text: text.replace("1", "2")])
def test_a_broken_cache_is_made_again(
    damage: Callable[[str], str], road: Any, tmp_path: Path, engine: Engine
) -> None:
    roadmap = road({"a": [], "b": ["a"]})
    first = layout(roadmap, tmp_path, engine=engine)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_text(encoding="utf-8")
    assert damage(whole) != whole
    kept.write_text(damage(whole), encoding="utf-8")
    assert layout(roadmap, tmp_path, engine=engine) == first


def test_a_road_without_nodes_is_an_empty_map(road: Any, tmp_path: Path, engine: Engine) -> None:
    placed = layout(road({}), tmp_path, engine=engine)
    assert (placed.boxes, placed.curves) == ((), ())


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's dot")
def test_the_machines_own_dot_gives_the_same_boxes_in_the_same_rows(
    road: Any, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    roadmap = road({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    vendored = layout(roadmap, tmp_path, engine=engine)
    monkeypatch.setenv(layout_module.USE_DOT, "1")
    own = layout(roadmap, tmp_path)
    assert_sound(own)
    for box, theirs in zip(vendored.boxes, own.boxes, strict=True):
        assert box.lines == theirs.lines
        assert (theirs.top, theirs.width, theirs.height) == pytest.approx(
            (box.top, box.width, box.height), abs=NEAR
        )


def test_asking_for_a_dot_that_is_not_there_says_so_and_what_to_do(
    road: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError) as caught:
        layout(road({"a": []}), tmp_path, use_dot=True)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.rule == "layout-failed"
    assert layout_module.USE_DOT in diagnostic.hint


def test_graphvizs_own_complaint_is_a_diagnostic(
    road: Any, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_module, "dot", lambda *_: "digraph {")
    with pytest.raises(BuildError, match="syntax error"):
        layout(road({"a": []}), tmp_path, engine=engine)
