"""The engine gives the same bytes every time, and turns every trouble into one clear diagnostic."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from roadmap.diagnostics import Diagnostic
from roadmap.render.math import Math
from roadmap.render.pdf import TEMPLATES, engine, libraries, render_pdf
from roadmap.render.pdf.engine import Book, make
from roadmap.render.pdf.post import Attachment
from tests.roadmap.render.pdf.conftest import EDITION, Made, load_book, outcomes, write_book

ROOT = Path(__file__).resolve().parents[4]
FONTS = TEMPLATES / "fonts"


def book(out: Path, body: str = "<p>Text.</p>", **changes: object) -> Book:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>T</title></head>'
        f"<body><h1>T</h1>{body}</body></html>"
    )
    values: dict[str, object] = {
        "name": "small",
        "html": html,
        "out": out,
        "titles": {},
        "files": (),
        "base_url": "https://example.org/",
        "epoch": 0,
    }
    return Book(**(values | changes))  # type: ignore[arg-type]


def made_of(folder: Path, body: str, **changes: object) -> list[Diagnostic]:
    return make([book(folder / "out.pdf", body, **changes)], FONTS, folder / "cache", 1)


@pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is absent")
def test_qpdf_finds_nothing_wrong(made: Made) -> None:
    done = subprocess.run(["qpdf", "--check", made.path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


SCRIPT = """
import sys
from pathlib import Path
from tests.roadmap.render.pdf.conftest import EDITION, load_book, outcomes, write_book
from roadmap.render.math import Math
from roadmap.render.pdf import render_pdf
work = Path.cwd()
write_book(work)
book = load_book(work)
given = {"cache": work / "c", "math": Math(), "edition": EDITION}
assert render_pdf(book, outcomes(), book.tracks[0], work / "out.pdf", **given) == []
"""


def test_bytes_do_not_depend_on_process_hash_seed_time_zone_or_folder(
    made: Made, tmp_path: Path
) -> None:
    for seed, zone, name in (("1", "Asia/Tokyo", "a b"), ("77", "America/Lima", "ö")):
        folder = tmp_path / name
        folder.mkdir()
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "PYTHONPATH": str(ROOT),
            "SOURCE_DATE_EPOCH": "12345",
        }
        subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, env=environment, check=True)
        assert (folder / "out.pdf").read_bytes() == made.path.read_bytes()


def test_dates_are_the_editions(made: Made) -> None:
    with made.open() as pdf:
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20260101")
        for spec in pdf.attachments.values():
            assert spec.get_file().creation_date.year == 2026


def test_no_path_of_the_machine_is_in_the_file(made: Made, project: Path) -> None:
    with made.open() as pdf:
        pdf.save(made.path.with_name("plain.pdf"), compress_streams=False, object_stream_mode=1)  # type: ignore[arg-type]
    whole = made.path.with_name("plain.pdf").read_bytes()
    for path in (project, made.path.parent, ROOT):
        assert str(path).encode() not in whole
    assert b"file:///" not in whole


def test_an_unchanged_book_starts_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made_of(tmp_path, "<p>Once.</p>") == []
    first = (tmp_path / "out.pdf").read_bytes()
    (tmp_path / "out.pdf").unlink()
    monkeypatch.setattr(engine.subprocess, "run", None)
    assert made_of(tmp_path, "<p>Once.</p>") == []
    assert (tmp_path / "out.pdf").read_bytes() == first


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": 1},
        {"titles": {"a": "b"}},
        {"files": (Attachment("a.py", "", "1"),)},
        {"base_url": "https://example.net/"},
    ],
)
def test_whatever_goes_into_the_file_makes_it_anew(
    tmp_path: Path, change: dict[str, object]
) -> None:
    assert made_of(tmp_path, "<p>Once.</p>") == []
    [before] = (tmp_path / "cache").glob("*.pdf")
    assert made_of(tmp_path, "<p>Once.</p>", **change) == []
    [after] = (tmp_path / "cache").glob("*.pdf")
    assert before.name != after.name


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<p><a href="#nowhere">x</a></p>', "No anchor #nowhere"),
        ("<p><img src=\"data:image/svg+xml,<svg xmlns='x'/>\"></p>", "no required alt"),
        ('<p style="colour: red">x</p>', "Ignored"),
        ('<p><img alt="x" src="https://example.org/x.png"></p>', "disallowed protocol"),
        ('<p><img alt="x" src="file:///etc/hostname"></p>', "disallowed protocol"),
    ],
)
def test_what_the_pdf_engine_only_logs_stops_the_build(
    tmp_path: Path, body: str, says: str
) -> None:
    found = made_of(tmp_path, body)
    assert {d.rule for d in found} == {"pdf-warning"}, found
    assert any(says in d.message for d in found), found
    assert not (tmp_path / "out.pdf").exists()


def test_a_failed_book_leaves_the_last_good_one(tmp_path: Path) -> None:
    (tmp_path / "out.pdf").write_bytes(b"good")
    assert made_of(tmp_path, '<a href="#nowhere">x</a>') != []
    assert (tmp_path / "out.pdf").read_bytes() == b"good"
    assert made_of(tmp_path, '<a href="#nowhere">x</a>') != []


def test_a_character_that_no_font_has_is_shown_where_it_is_written(tmp_path: Path) -> None:
    content = write_book(tmp_path)
    chapter = content / "01-weights/attention/chapter.md"
    text = chapter.read_text(encoding="utf-8").replace("Words in order", "Words 語 in order")
    chapter.write_text(text, encoding="utf-8")
    roadmap = load_book(tmp_path)
    [found] = render_pdf(
        roadmap,
        outcomes(),
        roadmap.tracks[0],
        tmp_path / "out.pdf",
        cache=tmp_path / "cache",
        math=Math(),
        edition=EDITION,
    )
    assert found.rule == "glyph-missing"
    assert "“語” (U+8A9E)" in found.message
    assert found.span is not None
    lines = text.split("\n")
    assert found.span.path == chapter
    assert lines[found.span.line - 1][found.span.column - 1] == "語"


def test_a_process_that_dies_is_reported_with_its_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object, **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], -signal.SIGKILL, "", "the last\nwords")

    monkeypatch.setattr(engine.subprocess, "run", killed)
    [found] = made_of(tmp_path, "<p>x</p>")
    assert found.rule == "pdf-warning"
    assert "signal 9" in found.message
    assert found.notes == ("the last", "words")


def test_missing_system_libraries_are_named_with_the_line_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = tmp_path / "shadow" / "weasyprint"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text(
        "raise OSError(\"cannot load library 'libpango-1.0-0': no such file\")", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "shadow"))
    [found] = made_of(tmp_path, "<p>x</p>")
    assert found.rule == "pdf-libraries"
    assert "libpango-1.0-0" in found.message
    assert libraries.install_command() in found.hint


def test_the_doctor_finds_nothing_here() -> None:
    assert libraries.doctor() == []


def test_the_line_to_run_fits_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries.platform, "system", lambda: "Darwin")
    assert libraries.install_command() == "brew install pango"
    monkeypatch.setattr(libraries.platform, "system", lambda: "Linux")
    monkeypatch.setattr(libraries.shutil, "which", lambda name: name if name == "dnf" else None)
    assert libraries.install_command() == "sudo dnf install -y pango"
    monkeypatch.setattr(libraries.shutil, "which", lambda name: name)
    assert libraries.install_command().startswith("sudo apt-get install -y libpango-1.0-0 ")


def test_a_place_that_cannot_be_written_is_one_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    [found] = make([book(tmp_path / "file" / "out.pdf")], FONTS, tmp_path / "cache", 1)
    assert found.rule == "publish-failed"
    assert "out.pdf" in found.message


def test_books_are_made_side_by_side_and_each_reports_for_itself(tmp_path: Path) -> None:
    good = book(tmp_path / "good.pdf", name="good")
    bad = book(tmp_path / "bad.pdf", '<a href="#nowhere">x</a>', name="bad")
    [found] = make([bad, good], FONTS, tmp_path / "cache", 2)
    assert "bad" in found.message
    assert (tmp_path / "good.pdf").exists()
    assert not (tmp_path / "bad.pdf").exists()


REFERENCES = """
import sys
from io import BytesIO
from weasyprint import HTML
from roadmap.render.pdf import weasyprint_fixes
import weasyprint.layout.page as page
made = []
make_page = page.make_page
page.make_page = lambda *given: (made.append(given[4]), make_page(*given))[1]
if sys.argv[1] == "repaired":
    weasyprint_fixes.apply()
items = "".join(f'<p><a href="#c{i}">x</a> <b data-to="#c{30 - i}"></b></p>' for i in range(31))
back = '<h1 id="c{}">{}</h1><p>{}<a href="#c{}"></a></p>'
texts = "".join(back.format(i, i, "word " * 40 * i, i // 2) for i in range(31))
style = "@page{size:300px} a::after,b::before{content:target-counter(attr(href),page)}"
style += "b::before{content:target-counter(attr(data-to),page)} h1{break-before:page}"
html = f"<html lang=en><title>T</title><style>{style}</style><body>{items}{texts}"
target = BytesIO()
HTML(string=html).write_pdf(target, pdf_variant="pdf/ua-1", uncompressed_pdf=True)
sys.stdout.buffer.write(len(made).to_bytes(4) + target.getvalue())
"""


def test_the_repairs_save_rounds_of_layout_and_change_no_byte() -> None:
    def run(how: str) -> bytes:
        command = [sys.executable, "-c", REFERENCES, how]
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout

    plain, repaired = run("plain"), run("repaired")
    assert repaired[4:] == plain[4:]
    assert len(plain) > 50_000
    assert repaired[:4] < plain[:4]


def test_a_kept_book_that_was_damaged_is_made_again(tmp_path: Path) -> None:
    assert make([book(tmp_path / "a.pdf")], FONTS, tmp_path / "cache", 1) == []
    whole = (tmp_path / "a.pdf").read_bytes()
    [kept] = (tmp_path / "cache").glob("*.pdf")
    kept.write_bytes(whole[:2000])
    assert make([book(tmp_path / "b.pdf")], FONTS, tmp_path / "cache", 1) == []
    assert (tmp_path / "b.pdf").read_bytes() == whole
