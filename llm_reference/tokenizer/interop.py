"""Reading the tokenizers of released models."""

from __future__ import annotations

import json
from pathlib import Path

from llm_reference.tokenizer.pattern import GPT2
from llm_reference.tokenizer.tokenizer import END_OF_TEXT, Tokenizer
from llm_reference.tokenizer.train import Pair


def load_gpt2(encoder_json: Path | str, vocab_bpe: Path | str) -> Tokenizer:
    """GPT-2's tokenizer from its two released files.

    `encoder.json` maps each token to its id and `vocab.bpe` lists the merges, both with every byte
    written as a printable character (see `printable_bytes`). Raises ValueError naming the file, and
    the line where there is one, if either is damaged or they contradict each other.
    """
    encoder_json, vocab_bpe = Path(encoder_json), Path(vocab_bpe)
    ids = _read_ids(encoder_json)
    special = {END_OF_TEXT: ids.pop(END_OF_TEXT)} if END_OF_TEXT in ids else {}

    byte_order = bytearray(256)
    for byte, character in enumerate(printable_bytes()):
        if not 0 <= ids.get(character, -1) < 256:
            raise ValueError(f"{encoder_json}: byte {byte}, {character!r}, has no id below 256")
        byte_order[ids[character]] = byte

    merges: list[Pair] = []
    lines = vocab_bpe.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#version"):
            continue
        left, _, right = line.partition(" ")
        if left not in ids or right not in ids:
            raise ValueError(f"{vocab_bpe}:{number}: {line!r} is not two tokens of {encoder_json}")
        if ids.get(left + right) != 256 + len(merges):
            raise ValueError(
                f"{vocab_bpe}:{number}: {line!r} should make id {256 + len(merges)}, "
                f"but {encoder_json} gives {ids.get(left + right)}"
            )
        merges.append((ids[left], ids[right]))
    if len(ids) != 256 + len(merges):
        raise ValueError(
            f"{encoder_json}: {len(ids)} tokens, but {vocab_bpe} makes {256 + len(merges)}"
        )
    try:
        return Tokenizer(tuple(merges), GPT2, special, bytes(byte_order))
    except ValueError as error:
        raise ValueError(f"{encoder_json} and {vocab_bpe}: {error}") from error


def printable_bytes() -> str:
    """The character that GPT-2's files write for each byte, at that byte's index.

    Bytes that are printable and not blank in Latin-1 stand for themselves; the 68 others take the
    characters from U+0100 on, in order: so a space is written Ġ (U+0120), a line end Ċ (U+010A).
    """
    shown = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return "".join(
        chr(byte) if byte in shown else chr(0x100 + hidden.index(byte)) for byte in range(256)
    )


def _read_ids(path: Path) -> dict[str, int]:
    try:
        ids = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(ids, dict) or not all(type(i) is int for i in ids.values()):
        raise ValueError(f"{path}: it must map each token to its id")
    return ids
