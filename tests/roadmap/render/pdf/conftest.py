"""A small book on disk, made into a PDF once for all tests of this room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pikepdf
import pytest

from roadmap.load import load
from roadmap.model import CellOutput, Outcome, Roadmap
from roadmap.render.math import Math
from roadmap.render.pdf import render_pdf
from roadmap.render.pdf.document import Edition

ROADMAP = """\
title: A Small Road
summary: Three steps and one that is not written.
url: https://example.org/small/
repository: https://example.org/small.git
tracks:
  - {id: beginner, title: Beginner, summary: The short way.}
  - {id: researcher, title: Researcher, summary: The long way.}
stages:
  - id: words
    title: Words
    summary: From text to numbers.
    folder: 00-words
    nodes: [bytes, merges]
  - id: weights
    title: Weights
    summary: From numbers to text.
    folder: 01-weights
    nodes: [attention, kernels, sampling]
"""

BYTES = """\
---
id: bytes
title: Text is bytes
stage: words
summary: Every text is a row of numbers below 256.
tracks: {beginner: {minutes: 10}, researcher: {minutes: 20}}
teaches: [UTF-8]
tools: [{name: iconv, url: "https://example.org/iconv", licence: GPL-3.0, why: It converts.}]
compliance:
  - id: bytes-names
    risk: Names are personal
    note: Remove them.
    refs: ["https://example.org/law"]
    facts_as_of: 2026-01-05
expect: {length: {cpu: {value: 5, atol: 0}}}
---
## Numbers

The word “Łódź” has {value}`length|.0f` bytes, and $a \\le b$. See [](node:attention) and
[the next](node:merges#join).[^1]

[^1]: A note at the foot.

```text
weights
├── θ.safetensors   ✓
└── α ≤ β → ☐
```

| letter | bytes |
|--------|-------|
| Ł      | 2     |
| d      | 1     |

:::{note} Mind
One code point is not one byte.
:::

- first
- second
  - inner

:::{cell} count
:alt: A rising line.
:caption: Counting.
:::

:::{experiment}
:::

:::{estimate}
:::

:::{compliance}
:::
"""

MERGES = """\
---
id: merges
title: Merging pairs
stage: words
summary: Frequent pairs become one token.
tracks: {beginner: {minutes: 15}, researcher: {minutes: 25}}
requires: [bytes]
---
## Join

$$p = \\frac{e^{x}}{\\sum_i e^{x_i}}$$

:::{source} llm_reference.tiny:clip
:::

:::{depth} researcher
### Only for the patient

Kernels are explained [later](node:kernels).
:::

![A square](square.svg)
"""

ATTENTION = """\
---
id: attention
title: Scaled dot-product attention
stage: weights
summary: Each word looks at the words before it.
tracks: {beginner: {minutes: 30}, researcher: {minutes: 90}}
requires: [merges]
recommends: [bytes]
---
## Look back

Words in order.

:::{dropdown} An answer
The first word sees itself alone.
:::
"""

KERNELS = """\
---
id: kernels
title: Fused kernels
stage: weights
summary: The same, faster.
tracks: {beginner: skip, researcher: {minutes: 60}}
requires: [attention]
---
## Tiles

Blocks of keys.
"""

SAMPLING = """\
---
id: sampling
title: Sampling with care
stage: weights
summary: One token after another.
status: planned
tracks: {beginner: {minutes: 20}, researcher: {minutes: 20}}
requires: [attention]
---
"""

EXPERIMENT = """\
# %% count
from llm_reference.report import report


def width(text: str, most: int = 9) -> int:
    if len(text) >= 1 and text != "":
        return min(len(text.encode()), most)  # never <= 0 -> fine
    return 0


report(length=width("Łódź"))
"""

TINY = '''\
def clip(x: float, low: float, high: float) -> float:
    """Keep x within [low, high]: low <= clip(x) <= high."""
    if low != high and x >= low:
        if x <= high:
            return x
        return high  # x >= high
    return low


OTHER = 1
'''

FIGURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="80" viewBox="0 0 200 80">'
    '<path d="M5 75 L195 5" fill="none" stroke="currentColor" stroke-width="2"/></svg>'
)
SQUARE = FIGURE.replace("M5 75 L195 5", "M5 5 H75 V75 H5 Z")
EDITION = Edition(1_767_225_600, "abc1234")


@dataclass(frozen=True)
class Made:
    """The beginner's PDF of the small book, and what it was made from."""

    path: Path
    roadmap: Roadmap
    outcomes: dict[str, Outcome]

    def open(self) -> pikepdf.Pdf:
        return pikepdf.open(self.path)


def write_book(project: Path) -> Path:
    """The small book's folder, with the module that a chapter quotes beside it."""
    book = project / "content"
    chapters = {
        "00-words/bytes": BYTES,
        "00-words/merges": MERGES,
        "01-weights/attention": ATTENTION,
        "01-weights/kernels": KERNELS,
        "01-weights/sampling": SAMPLING,
    }
    for folder, text in chapters.items():
        (book / folder).mkdir(parents=True)
        (book / folder / "chapter.md").write_text(text, encoding="utf-8")
    (book / "00-words/bytes/experiment.py").write_text(EXPERIMENT, encoding="utf-8")
    (book / "00-words/merges/square.svg").write_text(SQUARE, encoding="utf-8")
    (book / "roadmap.yaml").write_text(ROADMAP, encoding="utf-8")
    (project / "llm_reference").mkdir()
    (project / "llm_reference/tiny.py").write_text(TINY, encoding="utf-8")
    return book


def load_book(project: Path) -> Roadmap:
    roadmap, found = load(project / "content")
    assert roadmap is not None, found
    return roadmap


def outcomes() -> dict[str, Outcome]:
    cell = CellOutput("count", "5\n", "", (FIGURE,), (("length", 5.0),), 0.01)
    return {"bytes": Outcome("bytes", "ok", {}, "cpu", (cell,), 0.02, 2**20, date(2026, 1, 1))}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "ein Büch"
    write_book(folder)
    return folder


@pytest.fixture(scope="session")
def made(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    roadmap, out = load_book(project), tmp_path_factory.mktemp("made") / "small.pdf"
    found = render_pdf(
        roadmap,
        outcomes(),
        roadmap.tracks[0],
        out,
        cache=tmp_path_factory.mktemp("cache"),
        math=Math(),
        edition=EDITION,
    )
    assert found == []
    return Made(out, roadmap, outcomes())
