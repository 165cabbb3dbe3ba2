"""Pre-tokenisation: cutting text into pieces that no merge may cross.

A pattern is one regular expression in the syntax of the `regex` package. Its alternatives are tried
from left to right at each position; the pieces, joined, give the text back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import regex

GPT2 = "|".join(
    (
        r"'(?:[sdmt]|ll|ve|re)",  # an English ending: 's 't 'll ...
        r" ?\p{L}++",  # letters, with the space before them
        r" ?\p{N}++",  # digits of any length
        r" ?[^\s\p{L}\p{N}]++",  # other signs
        r"\s+(?!\S)",  # white space, up to the one that belongs to the next word
        r"\s",
    )
)
"""The pattern of GPT-2 (Radford et al. 2019, released code, `encoder.py`), without backtracking."""

GPT4 = "|".join(
    (
        r"'(?i:[sdmt]|ll|ve|re)",  # endings in capitals too
        r"[^\r\n\p{L}\p{N}]?+\p{L}++",  # letters, with one space or sign before them
        r"\p{N}{1,3}+",  # at most three digits
        r" ?[^\s\p{L}\p{N}]++[\r\n]*+",  # other signs, with the line ends after them
        r"\s*[\r\n]",  # blank lines, and the indentation between them
        r"\s+(?!\S)",
        r"\s",
    )
)
"""The pattern of GPT-4 (`cl100k_base` in OpenAI's tiktoken): the default here."""

WHOLE = r"(?s:.+)"
"""No cutting at all: merges may cross words and lines. For teaching and for experiments."""


@dataclass(frozen=True, slots=True)
class Splitter:
    """A compiled pattern. Raises ValueError for a pattern that is invalid or has capture groups."""

    pattern: str
    _regex: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            compiled = regex.compile(self.pattern)
        except regex.error as error:
            raise ValueError(f"invalid split pattern {self.pattern!r}: {error}") from error
        if compiled.groups:
            raise ValueError(
                f"the split pattern {self.pattern!r} has a capture group: write (?:...), not (...)"
            )
        object.__setattr__(self, "_regex", compiled)

    def split(self, text: str) -> list[str]:
        """The pieces of `text`. What the pattern leaves out becomes a piece: nothing is lost."""
        pieces: list[str] = self._regex.findall(text)
        if sum(map(len, pieces)) == len(text):
            return pieces
        return self._split_with_gaps(text)

    def _split_with_gaps(self, text: str) -> list[str]:
        pieces, end = [], 0
        for match in self._regex.finditer(text):
            pieces += [text[end : match.start()], match.group()]
            end = match.end()
        pieces.append(text[end:])
        return [piece for piece in pieces if piece]
