"""Figures: the theme's colour on the site, ink on paper, and ids that never collide."""

import base64
import re

from roadmap.model import INK
from roadmap.render.figures import notebook_svg, print_svg, site_svg

SVG = f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">
 <metadata><x>date</x></metadata>
 <defs><clipPath id="clip"><rect width="10"/></clipPath><path id="unused" d=""/></defs>
 <g clip-path="url(#clip)"><path stroke="{INK}" style="fill: #1f77c9"/></g>
</svg>
"""


def test_on_the_site_ink_becomes_the_colour_of_the_text():
    svg = site_svg(SVG, "a curve", "p")
    assert INK not in svg
    assert 'stroke="currentColor"' in svg
    assert "#1f77c9" in svg
    assert svg.startswith('<svg role="img" aria-label="a curve"')


def test_ids_are_told_apart_and_references_follow_them():
    svg = site_svg(SVG, "a", "attention-cell-1")
    ids = re.findall(r'id="([^"]+)"', svg)
    assert ids == ["attention-cell-1-clip"]
    assert "url(#attention-cell-1-clip)" in svg


def test_alt_text_is_escaped():
    assert 'aria-label="a &lt; &quot;b&quot;"' in site_svg(SVG, 'a < "b"', "p")


def test_on_paper_a_figure_is_an_image_in_black():
    image = print_svg(SVG.replace("#1f77c9", "currentColor"), "a curve")
    data = re.search(r"base64,([^\"]+)", image)
    assert data is not None
    svg = base64.b64decode(data[1]).decode()
    assert INK not in svg
    assert "currentColor" not in svg
    assert 'alt="a curve"' in image


def test_a_notebook_gets_a_plain_svg():
    assert notebook_svg(SVG).startswith("<svg")
    assert INK not in notebook_svg(SVG)
