"""Reading ahead changes when chapters are parsed, and nothing of what they mean."""

from pathlib import Path

from fixture_book import FixtureBook

from roadmap.load import ahead, load


def grown(book: FixtureBook, count: int) -> None:
    """The small book with `count` more planned nodes."""
    names = [f"extra-{n}" for n in range(count)]
    book.edit("roadmap.yaml", "nodes: [third]", f"nodes: [third, {', '.join(names)}]")
    for name in names:
        book.plan(name, "further", "01-further", requires="third")


def test_a_large_book_read_ahead_is_the_book_read_in_turn(book, tmp_path: Path, monkeypatch):
    grown(book, 30)
    asked = []
    monkeypatch.setattr(ahead, "start", lambda f: asked.append(f) or f)
    read = load(book.root, tmp_path / "a")
    assert len(asked) == 1
    monkeypatch.setattr(ahead, "_MANY", 1000)
    assert read == load(book.root, tmp_path / "b")
    assert (tmp_path / "a/load.txt").read_text() == (tmp_path / "b/load.txt").read_text()


def test_faults_are_reported_as_ever(book, tmp_path: Path, monkeypatch):
    grown(book, 30)
    book.edit("01-further/extra-7/chapter.md", "status: planned", "sttaus: planned")
    book.edit("01-further/extra-8/chapter.md", "## A plan", "# A plan")
    book.path("01-further/extra-9/chapter.md").write_bytes(b"\xff\xfe")
    before = load(book.root, tmp_path / "a")[1]
    monkeypatch.setattr(ahead, "_MANY", 1000)
    assert before == load(book.root, tmp_path / "b")[1]
    assert {"field-unknown", "heading-jump", "file-encoding"} <= {d.rule for d in before}


def test_a_book_known_from_last_time_is_not_read_ahead(book, tmp_path: Path, monkeypatch):
    grown(book, 30)
    first = load(book.root, tmp_path)
    monkeypatch.setattr(ahead, "start", None)  # to call it would be an error
    assert load(book.root, tmp_path) == first
