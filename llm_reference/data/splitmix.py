"""SplitMix64: a random generator of integers alone, so its stream is the same everywhere.

`random` and numpy's generators may change how they turn bits into choices from one version to the
next. Here a draw is one 64-bit integer, fixed by arithmetic modulo 2^64, and what is made of it is
written in this package.

Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014,
section 4 (with the constants of the authors' reference implementation).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

GAMMA = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def mix(state: int) -> int:
    """The output function: a bijection of the 64-bit integers that scatters nearby states."""
    z = state & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def stream_seed(seed: int, index: int) -> int:
    """The state from which stream number `index` of a seed begins; streams are independent."""
    return mix(mix(seed + GAMMA) + index * GAMMA)


def draws(seed: int, block: int = 128) -> Iterator[int]:
    """The endless stream of 64-bit integers that begins at `seed`.

    State number i is `seed + i * GAMMA`, so a whole block is computed at once by numpy.
    """
    steps = np.arange(1, block + 1, dtype=np.uint64) * np.uint64(GAMMA)
    first, second = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
    shifts = np.uint64(30), np.uint64(27), np.uint64(31)
    state = seed & MASK
    while True:
        z = steps + np.uint64(state)
        z = (z ^ (z >> shifts[0])) * first
        z = (z ^ (z >> shifts[1])) * second
        yield from (z ^ (z >> shifts[2])).tolist()
        state = (state + block * GAMMA) & MASK
