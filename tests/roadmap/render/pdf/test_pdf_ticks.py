"""A reader's tick is drawn by every viewer, is one for all boxes of a step, and comes back."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image

from roadmap.diagnostics import BuildError
from roadmap.render.pdf.progress import progress_file, read_ticks
from tests.roadmap.render.pdf.conftest import Made

READY = {"bytes", "merges", "attention"}


def boxes(path: Path, name: str) -> list[tuple[int, list[float]]]:
    """The page and rectangle of each checkbox of the field `name`."""
    with pikepdf.open(path) as pdf:
        return [
            (number, [float(v) for v in a.Rect])
            for number, page in enumerate(pdf.pages)
            for a in page.get("/Annots", [])
            if a.Subtype == "/Widget" and str((a if "/T" in a else a.Parent).T) == name
        ]


def click(source: Path, target: Path, name: str) -> None:
    """Tick the first box of `name` with pdfium, as Chrome does, and save."""
    document = pypdfium2.PdfDocument(source)
    document.init_forms()
    assert document.formenv is not None
    number, (left, bottom, right, top) = boxes(source, name)[0]
    page = document[number]
    x, y = (left + right) / 2, (bottom + top) / 2
    pdfium.FORM_OnMouseMove(document.formenv, page, 0, x, y)
    pdfium.FORM_OnLButtonDown(document.formenv, page, 0, x, y)
    pdfium.FORM_OnLButtonUp(document.formenv, page, 0, x, y)
    document.save(target)


def fill(source: Path, target: Path, name: str) -> None:
    """Set the field `name` as a viewer that writes only the values does."""
    with pikepdf.open(source) as pdf:
        [field] = [f for f in pdf.Root.AcroForm.Fields if str(f.T) == name]
        field.V = pikepdf.Name.on
        for box in field.get("/Kids", [field]):
            box.AS = pikepdf.Name.on
        pdf.save(target)


def test_each_step_that_can_be_done_has_one_field_with_its_id(made: Made) -> None:
    with made.open() as pdf:
        names = [str(field.T) for field in pdf.Root.AcroForm.Fields]
    assert sorted(names) == sorted(READY)
    assert all(len(boxes(made.path, name)) == 3 for name in READY)


def test_nothing_is_left_for_the_viewer_to_draw(made: Made) -> None:
    with made.open() as pdf:
        assert "/NeedAppearances" not in pdf.Root.AcroForm
        for field in pdf.Root.AcroForm.Fields:
            for box in field.Kids:
                assert set(box.AP.N.keys()) == {"/Off", "/on"}


def test_an_untouched_book_has_no_ticks(made: Made) -> None:
    assert read_ticks(made.path) == dict.fromkeys(READY, False)


def test_a_click_in_pdfium_is_read_back(made: Made, tmp_path: Path) -> None:
    click(made.path, tmp_path / "ticked.pdf", "merges")
    assert read_ticks(tmp_path / "ticked.pdf") == {
        "bytes": False,
        "merges": True,
        "attention": False,
    }


def test_a_filled_field_is_read_back(made: Made, tmp_path: Path) -> None:
    fill(made.path, tmp_path / "ticked.pdf", "attention")
    assert [name for name, on in read_ticks(tmp_path / "ticked.pdf").items() if on] == ["attention"]


def test_a_box_without_a_value_is_read_by_its_appearance(made: Made, tmp_path: Path) -> None:
    with made.open() as pdf:
        [field] = [f for f in pdf.Root.AcroForm.Fields if str(f.T) == "bytes"]
        del field["/V"]
        field.Kids[1].AS = pikepdf.Name.on
        pdf.save(tmp_path / "ticked.pdf")
    assert read_ticks(tmp_path / "ticked.pdf")["bytes"]


def green(path: Path, page: int, rectangle: list[float], folder: Path) -> int:
    """How many pixels of a box poppler draws in the tick's green."""
    command = ["pdftoppm", "-r", "144", "-f", str(page + 1), "-l", str(page + 1), "-png"]
    subprocess.run([*command, path, folder / path.stem], check=True)
    [file] = folder.glob(f"{path.stem}-*.png")
    picture = Image.open(file).convert("RGB")
    left, bottom, right, top = (2 * v for v in rectangle)
    area = picture.crop(
        (int(left), int(picture.height - top), int(right), int(picture.height - bottom))
    )
    file.unlink()
    pixels = [area.getpixel((x, y)) for x in range(area.width) for y in range(area.height)]
    return sum(g > r + 25 and g > b + 15 for r, g, b in pixels)


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler's pdftoppm is absent")
def test_poppler_draws_the_tick_in_every_box_of_the_step_and_in_no_other(
    made: Made, tmp_path: Path
) -> None:
    click(made.path, tmp_path / "ticked.pdf", "merges")
    for page, rectangle in boxes(made.path, "merges"):
        assert green(made.path, page, rectangle, tmp_path) == 0
        assert green(tmp_path / "ticked.pdf", page, rectangle, tmp_path) > 8
    for page, rectangle in boxes(made.path, "bytes"):
        assert green(tmp_path / "ticked.pdf", page, rectangle, tmp_path) == 0


PDFJS = """
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
const require = createRequire(process.cwd() + '/');
const pdfjs = await import(require.resolve('pdfjs-dist/legacy/build/pdf.mjs'));
const data = new Uint8Array(readFileSync(process.argv[1]));
const document = await pdfjs.getDocument({ data, verbosity: 0 }).promise;
const fields = await document.getFieldObjects();
const attachments = await document.getAttachments();
console.log(JSON.stringify({
  fields: Object.fromEntries(Object.entries(fields).map(
    ([name, kids]) => [name, kids.filter(k => k.type === 'checkbox').map(k => k.value)])),
  files: [...(attachments instanceof Map ? attachments.keys() : Object.keys(attachments))],
}));
process.exit(0);
"""


def test_pdfjs_sees_the_fields_and_the_attachments(made: Made, tmp_path: Path) -> None:
    node = shutil.which("node")
    found = node and subprocess.run(
        [node, "-p", "require.resolve('pdfjs-dist')"], capture_output=True
    )
    if not found or found.returncode:
        pytest.skip("node with pdfjs-dist is absent")
    fill(made.path, tmp_path / "ticked.pdf", "bytes")
    command = [str(node), "--input-type=module", "-e", PDFJS, str(tmp_path / "ticked.pdf")]
    seen = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert seen["fields"].keys() == READY
    assert set(seen["fields"]["bytes"]) == {"on"}
    assert set(seen["fields"]["merges"]) == {"Off"}
    assert sorted(seen["files"]) == ["bytes.ipynb", "bytes.py"]


def test_the_progress_file_holds_what_was_ticked_in_the_form_the_site_imports(
    made: Made, tmp_path: Path
) -> None:
    click(made.path, tmp_path / "ticked.pdf", "bytes")
    assert progress_file(tmp_path / "ticked.pdf", made.roadmap, date(2026, 2, 3)) == {
        "format": "llm-roadmap-progress",
        "version": 1,
        "nodes": {"bytes": {"state": "done", "digest": "", "changed": "2026-02-03"}},
    }


def reason(path: Path) -> str:
    with pytest.raises(BuildError) as caught:
        read_ticks(path)
    [found] = caught.value.diagnostics
    assert found.rule == "progress-unreadable"
    assert found.hint
    return found.message.partition(": ")[2]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert reason(tmp_path / "none.pdf").startswith("it cannot be opened")


def test_a_file_that_is_no_pdf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_text("Dear diary", encoding="utf-8")
    assert reason(tmp_path / "notes.pdf") == "it is not a PDF"


@pytest.mark.parametrize("part", [0.02, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(made: Made, tmp_path: Path, part: float) -> None:
    whole = made.path.read_bytes()
    (tmp_path / "cut.pdf").write_bytes(whole[: int(len(whole) * part)])
    assert reason(tmp_path / "cut.pdf") == "the file is damaged or cut short"


def test_an_encrypted_file_is_refused(made: Made, tmp_path: Path) -> None:
    with made.open() as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="o", user="u"))
    assert reason(tmp_path / "locked.pdf") == "it is encrypted"


def test_a_pdf_without_checkboxes_is_refused(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(tmp_path / "blank.pdf")
    assert reason(tmp_path / "blank.pdf") == "it has none of the book's checkboxes"


def test_a_form_of_something_else_is_refused(made: Made, tmp_path: Path) -> None:
    with made.open() as pdf:
        for field in pdf.Root.AcroForm.Fields:
            field.T = pikepdf.String(f"other-{field.T}")
        pdf.save(tmp_path / "other.pdf")
    with pytest.raises(BuildError) as caught:
        progress_file(tmp_path / "other.pdf", made.roadmap, date(2026, 2, 3))
    assert "not those of this book" in caught.value.diagnostics[0].message
