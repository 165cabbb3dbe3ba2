"""What is printed is what was written: code, signs, attachments, depths."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

from roadmap.render.notebook import notebook
from roadmap.render.pdf import TEMPLATES
from roadmap.render.pdf.engine import Book, make
from tests.roadmap.render.pdf.conftest import EXPERIMENT, TINY, Made
from tests.roadmap.render.pdf.pdf_reading import characters, mono_lines

FONTS = TEMPLATES / "fonts"


def test_quoted_code_reads_back_character_by_character_with_its_indentation(made: Made) -> None:
    wanted = [line for line in TINY.split("\n\n\n")[0].split("\n") if line]
    found = mono_lines(made.path, 7.5)
    start = found.index(wanted[0])
    assert found[start : start + len(wanted)] == wanted


def test_experiment_code_reads_back_character_by_character(made: Made) -> None:
    wanted = [line for line in EXPERIMENT.split("\n")[1:] if line]
    found = mono_lines(made.path, 7.5)
    start = found.index(wanted[0])
    assert found[start : start + len(wanted)] == wanted


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler's pdftotext is absent")
def test_poppler_extracts_the_same_code(made: Made) -> None:
    text = subprocess.run(
        ["pdftotext", "-layout", made.path, "-"], capture_output=True, text=True, check=True
    ).stdout
    lines = [" ".join(line.split()) for line in text.split("\n")]
    for line in TINY.split("\n\n\n")[0].split("\n"):
        assert " ".join(line.split()) in lines


def test_attachments_are_the_script_and_the_notebook_byte_for_byte(made: Made) -> None:
    node = made.roadmap.node("bytes")
    assert node.experiment is not None
    with made.open() as pdf:
        files = {name: spec.get_file().read_bytes() for name, spec in pdf.attachments.items()}
    assert files == {
        "bytes.py": (node.folder / "experiment.py").read_bytes(),
        "bytes.ipynb": notebook(
            node, node.experiment, made.outcomes["bytes"], made.roadmap.url
        ).encode(),
    }


def test_what_is_deeper_than_the_track_is_left_out(made: Made) -> None:
    text = "".join(c.text for page in characters(made.path) for c in page)
    assert "Only for the patient" not in text
    assert "Fused kernels" not in text
    assert "Merging pairs" in text


def test_a_closed_answer_is_printed(made: Made) -> None:
    text = "".join(c.text for page in characters(made.path) for c in page)
    assert "The first word sees itself alone." in " ".join(text.split())


def test_pages_are_told_apart_by_running_titles(made: Made) -> None:
    for page in characters(made.path)[2:]:
        header = "".join(c.text for c in page if c.bottom > 780)
        assert header == "" or header.endswith("Back to the map")
    last = "".join(c.text for c in characters(made.path)[-1] if c.bottom > 780)
    assert last == "Scaled dot-product attentionBack to the map"


SIGNS = "Łódźθαβ→≤≥≠✓☐│├└─█λΣ∞√∈"


def _drawn_by_pillow(sign: str, size: int) -> list[np.ndarray]:
    """The sign in each of the fonts that have it and that the engine may fall back to."""
    drawings = []
    for path in sorted(FONTS.glob("*-Regular.ttf")):
        font = ImageFont.truetype(path, size)
        drawn, absent = (_cell(text, font, size) for text in (sign, "\ue123"))
        if np.any(np.asarray(drawn) != np.asarray(absent)):
            drawings.append(_ink(drawn))
    return drawings


def _cell(text: str, font: ImageFont.FreeTypeFont, size: int) -> Image.Image:
    cell = Image.new("L", (2 * size, 2 * size), 255)
    ImageDraw.Draw(cell).text((size // 2, size // 2), text, font=font, fill=0)
    return cell


def _ink(picture: Image.Image) -> np.ndarray:
    """The drawing alone, scaled to 32 × 32, with its height over its width as a last row."""
    dark = 255 - np.asarray(picture.convert("L"), dtype=np.float64)
    rows, columns = np.where(dark.max(axis=1) > 60)[0], np.where(dark.max(axis=0) > 60)[0]
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    shape = Image.fromarray(dark.astype(np.uint8)).crop(box).resize((32, 32))
    ratio = np.arctan2(box[3] - box[1], box[2] - box[0]) * 255
    return np.vstack([np.asarray(shape, dtype=np.float64), np.full((1, 32), ratio)])


def test_the_glyph_that_is_drawn_is_the_one_that_was_meant(tmp_path: Path) -> None:
    """Compared with Pillow's drawing of the same fonts: text extraction alone would not see it."""
    cells = "".join(
        f'<p style="position:absolute;margin:0;left:{i % 6 * 80}pt;top:{i // 6 * 80}pt">{sign}</p>'
        for i, sign in enumerate(SIGNS)
    )
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Signs</title><style>'
        "@page{size:480pt 400pt;margin:0} p{font:40pt/80pt 'JetBrains Mono';width:80pt;"
        f"text-align:center;height:80pt}}</style></head><body>{cells}</body></html>"
    )
    out = tmp_path / "signs.pdf"
    assert (
        make([Book("signs", html, out, {}, (), "https://example.org/", 0)], FONTS, tmp_path, 1)
        == []
    )
    page = pypdfium2.PdfDocument(out)[0].render(scale=3).to_pil()
    candidates = {sign: _drawn_by_pillow(sign, 120) for sign in SIGNS}
    for i, sign in enumerate(SIGNS):
        left, top = i % 6 * 240, i // 6 * 240
        seen = _ink(page.crop((left, top, left + 240, top + 240)))
        distance = {
            c: min(float(np.abs(seen - drawing).mean()) for drawing in drawings)
            for c, drawings in candidates.items()
        }
        assert min(distance, key=lambda c: distance[c]) == sign
        assert distance[sign] < 16
