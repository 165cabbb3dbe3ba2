"""Code: what a page shows is, character for character, what the file says."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadmap.render.code import code_html


def shown(rendered: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", rendered))


@pytest.mark.parametrize("language", ["python", "bash", "", "text", "no-such-language"])
@given(
    source=st.text(
        st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
    ).filter(lambda s: not s.startswith("\n"))
)
def test_the_text_of_highlighted_code_is_the_source(language: str, source: str):
    assert shown(code_html(source, language)) == source.rstrip("\n")


def test_keywords_names_and_comments_carry_their_classes():
    rendered = code_html("def f():\n    return 1  # one\n", "python")
    for css, text in [("k", "def"), ("nf", "f"), ("c1", "# one"), ("m", "1")]:
        assert re.search(rf'<span class="{css}">{re.escape(text)}\s*</span>', rendered)


def test_names_and_punctuation_cost_no_span():
    assert "<span" not in code_html("a.b(c, d)[0:n]".replace("0", "k"), "python")
