"""How far a text is from monotone: three numbers that natural text is known by."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Naturalness:
    """Counts over lower-case words.

    `type_token_ratio` is distinct words over words; it falls with the size of the text, so compare
    texts of one size. `zipf_slope` is that of log count over log rank, about -1 in natural text
    (Zipf 1949). `repeated_8grams` is the share of runs of eight words that occurred before.
    """

    words: int
    types: int
    type_token_ratio: float
    zipf_slope: float
    repeated_8grams: float


def naturalness(texts: Iterable[str], ranks: int = 1000) -> Naturalness:
    """Measure texts; the slope is the least-squares fit over the first `ranks` ranks.

    Raises ValueError if the texts have fewer than two distinct words.
    """
    counts: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()
    runs = repeated = 0
    for text in texts:
        words = WORD.findall(text.lower())
        counts.update(words)
        for start in range(len(words) - 7):
            run = tuple(words[start : start + 8])
            repeated += run in seen
            seen.add(run)
            runs += 1
    if len(counts) < 2:
        raise ValueError("naturalness needs a text with at least two distinct words")
    top = [count for _, count in counts.most_common(ranks)]
    total = counts.total()
    return Naturalness(
        words=total,
        types=len(counts),
        type_token_ratio=len(counts) / total,
        zipf_slope=_slope(
            [math.log(rank + 1) for rank in range(len(top))], [math.log(count) for count in top]
        ),
        repeated_8grams=repeated / max(runs, 1),
    )


def _slope(x: list[float], y: list[float]) -> float:
    """The slope of the least-squares line through points."""
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    covariance = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return covariance / sum((a - mean_x) ** 2 for a in x)
