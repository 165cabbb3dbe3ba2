"""Encoding: applying learned merges to a pre-token, the earliest-learned first."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from itertools import pairwise

from llm_reference.tokenizer.train import Pair

LONG = 64
"""Pre-tokens of more bytes than this are merged with a heap, as scanning them is quadratic."""

CACHE_ENTRIES = 1 << 17
CACHED_CHARACTERS = 64
"""How many pre-tokens are remembered, and up to which length: about 20 MB when full."""


def merge_piece(symbols: list[int], ranks: Mapping[Pair, int]) -> list[int]:
    """Merge the ids of one pre-token until no neighbours are a known pair.

    `ranks` maps a pair to the id that it becomes. Ids grow in the order in which merges were
    learned, so the lowest one goes first, and of equal ones the leftmost.
    """
    if len(symbols) > LONG:
        return merge_long_piece(symbols, ranks)
    symbols = list(symbols)
    unknown = 1 << 62
    while len(symbols) > 1:
        candidates = [ranks.get(p, unknown) for p in pairwise(symbols)]
        new_id = min(candidates)
        if new_id == unknown:
            break
        where = candidates.index(new_id)
        symbols[where : where + 2] = [new_id]
    return symbols


def merge_long_piece(symbols: list[int], ranks: Mapping[Pair, int]) -> list[int]:
    """The same as `merge_piece` in O(n log n): a linked list, and a heap of possible merges."""
    n = len(symbols)
    symbols = list(symbols)
    after = list(range(1, n + 1))
    before = list(range(-1, n - 1))
    gone = -1
    heap = [
        (new_id, where, pair[0], pair[1])
        for where, pair in enumerate(pairwise(symbols))
        if (new_id := ranks.get(pair)) is not None
    ]
    heapq.heapify(heap)
    while heap:
        new_id, where, left, right = heapq.heappop(heap)
        other = after[where]
        if symbols[where] != left or other == n or symbols[other] != right:
            continue  # a merge since then has changed one of the two
        symbols[where], symbols[other] = new_id, gone
        after[where] = following = after[other]
        if following < n:
            before[following] = where
            made = ranks.get((new_id, symbols[following]))
            if made is not None:
                heapq.heappush(heap, (made, where, new_id, symbols[following]))
        if (previous := before[where]) >= 0:
            made = ranks.get((symbols[previous], new_id))
            if made is not None:
                heapq.heappush(heap, (made, previous, symbols[previous], new_id))
    return [symbol for symbol in symbols if symbol != gone]


class PieceIds(dict[str, tuple[int, ...]]):
    """The ids of every pre-token met so far: each is merged on its first look-up alone.

    Text repeats itself: in English, a few thousand pre-tokens are nearly all of it. The memory is
    bounded: long pre-tokens are not kept, and a full cache begins anew.
    """

    def __init__(self, ranks: Mapping[Pair, int], byte_ids: tuple[int, ...]) -> None:
        super().__init__()
        self._ranks = ranks
        self._byte_ids = byte_ids

    def __missing__(self, piece: str) -> tuple[int, ...]:
        symbols = [self._byte_ids[byte] for byte in utf8(piece)]
        ids = tuple(merge_piece(symbols, self._ranks))
        if len(piece) <= CACHED_CHARACTERS:
            if len(self) >= CACHE_ENTRIES:
                self.clear()
            self[piece] = ids
        return ids


def utf8(text: str) -> bytes:
    """`text` in UTF-8. Halves of surrogate pairs have none: they are joined or become U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
