"""Search records hold what readers look for, in the section where it stands."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from sample_site import BODY, PLANTED, sample_roadmap

from roadmap.render.search import search_js, search_record


def test_a_planted_word_is_found_in_its_own_section_alone() -> None:
    node_id, title, planned, sections = search_record(sample_roadmap().node("attention"), BODY)
    assert (node_id, title, planned) == ("attention", "Scaled dot-product attention", False)
    assert [s[0] for s in sections if PLANTED in s[2]] == ["in-practice"]
    assert [s[1] for s in sections][:3] == ["", "The idea", "Shapes"]


def test_code_is_kept_apart_and_outputs_formulas_and_the_script_are_left_out() -> None:
    sections = search_record(sample_roadmap().node("attention"), BODY)[3]
    everything = json.dumps(sections)
    assert "def attend(q, k, v):" in sections[1][3]
    assert "def attend" not in sections[1][2]
    assert "tensor([0.1" not in everything
    assert "onlyinthescript" not in everything
    assert "⊤" not in json.dumps(sections, ensure_ascii=False)


def test_the_summary_and_what_is_taught_are_found() -> None:
    sections = search_record(sample_roadmap().node("attention"), "<p>Text.</p>")[3]
    assert "in one sentence" in sections[0][2]
    assert "softmax stability" in sections[0][2]


def test_words_stay_whole_and_entities_are_read() -> None:
    html = (
        "<p>re<em>mark</em>able &lt;pad&gt;</p><p>next</p>"
        '<h2 id="a" class="b">A <code>b</code></h2>x'
    )
    sections = search_record(sample_roadmap().node("block"), html)[3]
    assert sections[0][2].endswith("remarkable <pad> next")
    assert sections[1] == ("a", "A b", "x", "")


@given(st.text())
def test_any_text_survives_the_way_into_the_script(text: str) -> None:
    record = ("a", text, False, (("", "", text, ""),))
    script = search_js([record])
    assert "</" not in script
    (back,) = json.loads(script.removeprefix("window.roadmapSearch = ").removesuffix(";\n"))
    assert back == ["a", text, False, [["", "", text, ""]]]
