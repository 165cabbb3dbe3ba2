"""Each fault between files gives one finding: the right rule, at the right place, with a hint."""

from __future__ import annotations

from datetime import date

import pytest
from fixture_book import FixtureBook
from planted import Fault, append, edit

from roadmap.check import check
from roadmap.diagnostics import Diagnostic
from roadmap.load import load

CHAPTER, SECOND, THIRD = FixtureBook.chapter, FixtureBook.second, FixtureBook.third
SCRIPT = FixtureBook.experiment
TODAY = date(2026, 11, 20)


def findings(book: FixtureBook) -> list[Diagnostic]:
    """What load and check say together."""
    roadmap, found = load(book.root)
    assert roadmap is not None
    return [*found, *check(roadmap, today=TODAY)]


def _circle(book: FixtureBook) -> None:
    book.edit(CHAPTER, "aliases: [once-first]", "requires: [third]")


def _skip(book: FixtureBook) -> None:
    book.edit(CHAPTER, "beginner: {minutes: 10}", "beginner: skip")
    book.edit(THIRD, "requires: [second]", "requires: []")


def _no_experiment(book: FixtureBook) -> None:
    book.path(SCRIPT).unlink()
    # Only the cell still asks for it.
    text = book.read(CHAPTER).replace(":::{experiment}\n:::\n", "").replace("{value}", "")
    head, _, tail = text.partition("expect:\n")
    book.write(CHAPTER, head + "status: planned\n" + tail[tail.index("---") :])


def link(target: str, rule: str, hint: str = "") -> Fault:
    """A link in the second chapter to a target that is not there."""
    plant = append(SECOND, f"\nSee [it]({target}).\n")
    return Fault(f"link to {target}", plant, rule, SECOND, target, near="See [it]", hint=hint)


def use(text: str, rule: str, under: str, hint: str = "") -> Fault:
    """A directive or role at the end of the first chapter that names what is not there."""
    return Fault(text, append(CHAPTER, f"\n{text}\n"), rule, CHAPTER, under, near=text, hint=hint)


FAULTS = [
    # the graph
    Fault("circle", _circle, "graph-cycle", CHAPTER, "third", hint="recommends"),
    Fault(
        "circle of one",
        edit(SECOND, "requires: [first]", "requires: [second]"),
        "graph-cycle",
        SECOND,
        "second",
        near="requires:",
    ),
    Fault(
        "unknown node",
        edit(SECOND, "requires: [first]", "requires: [first, frist]"),
        "node-unknown",
        SECOND,
        "frist",
        hint="Did you mean `first`?",
    ),
    Fault(
        "unknown recommendation",
        edit(SECOND, "status: planned", "status: planned\nrecommends: [xyz]"),
        "node-unknown",
        SECOND,
        "xyz",
        hint="roadmap list",
    ),
    Fault(
        "alias is another's id",
        edit(CHAPTER, "[once-first]", "[third]"),
        "node-duplicate",
        CHAPTER,
        "third",
    ),
    Fault(
        "alias is another's alias",
        edit(SECOND, "status: planned", "status: planned\naliases: [once-first]"),
        "node-duplicate",
        SECOND,
        "once-first",
    ),
    Fault(
        "stage mismatch",
        edit(SECOND, "stage: basics", "stage: further"),
        "stage-mismatch",
        SECOND,
        "further",
        hint="Write `stage: basics`.",
    ),
    Fault(
        "optional prerequisite",
        edit(SECOND, "status: planned", "status: planned\noptional: true"),
        "requires-optional",
        THIRD,
        "second",
        hint="recommends",
    ),
    Fault(
        "listed before its prerequisite",
        edit("roadmap.yaml", "[first, second]", "[second, first]"),
        "node-order",
        SECOND,
        "first",
        hint="List `first` first",
    ),
    # tracks
    Fault(
        "undecided track",
        edit(THIRD, "  researcher: {minutes: 5}\n", ""),
        "track-undecided",
        THIRD,
        "tracks",
        hint="researcher: skip",
    ),
    Fault(
        "unknown track",
        edit(THIRD, "tracks:\n", "tracks:\n  reseacher: skip\n"),
        "track-unknown",
        THIRD,
        "skip",
        hint="Did you mean `researcher`?",
    ),
    Fault("hidden prerequisite", _skip, "prerequisite-hidden", SECOND, "first", hint="`beginner`"),
    # links
    link("node:frist", "link-dead", "Did you mean `first`?"),
    link("node:first#dubling", "anchor-dead", "Did you mean `#doubling`?"),
    link("node:once-first#x", "anchor-dead"),
    link("node:first#", "anchor-dead"),
    link("#a-plam", "anchor-dead", "Did you mean `#a-plan`?"),
    link("#", "anchor-dead"),
    link("", "link-dead"),
    link("stage:basic", "link-dead", "Did you mean `basics`?"),
    link("stage:basics#top", "anchor-dead", "Write `stage:basics`."),
    link("track:expert", "link-dead", "Known: beginner, practitioner, researcher."),
    link("ftp://example.org/x", "link-dead", "https:"),
    link("https:///nothing", "link-dead"),
    link("mailto:nobody", "link-dead"),
    link("table.csv", "link-dead"),
    link("../../../lab.py", "path-escapes-book", "Copy the file"),
    link("/etc/hosts", "path-escapes-book"),
    link("//example.org/x", "path-escapes-book"),
    link("../first/chapter.md", "link-dead", "Write `node:first`."),
    link("../first", "link-dead"),
    link("../first/experiment.py", "link-dead", "Show an image (.svg, .png"),
    Fault(
        "missing image",
        edit(CHAPTER, "(box.svg)", "(bax.svg)"),
        "link-dead",
        CHAPTER,
        "bax.svg",
        hint="Did you mean `box.svg`?",
    ),
    Fault(
        "folder in an image's place",
        lambda b: (
            b.path("00-basics/first/dir.svg").mkdir(),
            b.edit(CHAPTER, "(box.svg)", "(dir.svg)"),
        ),
        "link-dead",
        CHAPTER,
        "dir.svg",
    ),
    # directives and roles
    use(":::{depth} expert\n:::", "track-unknown", "{depth}", "Tracks: beginner"),
    use(":::{cell} dubble\n:::", "cell-missing", "{cell}", "Did you mean `double`?"),
    use(":::{cell} about\n:::", "cell-missing", "{cell}", "Cells: double."),
    use(":::{cell} double\n:show: cod\n:::", "directive-invalid", "{cell}", "`code`"),
    use("{value}`anwser`", "value-missing", "{value}`anwser`", "Did you mean `answer`?"),
    use("{value}`frist/answer`", "node-unknown", "{value}`frist/answer`", "`first`"),
    use("{value}`second/answer`", "experiment-missing", "{value}`second/answer`"),
    use("{value}`answer|.3q`", "directive-invalid", "{value}`answer|.3q`", "loss|.3f"),
    use("{value}`answer|`", "directive-invalid", "{value}`answer|`"),
    use(":::{source} lab:duoble\n:::", "source-missing", "{source}", "Did you mean `double`?"),
    use(":::{source} lab:Machine.crnk\n:::", "source-missing", "{source}", "`Machine.crank`"),
    use(":::{source} lob:double\n:::", "source-missing", "{source}", "package.module"),
    use(":::{source} ../lab:double\n:::", "source-missing", "{source}"),
    Fault(
        "front matter names no code",
        edit(CHAPTER, "source: [lab:double]", "source: [lab:double, lab:halve]"),
        "source-missing",
        CHAPTER,
        "lab:halve",
    ),
    Fault("cell without experiment", _no_experiment, "experiment-missing", CHAPTER, "{cell}"),
    Fault(
        "bands without experiment",
        edit(SECOND, "status: planned", "status: planned\nexpect: {x: {cpu: {min: 1}}}"),
        "experiment-missing",
        SECOND,
        "{x: {cpu: {min: 1}}}",
    ),
    # completeness and dates
    Fault(
        "ready without tools and an estimate",
        lambda b: (
            edit(CHAPTER, ":::{estimate}\n:::\n", "")(b),
            edit(CHAPTER, b.read(CHAPTER).split("tools:")[1].split("compliance:")[0], " []\n")(b),
        ),
        "chapter-incomplete",
        CHAPTER,
        "first",
        hint="status: planned",
    ),
    Fault(
        "facts from tomorrow",
        edit(CHAPTER, "2026-06-01", "2026-11-21"),
        "compliance-undated",
        CHAPTER,
        "2026-11-21",
    ),
    Fault(
        "facts of long ago",
        edit(CHAPTER, "2026-06-01", "2025-05-19"),
        "compliance-undated",
        CHAPTER,
        "2025-05-19",
        hint="Look them up again",
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_gives_its_one_finding(fault: Fault, book: FixtureBook) -> None:
    fault.plant(book)
    fault.assert_only(findings(book), book)


LEGAL = {
    "required by its old id": edit(SECOND, "requires: [first]", "requires: [once-first]"),
    "linked by its old id": append(SECOND, "\n[x](node:once-first#doubling)\n"),
    "another node's image": append(SECOND, "\n![x](../first/box.svg)\n"),
    "mail address": append(SECOND, "\n[x](mailto:someone@example.org)\n"),
    "another node's result": append(SECOND, "\n{value}`once-first/answer|.2f`\n"),
    "class member": append(SECOND, "\n:::{source} lab:Machine.crank\n:::\n"),
    "whole module": append(SECOND, "\n:::{source} lab\n:docstring: hide\n:::\n"),
    "optional requires optional": lambda book: (
        book.edit(SECOND, "status: planned", "status: planned\noptional: true"),
        book.edit(THIRD, "status: planned", "status: planned\noptional: true"),
    ),
    "recommendation against the order": edit(
        CHAPTER, "aliases: [once-first]", "recommends: [third]"
    ),
    "facts of 18 months ago": edit(CHAPTER, "2026-06-01", "2025-05-20"),
    "facts of today": edit(CHAPTER, "2026-06-01", "2026-11-20"),
    "unicode anchor": lambda book: (
        append(SECOND, "\n## Überblick\n\n[x](#überblick)\n")(book),
        append(THIRD, "\n[x](node:second#überblick)\n")(book),
    ),
    "skipped by a track with all that needs it": lambda book: [
        edit(file, "beginner: {minutes: 5}", "beginner: skip")(book) for file in (SECOND, THIRD)
    ],
}


@pytest.mark.parametrize("name", LEGAL)
def test_what_is_legal_stays_silent(name: str, book: FixtureBook) -> None:
    before = [book.read(file) for file in (CHAPTER, SECOND, THIRD)]
    LEGAL[name](book)
    assert [book.read(file) for file in (CHAPTER, SECOND, THIRD)] != before
    assert findings(book) == []


def test_what_points_to_a_node_that_cannot_be_read_is_not_blamed(book: FixtureBook) -> None:
    book.edit(SECOND, "status: planned", "statos: planned")
    append(THIRD, "\n{value}`second/answer` [x](node:second#nowhere)\n")(book)
    assert [d.rule for d in findings(book)] == ["field-unknown"]


def test_faults_elsewhere_are_found_beside_a_node_that_cannot_be_read(book: FixtureBook) -> None:
    book.edit(SECOND, "status: planned", "statos: planned")
    append(THIRD, "\n[x](node:nobody)\n")(book)
    book.edit(CHAPTER, "{cell} double", "{cell} treble")
    assert sorted(d.rule for d in findings(book)) == ["cell-missing", "field-unknown", "link-dead"]
