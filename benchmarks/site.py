"""Time to build a generated book, beside MkDocs on the same Markdown, in one run.

`python benchmarks/site.py [--pages 50] [--runs 5]`

Both build every page to HTML with a search index, without experiments and PDFs. Each case is run
`--runs` times, ours and the peer's in turn, and the ratio is of medians. Ours has more to do on
a page (three depths, a Markdown twin, structured data), and a map of all pages.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "model",
    "token",
    "layer",
    "weight",
    "batch",
    "epoch",
    "loss",
    "gradient",
]
CODE = """\
```python
def mean(values: list[float]) -> float:
    # the arithmetic mean
    total = sum(values)
    return total / len(values) if values else 0.0


print(mean([1.0, 2.0, 4.0]))
```
"""
TABLE = "| name | tokens | loss |\n|---|---:|---:|\n" + "".join(
    f"| run {i} | {i * 1000} | {4 / i:.2f} |\n" for i in range(1, 6)
)
NODE = """\
---
id: page-{number}
title: Page {number}
stage: stage-{stage}
summary: The generated page number {number}.
status: planned
requires: {requires}
tracks:
  beginner: {{minutes: 30}}
  researcher: {{minutes: 60}}
---

"""


def body(number: int) -> str:
    """About 7 kB of Markdown: six sections, each with prose, code and a table."""
    draw = random.Random(number)
    sections = []
    for section in range(6):
        prose = " ".join(draw.choice(WORDS) for _ in range(110))
        sections.append(f"## Section {section}\n\n{prose.capitalize()}.\n\n{CODE}\n{TABLE}\n")
    return "\n".join(sections)


def write_ours(root: Path, pages: int) -> Path:
    """The book as `content/`: stages of ten pages, each page needing the one before it."""
    book = root / "content"
    stages = []
    for first in range(0, pages, 10):
        stage = first // 10
        numbers = range(first, min(first + 10, pages))
        listed = ", ".join(f"page-{n}" for n in numbers)
        stages.append(
            f"  - {{id: stage-{stage}, title: Stage {stage}, summary: Ten pages., "
            f"folder: stage-{stage}, nodes: [{listed}]}}\n"
        )
        for n in numbers:
            folder = book / f"stage-{stage}" / f"page-{n}"
            folder.mkdir(parents=True)
            requires = [f"page-{n - 1}"] if n % 10 else ([f"page-{n - 10}"] if n else [])
            head = NODE.format(number=n, stage=stage, requires=f"[{', '.join(requires)}]")
            (folder / "chapter.md").write_text(head + body(n))
    (book / "roadmap.yaml").write_text(
        "title: Generated\nsummary: A generated book.\nurl: https://example.org/\n"
        "repository: https://example.org/book.git\n"
        "tracks:\n"
        "  - {id: beginner, title: Beginner, summary: Short.}\n"
        "  - {id: researcher, title: Researcher, summary: Long.}\n"
        "stages:\n" + "".join(stages)
    )
    return book


def write_peer(root: Path, pages: int) -> Path:
    """The same Markdown for MkDocs."""
    docs = root / "docs"
    docs.mkdir(parents=True)
    for n in range(pages):
        (docs / f"page-{n}.md").write_text(f"# Page {n}\n\n{body(n)}")
    (docs / "index.md").write_text("# Generated\n")
    (root / "mkdocs.yml").write_text("site_name: Generated\nsite_url: https://example.org/\n")
    return root


def timed(command: list[str], cwd: Path) -> float:
    """Wall seconds of a command that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)
    return time.perf_counter() - start


def measure(pages: int, runs: int, root: Path) -> list[tuple[str, list[float], list[float]]]:
    """Case name, our seconds, the peer's seconds."""
    ours, peer = root / "ours", root / "peer"
    book = write_ours(ours, pages)
    write_peer(peer, pages)
    build = [sys.executable, str(PROJECT / "build.py"), "--book", str(book)]
    build += ["--out", str(ours / "site"), "--no-execute", "--no-pdf", "--quiet"]
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    timed(build, ours)
    timed(mkdocs, peer)
    cases: dict[str, tuple[list[float], list[float]]] = {}
    helps = [sys.executable, "-m", "roadmap", "--help"], [sys.executable, "-m", "mkdocs", "--help"]
    for run in range(runs):
        cases.setdefault("--help", ([], []))[0].append(timed(helps[0], PROJECT))
        cases["--help"][1].append(timed(helps[1], PROJECT))
        for case in ("cold", "no change", "one page changed"):
            if case == "cold":
                shutil.rmtree(ours / ".roadmap")
                shutil.rmtree(ours / "site")
                shutil.rmtree(peer / "site")
            if case == "one page changed":
                for path in (book / "stage-0/page-3/chapter.md", peer / "docs/page-3.md"):
                    path.write_text(path.read_text() + f"\nOne more sentence, number {run}.\n")
            a, b = timed(build, ours), timed(mkdocs, peer)
            cases.setdefault(case, ([], []))[0].append(a)
            cases[case][1].append(b)
    return [(case, a, b) for case, (a, b) in cases.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options.pages, options.runs, Path(folder))
    print(f"{options.pages} pages, median of {options.runs}: ours, MkDocs 1.6, ratio (best-worst)")
    for case, ours, peer in rows:
        ratio = statistics.median(ours) / statistics.median(peer)
        spread = sorted(a / b for a, b in zip(ours, peer, strict=True))
        print(
            f"{case:<17} {statistics.median(ours):6.3f} s {statistics.median(peer):6.3f} s "
            f"{ratio:5.2f}x ({spread[0]:.2f}-{spread[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
