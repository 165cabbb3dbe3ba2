"""How long the PDF of a 300-page book takes, and how much memory: `python benchmarks/pdf.py`.

The book is generated: 36 chapters of prose, highlighted code, tables, formulas, a plot and cross
references with page numbers. Measured is the whole way from the loaded book to the finished file;
memory is the peak of the process that runs WeasyPrint. Bar: 300 pages in 25 s and 800 MB.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES, SECONDS, MEGABYTES = 300, 25.0, 800.0
STAGES, PER_STAGE = 9, 4
TEXT = (
    "a model reads the text one token after another and gives each next token a probability so "
    "that the loss in nats per token says how far it is from what can be known gradient descent "
    "changes every weight a little attention mixes what earlier positions hold and the residual "
    "stream carries it on cross-entropy perplexity optimizer schedule precision memory shard rank"
)
WORDS = TEXT.split()


def write_book(book: Path) -> None:
    rng = random.Random(7)
    code = (ROOT / "roadmap/model.py").read_text(encoding="utf-8").split("\n")
    names = [f"step-{s}-{n}" for s in range(STAGES) for n in range(PER_STAGE)]
    lines = ["title: A Long Road", "summary: Generated.", "url: https://example.org/"]
    lines += ["repository: https://example.org/r.git", "tracks:"]
    lines += ["  - {id: reader, title: Reader, summary: All of it.}", "stages:"]
    for stage in range(STAGES):
        listed = ", ".join(names[stage * PER_STAGE : (stage + 1) * PER_STAGE])
        lines.append(
            f"  - {{id: s{stage}, title: Stage {stage}, summary: Part {stage}., "
            f"folder: s{stage}, nodes: [{listed}]}}"
        )
    book.mkdir()
    (book / "roadmap.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for place, name in enumerate(names):
        folder = book / f"s{place // PER_STAGE}" / name
        folder.mkdir(parents=True)
        (folder / "plot.svg").write_text(plot(rng), encoding="utf-8")
        requires = [names[place - 1]] if place else []
        if place > 6:
            requires.append(names[place - 6])
        text = chapter(rng, name, f"s{place // PER_STAGE}", requires, names, code)
        (folder / "chapter.md").write_text(text, encoding="utf-8")


def chapter(
    rng: random.Random,
    name: str,
    stage: str,
    requires: list[str],
    names: list[str],
    code: list[str],
) -> str:
    parts = [
        "---",
        f"id: {name}",
        f"title: The step {name[5:].replace('-', ' of ')} and what it is for",
        f"stage: {stage}",
        "summary: What this step does and why it is where it is.",
        "tracks: {reader: {minutes: 45}}",
        f"requires: [{', '.join(requires)}]",
        "---",
    ]
    for section in range(5):
        parts += [f"## Section {section} of {name}", ""]
        for _ in range(3):
            parts += [sentences(rng, 5), ""]
        parts += [f"It builds on [](node:{rng.choice(names)}). " + sentences(rng, 2), ""]
        start = rng.randrange(0, len(code) - 45)
        parts += ["```python", *code[start : start + 40], "```", ""]
        if section % 3 == 0:
            parts += ["| step | loss | tokens per second |", "|---|---|---|"]
            parts += [
                f"| {i * 100} | {rng.random():.4f} | {rng.randrange(9999)} |" for i in range(9)
            ]
            parts.append("")
        if section % 3 == 1:
            parts += [r"$$\mathcal{L} = -\frac{1}{T}\sum_{t=1}^{T} \log p(x_t \mid x_{<t})$$", ""]
        parts += [sentences(rng, 4), "", "- " + sentences(rng, 1), "- " + sentences(rng, 1), ""]
    parts += ["![A falling curve](plot.svg)", ""]
    return "\n".join(parts)


def sentences(rng: random.Random, count: int) -> str:
    said = (" ".join(rng.choice(WORDS) for _ in range(14)) for _ in range(count))
    return " ".join(s.capitalize() + "." for s in said)


def plot(rng: random.Random) -> str:
    points = " ".join(
        f"{5 * i:.1f},{160 * math.exp(-i / 20) + 4 * rng.random():.1f}" for i in range(100)
    )
    grid = "".join(f'<path d="M0 {y} H500" stroke="#ccc"/>' for y in range(0, 200, 40))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="500" height="200" viewBox="0 0 500 200">'
        f'{grid}<polyline points="{points}" fill="none" stroke="currentColor"/></svg>'
    )


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.path.insert(0, str(ROOT))
    from pikepdf import Pdf

    from roadmap.load import load
    from roadmap.render.math import Math
    from roadmap.render.pdf import render_pdf
    from roadmap.render.pdf.document import Edition

    with tempfile.TemporaryDirectory() as temporary, Math() as typesetter:
        work = Path(temporary)
        write_book(work / "content")
        roadmap, found = load(work / "content")
        assert roadmap is not None, found
        out = work / "book.pdf"
        start = time.perf_counter()
        found = render_pdf(
            roadmap,
            {},
            roadmap.tracks[0],
            out,
            cache=work / "cache",
            math=typesetter,
            edition=Edition(0),
        )
        seconds = time.perf_counter() - start
        assert found == [], found
        with Pdf.open(out) as pdf:
            pages = len(pdf.pages)
        size = out.stat().st_size / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6
    scaled = seconds * PAGES / pages
    print(f"{pages} pages, {size:.1f} MB: {seconds:.1f} s, {peak:.0f} MB of memory")
    print(f"{PAGES} pages: {scaled:.1f} s (bar {SECONDS:.0f} s), memory bar {MEGABYTES:.0f} MB")
    return 0 if pages >= PAGES and scaled <= SECONDS and peak <= MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
