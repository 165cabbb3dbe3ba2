"""The HTML of a book: what is in it, for whom, and from when."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from roadmap.model import Node, Roadmap, Stage
from roadmap.render.pdf import TEMPLATES
from roadmap.render.pdf.document import book_html, duration, edition
from tests.roadmap.render.pdf.conftest import EDITION, Made, outcomes


def html_of(roadmap: Roadmap, track: int) -> str:
    def chapter(node: Node) -> str:
        return f'<p>Body of {node.id}.</p><hr class="footnotes-sep"><p>Notes of {node.id}.</p>'

    def map_of(stage: Stage | None) -> str:
        return f"<nav>{stage.id if stage else 'all'}</nav>"

    return book_html(
        roadmap, outcomes(), roadmap.tracks[track], chapter, map_of, EDITION, TEMPLATES
    )


def test_a_track_has_its_own_steps_and_no_others(made: Made) -> None:
    beginner, researcher = (html_of(made.roadmap, i) for i in (0, 1))
    assert 'id="node-kernels"' not in beginner
    assert 'id="node-kernels"' in researcher
    assert re.findall(r"Body of (\w+)", beginner) == ["bytes", "merges", "attention"]
    assert re.findall(r"Body of (\w+)", researcher) == ["bytes", "merges", "attention", "kernels"]


def test_the_map_of_all_comes_first_and_each_stage_has_its_own(made: Made) -> None:
    maps = re.findall(r"<nav>(\w+)</nav>", html_of(made.roadmap, 0))
    assert maps == ["all", "words", "weights"]


def test_every_id_is_given_once(made: Made) -> None:
    ids = re.findall(r' id="([^"]+)"', html_of(made.roadmap, 1))
    assert len(ids) == len(set(ids))
    assert {f"node-{n.id}" for n in made.roadmap} <= set(ids)


def test_a_planned_step_is_marked_and_has_no_body_and_no_box(made: Made) -> None:
    html = html_of(made.roadmap, 0)
    assert "Body of sampling" not in html
    assert 'name="sampling"' not in html
    row = html[html.index('id="node-sampling"') :]
    assert "planned" in row[: row.index("</tr>")]


def test_footnotes_come_after_all_else_of_a_chapter(made: Made) -> None:
    html = html_of(made.roadmap, 0)
    chapter = html[html.index("Body of bytes") : html.index("</article>")]
    assert chapter.index("iconv") < chapter.index("Notes of bytes")
    assert chapter.count("Notes of") == 1


def test_what_a_step_needs_and_opens_is_linked_both_ways(made: Made) -> None:
    html = html_of(made.roadmap, 0)
    chapter = html[html.index('id="node-merges"') :]
    card = chapter[: chapter.index("</table>")]
    assert re.search(r"Needs.*#node-bytes", card)
    assert re.search(r"Leads to.*#node-attention", card)


def test_text_from_the_book_is_escaped(made: Made) -> None:
    from dataclasses import replace

    nodes = tuple(replace(n, title=f"<b>{n.title}</b> & co") for n in made.roadmap)
    html = html_of(replace(made.roadmap, nodes=nodes), 0)
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "0 min"), (45, "45 min"), (60, "1 h"), (90, "1 h 30 min")]
)
def test_durations_read_as_people_say_them(minutes: int, text: str) -> None:
    assert duration(minutes) == text


def test_the_edition_is_the_given_date_then_the_last_commit_then_now(tmp_path: Path) -> None:
    assert edition(tmp_path, {"SOURCE_DATE_EPOCH": "86400"}).date.isoformat() == "1970-01-02"
    assert edition(tmp_path, {}).epoch > 1_700_000_000
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    made = edition(tmp_path, {})
    assert re.fullmatch("[0-9a-f]{7,}", made.commit)
    assert edition(tmp_path, {"SOURCE_DATE_EPOCH": "5"}) == type(made)(5, made.commit)
