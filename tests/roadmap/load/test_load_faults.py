"""Each fault of a file gives one finding: the right rule, at the right place, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_book import FixtureBook
from planted import Fault, append, edit

from roadmap.load import load

CHAPTER, SECOND, SCRIPT = FixtureBook.chapter, FixtureBook.second, FixtureBook.experiment


def _overwrite(file: str, raw: bytes) -> object:
    return lambda book: book.path(file).write_bytes(raw)


def _link_out(book: FixtureBook) -> None:
    outside = book.project / "outside.md"
    outside.write_text(book.read(SECOND), encoding="utf-8")
    book.path(SECOND).unlink()
    book.path(SECOND).symlink_to(outside)


def _link_folder_out(book: FixtureBook) -> None:
    book.path("00-basics/second").rename(book.project / "second")
    book.path("00-basics/second").symlink_to(book.project / "second")


def _unlisted(book: FixtureBook) -> None:
    book.plan("stray", "basics", "00-basics")


def _folder_for_file(book: FixtureBook) -> None:
    book.path(SCRIPT).unlink()
    book.path(SCRIPT).mkdir()


FAULTS = [
    # files
    Fault(
        "chapter missing",
        lambda b: b.path(SECOND).unlink(),
        "file-missing",
        "roadmap.yaml",
        "second",
        hint="Create the file",
    ),
    Fault(
        "node's folder missing",
        edit("roadmap.yaml", "[first, second]", "[first, second, secnod]"),
        "file-missing",
        "roadmap.yaml",
        "secnod",
        hint="Did you mean `second`?",
    ),
    Fault(
        "node listed in another stage",
        lambda b: (
            b.edit("roadmap.yaml", "[third]", "[]"),
            b.edit("roadmap.yaml", "[first, second]", "[first, second, third]"),
        ),
        "file-missing",
        "roadmap.yaml",
        "third",
        hint="There is 01-further/third",
    ),
    Fault(
        "node that is nowhere",
        edit("roadmap.yaml", "[third]", "[third, xyz]"),
        "file-missing",
        "roadmap.yaml",
        "xyz",
        hint="`roadmap new-node xyz --stage further`",
    ),
    Fault(
        "stage's folder missing",
        edit("roadmap.yaml", "folder: 01-further\n", "folder: 01-furthest\n"),
        "file-missing",
        "roadmap.yaml",
        "01-furthest",
        hint="Did you mean `01-further`?",
    ),
    Fault(
        "stage's folder outside",
        edit("roadmap.yaml", "01-further\n", "../further\n"),
        "path-escapes-book",
        "roadmap.yaml",
        "../further",
    ),
    Fault("chapter links out", _link_out, "path-escapes-book", SECOND, "-"),
    Fault("folder links out", _link_folder_out, "path-escapes-book", "roadmap.yaml", "second"),
    Fault("folder in place of a file", _folder_for_file, "file-unreadable", SCRIPT, ""),
    Fault(
        "not UTF-8",
        _overwrite(SCRIPT, b"# %% a\nx = 'caf\xe9'\n"),
        "file-encoding",
        SCRIPT,
        "\ufffd",
        near="caf",
        hint="UTF-8",
    ),
    Fault(
        "NUL byte",
        _overwrite(SCRIPT, b"# %% a\nx = '\xc3\xa9\0'\n"),
        "file-encoding",
        SCRIPT,
        "\0",
    ),
    Fault("unlisted node", _unlisted, "node-unlisted", "00-basics/stray/chapter.md", "-"),
    Fault(
        "node listed twice",
        edit("roadmap.yaml", "[third]", "[third, first]"),
        "node-duplicate",
        "roadmap.yaml",
        "first",
        near="third",
        hint="once",
    ),
    # front matter and roadmap.yaml
    Fault(
        "no front matter",
        lambda b: b.write(SECOND, "## Just text\n"),
        "front-matter-missing",
        SECOND,
        "## Just text",
    ),
    Fault(
        "front matter without end",
        lambda b: b.write(SECOND, "---\nid: second\n"),
        "front-matter-missing",
        SECOND,
        "---",
        hint="Close it",
    ),
    Fault(
        "YAML syntax",
        edit(SECOND, "summary: Not yet.", "summary: Not: yet."),
        "yaml-syntax",
        SECOND,
        ":",
        near="Not:",
        hint="Quote",
    ),
    Fault(
        "YAML open bracket",
        edit(SECOND, "requires: [first]", "requires: [first"),
        "yaml-syntax",
        SECOND,
        ":",
        near="tracks:",
    ),
    Fault(
        "impossible date",
        edit(CHAPTER, "2026-06-01", "2026-06-31"),
        "yaml-syntax",
        CHAPTER,
        "2",
        near="2026-06-31",
    ),
    Fault(
        "key twice",
        edit(SECOND, "status: planned", "title: Again\nstatus: planned"),
        "yaml-duplicate-key",
        SECOND,
        "title",
        near="title: Again",
        hint="Keep one",
    ),
    Fault(
        "unknown key",
        edit(SECOND, "status: planned", "status: planned\nautor: me"),
        "field-unknown",
        SECOND,
        "autor",
    ),
    Fault(
        "misspelt required key",
        edit(SECOND, "title:", "titel:"),
        "field-unknown",
        SECOND,
        "titel",
        hint="Did you mean `title`?",
    ),
    Fault(
        "misspelt key deep inside",
        edit(CHAPTER, "memory: 2 GiB", "memroy: 2 GiB"),
        "field-unknown",
        CHAPTER,
        "memroy",
        hint="Did you mean `memory`?",
    ),
    Fault(
        "key missing",
        edit(SECOND, "summary: Not yet.\n", ""),
        "field-missing",
        SECOND,
        "-",
        hint="Add `summary:`",
    ),
    Fault(
        "key missing in a list",
        edit(CHAPTER, ", licence: MIT", ""),
        "field-missing",
        CHAPTER,
        "{name: abacus, url: https://example.org/abacus, why: It counts.}",
        hint="Add `licence:` in `tools.0`.",
    ),
    Fault(
        "status unknown",
        edit(SECOND, "status: planned", "status: planed"),
        "field-invalid",
        SECOND,
        "planed",
        hint="Did you mean `planned`?",
    ),
    Fault(
        "number for text",
        edit(SECOND, "title: The second step", "title: 2"),
        "field-invalid",
        SECOND,
        "2",
        near="title: 2",
        hint="quotation marks",
    ),
    Fault(
        "text for list",
        edit(SECOND, "[first]", "first"),
        "field-invalid",
        SECOND,
        "first",
        near="requires:",
    ),
    Fault(
        "empty mapping",
        edit(SECOND, "beginner: {minutes: 5}", "beginner: "),
        "field-invalid",
        SECOND,
        "",
        near="beginner:",
        hint="`minutes`",
    ),
    Fault(
        "track neither time nor skip",
        edit(SECOND, "beginner: {minutes: 5}", "beginner: skipp"),
        "field-invalid",
        SECOND,
        "skipp",
        hint="Did you mean `skip`?",
    ),
    Fault(
        "id in capitals",
        edit(SECOND, "[first]", "[First]"),
        "field-invalid",
        SECOND,
        "First",
    ),
    Fault(
        "id is not the folder's name",
        edit(SECOND, "id: second", "id: zweite"),
        "field-invalid",
        SECOND,
        "zweite",
        hint="aliases",
    ),
    Fault(
        "band without slack",
        edit(CHAPTER, "{value: 42, atol: 0.5}", "{value: 42}"),
        "field-invalid",
        CHAPTER,
        "{value: 42}",
    ),
    Fault(
        "band both ways",
        edit(CHAPTER, "{value: 42, atol: 0.5}", "{value: 42, min: 41}"),
        "field-invalid",
        CHAPTER,
        "{value: 42, min: 41}",
    ),
    Fault(
        "band upside down",
        edit(CHAPTER, "{value: 42, atol: 0.5}", "{min: 3, max: 2}"),
        "field-invalid",
        CHAPTER,
        "{min: 3, max: 2}",
    ),
    Fault(
        "unknown machine",
        edit(CHAPTER, "    cpu: {", "    gpu: {"),
        "field-invalid",
        CHAPTER,
        "gpu",
        hint="cpu",
    ),
    Fault(
        "result is no identifier",
        edit(CHAPTER, "  answer:\n", "  the-answer:\n"),
        "field-invalid",
        CHAPTER,
        "the-answer",
    ),
    Fault(
        "memory without unit",
        edit(CHAPTER, "2 GiB", "2 GB"),
        "field-invalid",
        CHAPTER,
        "2 GB",
    ),
    Fault(
        "memory as a bare number",
        edit(CHAPTER, "2 GiB", "2"),
        "field-invalid",
        CHAPTER,
        "2",
        near="experiment: {timeout: 20, memory: 2}",
    ),
    Fault(
        "prerequisite twice",
        edit(SECOND, "[first]", "[first, first]"),
        "field-invalid",
        SECOND,
        "[first, first]",
    ),
    Fault(
        "required and recommended",
        edit(SECOND, "requires: [first]", "requires: [first]\nrecommends: [first]"),
        "field-invalid",
        SECOND,
        "-",
        near="---",
    ),
    Fault(
        "URL without scheme",
        edit(CHAPTER, "https://example.org/abacus", "example.org"),
        "field-invalid",
        CHAPTER,
        "example.org",
    ),
    Fault(
        "note without sources",
        edit(CHAPTER, "[https://example.org/numbers]", "[]"),
        "field-invalid",
        CHAPTER,
        "[]",
        near="refs:",
    ),
    Fault(
        "source is no symbol",
        edit(CHAPTER, "source: [lab:double]", "source: [lab double]"),
        "field-invalid",
        CHAPTER,
        "lab double",
    ),
    Fault(
        "two stages of one name",
        edit("roadmap.yaml", "- id: further", "- id: basics"),
        "field-invalid",
        "roadmap.yaml",
        "basics",
        near="basics\n    title: Further",
    ),
    Fault(
        "needs a missing file",
        edit(CHAPTER, "2 GiB}", "2 GiB, needs: [bex.svg]}"),
        "file-missing",
        CHAPTER,
        "bex.svg",
        hint="Did you mean `box.svg`?",
    ),
    Fault(
        "needs a file outside",
        edit(CHAPTER, "2 GiB}", "2 GiB, needs: [../../../lab.py]}"),
        "path-escapes-book",
        CHAPTER,
        "../../../lab.py",
    ),
    # Markdown
    Fault(
        "unknown directive",
        append(CHAPTER, "\n:::{experimant}\n:::\n"),
        "directive-unknown",
        CHAPTER,
        "{experimant}",
        hint="{experiment}",
    ),
    Fault("heading jump", append(CHAPTER, "\n#### Deep\n"), "heading-jump", CHAPTER, "#### Deep"),
    Fault(
        "anchor twice",
        append(CHAPTER, "\n## Doubling.\n"),
        "anchor-duplicate",
        CHAPTER,
        "## Doubling.",
    ),
    Fault(
        "image without alt",
        edit(CHAPTER, "![A box]", "![]"),
        "image-without-alt",
        CHAPTER,
        "box.svg",
    ),
    Fault(
        "wide code in a chapter",
        append(CHAPTER, "\n```python\n" + "x" * 97 + "\n```\n"),
        "code-too-wide",
        CHAPTER,
        "x",
        near="x" * 97,
    ),
    # experiments
    Fault(
        "script syntax",
        append(SCRIPT, "x = = 2\n"),
        "experiment-syntax",
        SCRIPT,
        "=",
        near="x = =",
    ),
    Fault(
        "cell without name",
        append(SCRIPT, "\n# %%\ny = 2\n"),
        "cell-invalid",
        SCRIPT,
        "# %%",
        near="# %%\n",
        hint="# %% train",
    ),
    Fault(
        "cell name twice",
        append(SCRIPT, "\n# %% double\ny = 2\n"),
        "cell-invalid",
        SCRIPT,
        "double",
        near="# %% double\ny",
        hint="another name",
    ),
    Fault(
        "cell name in capitals",
        append(SCRIPT, "\n# %% Train it\ny = 2\n"),
        "cell-invalid",
        SCRIPT,
        "Train it",
    ),
    Fault(
        "code before the first cell",
        edit(SCRIPT, '"""Doubling."""\n', '"""Doubling."""\nimport os\n'),
        "cell-invalid",
        SCRIPT,
        "import os",
    ),
    Fault(
        "code in a text cell",
        edit(SCRIPT, "# Twice a number.", "# Twice a number.\nx = 1"),
        "cell-invalid",
        SCRIPT,
        "x = 1",
    ),
    Fault(
        "wide code in a script",
        append(SCRIPT, "z = '" + "x" * 92 + "'\n"),
        "code-too-wide",
        SCRIPT,
        "x'",
        near="z =",
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_gives_its_one_finding(fault: Fault, book: FixtureBook) -> None:
    fault.plant(book)
    _, found = load(book.root)
    fault.assert_only(found, book)


def test_a_folder_that_may_not_be_listed_is_a_finding(
    book: FixtureBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    roadmap, (only,) = load(book.root)
    assert roadmap is None
    assert (only.rule, only.span and only.span.path) == (
        "file-unreadable",
        book.path("00-basics"),
    )


def test_no_book_is_a_finding_and_no_roadmap(tmp_path: Path) -> None:
    roadmap, found = load(tmp_path / "nowhere")
    assert roadmap is None
    assert [d.rule for d in found] == ["book-missing"]


def test_a_broken_roadmap_yaml_is_a_finding_and_no_roadmap(book: FixtureBook) -> None:
    book.edit("roadmap.yaml", "title: A small book", "titel: A small book")
    roadmap, found = load(book.root)
    assert roadmap is None
    assert [(d.rule, d.span and d.span.line) for d in found] == [("field-unknown", 1)]


def test_all_faults_of_all_files_are_found_in_one_go(book: FixtureBook) -> None:
    book.edit(CHAPTER, "title: The first step", "titel: The first step")
    book.write(CHAPTER, book.read(CHAPTER) + "\n#### Deep\n")
    book.write(SCRIPT, book.read(SCRIPT) + "x = = 2\n# %%\n")
    book.write(SECOND, "no front matter")
    book.path(FixtureBook.third).unlink()
    roadmap, found = load(book.root)
    assert sorted(d.rule for d in found) == [
        "cell-invalid",
        "experiment-syntax",
        "field-unknown",
        "file-missing",
        "front-matter-missing",
        "heading-jump",
    ]
    assert roadmap is not None
    assert roadmap.broken == {"first", "second", "third"}
    assert roadmap.nodes == ()
