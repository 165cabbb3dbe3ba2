"""A small valid book to plant one fault in. Made anew in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

TRACKS = ("beginner", "practitioner", "researcher")

ROADMAP = """\
title: A small book
summary: Three steps.
url: https://example.org/small/
repository: https://example.org/small.git
tracks:
  - {id: beginner, title: Beginner, summary: First.}
  - {id: practitioner, title: Practitioner, summary: Second.}
  - {id: researcher, title: Researcher, summary: Third.}
stages:
  - id: basics
    title: Basics
    summary: Where it begins.
    folder: 00-basics
    nodes: [first, second]
  - id: further
    title: Further
    summary: Where it goes on.
    folder: 01-further
    nodes: [third]
"""

FIRST = """\
---
id: first
title: The first step
stage: basics
summary: Doubling a number.
aliases: [once-first]
tracks:
  beginner: {minutes: 10}
  practitioner: {minutes: 20}
  researcher: {minutes: 30}
compute: {kind: none}
teaches: [doubling]
source: [lab:double]
tools:
  - {name: abacus, url: https://example.org/abacus, licence: MIT, why: It counts.}
compliance:
  - id: first-risk
    risk: Numbers may be wrong.
    note: Check them.
    refs: [https://example.org/numbers]
    facts_as_of: 2026-06-01
    check: {command: lab --check}
experiment: {timeout: 20, memory: 2 GiB}
expect:
  answer:
    cpu: {value: 42, atol: 0.5}
---
## Doubling

Twice 21 is {value}`answer|.0f`. See [the second step](node:second#a-plan), [](#doubling),
[the stage](stage:basics), [the track](track:beginner) and [a page](https://example.org/).

![A box](box.svg)

:::{source} lab:double
:::

:::{cell} double
:::

:::{depth} practitioner
With care.
:::

:::{depth} researcher
With rigour.
:::

:::{experiment}
:::

:::{estimate}
:::

:::{compliance}
:::
"""

PLANNED = """\
---
id: {id}
title: The {id} step
stage: {stage}
summary: Not yet.
status: planned
requires: [{requires}]
tracks:
  beginner: {{minutes: 5}}
  practitioner: {{minutes: 5}}
  researcher: {{minutes: 5}}
---
## A plan

Soon.
"""

EXPERIMENT = """\
\"\"\"Doubling.\"\"\"

# %% [markdown] about
# Twice a number.

# %% double
from llm_reference.report import report

report(answer=2 * 21)
"""

LAB = '''\
"""Code that the book shows."""


def double(number: int) -> int:
    """Twice the number."""
    return 2 * number


class Machine:
    """Does it by crank."""

    def crank(self) -> int:
        """One turn."""
        return 2
'''

BOX = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1h7v7h-7z"/></svg>\n'


class FixtureBook:
    """A project in `project` whose book is `content/`. Paths of its files are relative to that."""

    def __init__(self, project: Path) -> None:
        self.project, self.root = project, project / "content"
        self.write("roadmap.yaml", ROADMAP)
        self.write("00-basics/first/chapter.md", FIRST)
        self.write("00-basics/first/experiment.py", EXPERIMENT)
        self.write("00-basics/first/box.svg", BOX)
        self.plan("second", "basics", "00-basics", requires="first")
        self.plan("third", "further", "01-further", requires="second")
        self.write("../lab.py", LAB)

    @classmethod
    def at(cls, project: Path) -> FixtureBook:
        """The book in a project that is there already."""
        book = cls.__new__(cls)
        book.project, book.root = project, project / "content"
        return book

    chapter = "00-basics/first/chapter.md"
    second = "00-basics/second/chapter.md"
    third = "01-further/third/chapter.md"
    experiment = "00-basics/first/experiment.py"

    def plan(self, node_id: str, stage: str, folder: str, requires: str = "") -> None:
        """Write a planned node."""
        text = PLANNED.format(id=node_id, stage=stage, requires=requires)
        self.write(f"{folder}/{node_id}/chapter.md", text)

    def path(self, name: str) -> Path:
        """The absolute path of one of the book's files."""
        return self.root / name

    def write(self, name: str, text: str) -> None:
        """Write a file, with its folders, byte for byte."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def read(self, name: str) -> str:
        """The text of a file."""
        return self.path(name).read_text(encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace `old`, which must stand in the file exactly once."""
        text = self.read(name)
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def line(self, name: str, needle: str) -> int:
        """The line, from 1, on which `needle` first stands in a file."""
        text = self.path(name).read_bytes().decode("utf-8", errors="replace")
        return text[: text.index(needle)].count("\n") + 1
