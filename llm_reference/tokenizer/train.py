"""Learning the merges of byte-pair encoding.

Sennrich, Haddow, Birch 2016 (arXiv 1508.07909), algorithm 1, on bytes as in Radford et al. 2019:
begin with single bytes; again and again join the most frequent pair of neighbours.

The naive way counts every pair again after every merge. Three ideas make it fast and leave the
result as it is: equal pre-tokens are counted once; each pair knows the words it occurs in, so that
a merge visits those alone; and a heap, corrected only when looked at, gives the most frequent pair.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

Pair = tuple[int, int]


def count_pieces(texts: Iterable[str], split: Callable[[str], list[str]]) -> Counter[str]:
    """How often each pre-token occurs in all `texts`."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split(text))
    return counts


def learn_merges(counts: Mapping[bytes, int], n_merges: int) -> list[Pair]:
    """The first `n_merges` merges of byte-pair encoding; fewer if no pair of neighbours is left.

    `counts` maps a pre-token's bytes to how often it occurs. Ids below 256 are bytes; merge `i`
    makes id 256 + i. Tie rule: of the pairs with the highest count, the one with the smallest left
    id, then the smallest right id. So the result depends on the counts alone, not on their order.
    """
    words = [list(piece) for piece in counts]
    weights = list(counts.values())
    pair_counts: defaultdict[Pair, int] = defaultdict(int)
    words_with: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, word in enumerate(words):
        for pair in pairwise(word):
            pair_counts[pair] += weights[index]
            words_with[pair].add(index)
    heap = [(-count, pair) for pair, count in pair_counts.items()]
    heapq.heapify(heap)

    merges: list[Pair] = []
    while len(merges) < n_merges:
        best = _most_frequent(heap, pair_counts)
        if best is None:
            break
        new_id = 256 + len(merges)
        merges.append(best)
        born: set[Pair] = set()
        for index in words_with.pop(best):
            words[index], changes = _merge(words[index], best, new_id)
            for pair, change in changes:
                pair_counts[pair] += change * weights[index]
                if change > 0:
                    words_with[pair].add(index)
                    born.add(pair)
        for pair in born:
            heapq.heappush(heap, (-pair_counts[pair], pair))
    return merges


def _most_frequent(heap: list[tuple[int, Pair]], counts: Mapping[Pair, int]) -> Pair | None:
    """Take the best pair off the heap.

    Only a pair that a merge has just made can gain; all others only lose. So an entry of the heap
    is never too low, and one that turns out too high goes back with its count of today.
    """
    while heap:
        claimed, pair = heapq.heappop(heap)
        count = counts.get(pair, 0)
        if count == -claimed and count > 0:
            return pair
        if count > 0:
            heapq.heappush(heap, (-count, pair))
    return None


def _merge(word: list[int], pair: Pair, new_id: int) -> tuple[list[int], list[tuple[Pair, int]]]:
    """Join every `pair` in `word`, left to right; also tell which pairs came and went."""
    left, right = pair
    merged: list[int] = []
    changes: list[tuple[Pair, int]] = []
    last, position = len(word) - 1, 0
    while position <= last:
        symbol = word[position]
        if symbol != left or position == last or word[position + 1] != right:
            merged.append(symbol)
            position += 1
            continue
        if merged:
            before = merged[-1]
            changes.append(((right if before == new_id else before, left), -1))
            changes.append(((before, new_id), 1))
        merged.append(new_id)
        position += 2
        if position > last:
            break
        after = word[position]
        if after != left or position == last or word[position + 1] != right:
            changes.append(((right, after), -1))
            changes.append(((new_id, after), 1))
    return merged, changes
