"""The tokenizer: a frozen value that turns text into ids and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import regex

from llm_reference.tokenizer.encode import PieceIds, utf8
from llm_reference.tokenizer.pattern import GPT4, Splitter
from llm_reference.tokenizer.train import Pair, count_pieces, learn_merges

END_OF_TEXT = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019, section 2.2).

    Id i < 256 is the byte `byte_order[i]`; id 256 + i is merge `i`, a pair of lower ids; special
    tokens have ids above those. Every text can be encoded, and `decode(encode(text)) == text`.

    Raises ValueError where these parts contradict one another.
    """

    merges: tuple[Pair, ...]
    pattern: str = GPT4
    special: dict[str, int] = field(default_factory=dict, hash=False)
    byte_order: bytes = bytes(range(256))
    _vocab: dict[int, bytes] = field(init=False, repr=False, compare=False)
    _splitter: Splitter = field(init=False, repr=False, compare=False)
    _piece_ids: PieceIds = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        vocab = _vocabulary(self.merges, self.byte_order, self.special)
        byte_ids = tuple(self.byte_order.index(byte) for byte in range(256))
        ranks = {pair: 256 + rank for rank, pair in enumerate(self.merges)}
        object.__setattr__(self, "_vocab", vocab)
        object.__setattr__(self, "_splitter", Splitter(self.pattern))
        object.__setattr__(self, "_piece_ids", PieceIds(ranks, byte_ids))

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        pattern: str = GPT4,
        special: Sequence[str] = (END_OF_TEXT,),
    ) -> Tokenizer:
        """Learn a vocabulary of `vocab_size` ids, special tokens included, from `texts`.

        Each text is a document: no merge crosses from one into the next, nor a special token found
        in one. The vocabulary is smaller where the texts have no pair of neighbours left to merge.
        `special` tokens get the highest ids, in the order given. `learn_merges` has the tie rule.

        Raises ValueError if `vocab_size` has no room for the 256 bytes and the special tokens.
        """
        n_merges = vocab_size - 256 - len(special)
        if n_merges < 0:
            raise ValueError(
                f"vocab_size={vocab_size} is too small: 256 bytes and {len(special)} special "
                f"tokens need {256 + len(special)}"
            )
        documents = [texts] if isinstance(texts, str) else texts
        if special:
            cut = _any_of(special)
            documents = chain.from_iterable(map(cut.split, documents))
        counts: dict[bytes, int] = {}
        for piece, count in count_pieces(documents, Splitter(pattern).split).items():
            data = utf8(piece)
            counts[data] = counts.get(data, 0) + count
        merges = tuple(learn_merges(counts, n_merges))
        first = 256 + len(merges)
        return cls(merges, pattern, {token: first + i for i, token in enumerate(special)})

    @property
    def vocab_size(self) -> int:
        """One more than the highest id: the size that a model's embedding needs."""
        return max(self._vocab) + 1

    def encode(self, text: str, allowed_special: Collection[str] = frozenset()) -> list[int]:
        """The ids of `text`.

        The text of a special token is ordinary text here and can never give that token's id, unless
        `allowed_special` names it: allow one only in text that you wrote yourself. Raises
        ValueError for a name in `allowed_special` that is no special token.
        """
        if not allowed_special:
            return self._encode_ordinary(text)
        unknown = sorted(set(allowed_special) - self.special.keys())
        if unknown:
            raise ValueError(f"no special token {unknown[0]!r}: there are {sorted(self.special)}")
        ids, end = [], 0
        for match in _any_of(allowed_special).finditer(text):
            ids += self._encode_ordinary(text[end : match.start()])
            ids.append(self.special[match.group()])
            end = match.end()
        return ids + self._encode_ordinary(text[end:])

    def _encode_ordinary(self, text: str) -> list[int]:
        return list(chain.from_iterable(map(self._piece_ids.__getitem__, self.split(text))))

    def split(self, text: str) -> list[str]:
        """The pre-tokens of `text`: the pieces that are encoded each for itself."""
        return self._splitter.split(text)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`. Bytes that are not valid UTF-8, as of half a character, become U+FFFD.

        Raises ValueError for an id that is not in the vocabulary.
        """
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The exact bytes of `ids`. Raises ValueError for an id that is not in the vocabulary."""
        try:
            return b"".join(map(self._vocab.__getitem__, map(int, ids)))
        except KeyError as error:
            raise ValueError(
                f"id {error.args[0]} is not in this vocabulary of {self.vocab_size} ids"
            ) from None

    def save(self, path: Path | str) -> None:
        """Write the tokenizer to `path` as JSON; an interrupted write leaves the old file whole."""
        from llm_reference.tokenizer.store import write

        write(self, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> Tokenizer:
        """Read what `save` wrote. Raises ValueError naming the file and what is wrong with it."""
        from llm_reference.tokenizer.store import read

        return read(Path(path))


def _vocabulary(
    merges: Sequence[Pair], byte_order: bytes, special: dict[str, int]
) -> dict[int, bytes]:
    """What each id stands for, built up merge by merge; ValueError if the parts do not fit."""
    if sorted(byte_order) != list(range(256)):
        raise ValueError("byte_order must name each of the 256 bytes once")
    if len(set(merges)) != len(merges):
        raise ValueError("the same pair is merged twice")
    vocab = {i: bytes([byte]) for i, byte in enumerate(byte_order)}
    for rank, (left, right) in enumerate(merges):
        new_id = 256 + rank
        if not (0 <= left < new_id and 0 <= right < new_id):
            raise ValueError(f"merge {rank} joins {(left, right)}, but id {new_id} is its own")
        vocab[new_id] = vocab[left] + vocab[right]
    for token, token_id in special.items():
        if not token:
            raise ValueError("a special token cannot be empty text")
        if token_id in vocab or token_id < 0:
            raise ValueError(f"special token {token!r} has id {token_id}, which is taken")
        vocab[token_id] = utf8(token)
    return vocab


def _any_of(tokens: Collection[str]) -> Any:
    """A regular expression for any of `tokens`; where one begins another, the longer one wins."""
    return regex.compile("|".join(map(regex.escape, sorted(tokens, key=len, reverse=True))))
