"""Saving, loading, and what happens with files that are damaged."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_reference.tokenizer import GPT2, Tokenizer, load_gpt2
from llm_reference.tokenizer.interop import printable_bytes

TEXT = "the cat sat on the mat, the cat that sat. 猫 " * 20
CUSTOM = r"[a-z]+|\s+|."


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.train([TEXT], 300, CUSTOM, special=("<|end of text|>", "<|ünï|>"))


def test_loading_what_was_saved_gives_the_same_value(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tokenizer.json"
    tokenizer.save(path)
    loaded = Tokenizer.load(path)
    assert loaded == tokenizer
    assert loaded.encode(TEXT, tokenizer.special) == tokenizer.encode(TEXT, tokenizer.special)


def test_a_custom_pattern_survives_saving(tmp_path: Path) -> None:
    """With the default pattern, ` c` would be one piece, and its merge would be used."""
    tokenizer = Tokenizer(((ord(" "), ord("c")),), CUSTOM)
    tokenizer.save(tmp_path / "t.json")
    assert Tokenizer.load(tmp_path / "t.json").encode("a cab") == list(b"a cab")


def test_the_saved_file_is_plain_json(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "t.json")
    document = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert document["special"] == tokenizer.special
    assert document["merges"][0] == list(tokenizer.merges[0])


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(
    tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.json"
    tokenizer.save(path)
    before = path.read_bytes()

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        Tokenizer(()).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_saved_file_can_be_read_by_others(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "t.json")
    assert stat.S_IMODE((tmp_path / "t.json").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "pickle"}, '"format"'),
        ({"version": 2}, "version 2"),
        ({"pattern": None}, '"pattern"'),
        ({"pattern": "("}, "invalid split pattern"),
        ({"special": ["<|x|>"]}, '"special"'),
        ({"special": {"<|x|>": "5"}}, '"special"'),
        ({"special": {"<|x|>": 65}}, "id 65, which is taken"),
        ({"special": {"": 999}}, "empty"),
        ({"byte_order": list(range(255))}, "256 bytes"),
        ({"byte_order": [0] * 256}, "256 bytes"),
        ({"byte_order": [256] * 256}, '"byte_order"'),
        ({"merges": {}}, '"merges"'),
        ({"merges": [[1, 2, 3]]}, "merge 0"),
        ({"merges": [[1, True]]}, "merge 0"),
        ({"merges": [[65, 66], [65, 66]]}, "merged twice"),
        ({"merges": [[65, 256]]}, "merge 0"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_with_its_name_and_the_reason(
    tokenizer: Tokenizer, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    path = tmp_path / "t.json"
    tokenizer.save(path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change))
    with pytest.raises(ValueError, match=reason) as caught:
        Tokenizer.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"\x80\x04\x95pickle"]
)
def test_a_file_that_is_no_tokenizer_is_refused_with_its_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="not a tokenizer file") as caught:
        Tokenizer.load(path)
    assert str(path) in str(caught.value)


@given(cut=st.integers(0, 5000))
def test_a_truncated_file_never_loads(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "t.json"
    Tokenizer.train([TEXT], 300).save(path)
    whole = path.read_bytes().rstrip()
    path.write_bytes(whole[: cut % len(whole)])
    with pytest.raises(ValueError, match="not a tokenizer file"):
        Tokenizer.load(path)


def test_a_missing_file_is_reported_as_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"t\.json"):
        Tokenizer.load(tmp_path / "t.json")


def write_gpt2(folder: Path, ids: dict[str, int], merges: list[str]) -> tuple[Path, Path]:
    (folder / "encoder.json").write_text(json.dumps(ids), encoding="utf-8")
    (folder / "vocab.bpe").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")
    return folder / "encoder.json", folder / "vocab.bpe"


def small_gpt2() -> tuple[dict[str, int], list[str]]:
    ids = {character: 255 - byte for byte, character in enumerate(printable_bytes())}
    return ids | {"Ġt": 256, "Ġth": 257, "<|endoftext|>": 258}, ["Ġ t", "Ġt h"]


def test_gpt2_files_with_any_byte_order_are_read(tmp_path: Path) -> None:
    tokenizer = load_gpt2(*write_gpt2(tmp_path, *small_gpt2()))
    assert tokenizer.pattern == GPT2
    assert tokenizer.encode(" the") == [257, 255 - ord("e")]
    assert tokenizer.decode([257, 255 - ord("e"), 258]) == " the<|endoftext|>"


def test_printable_bytes_are_256_different_characters_that_are_no_white_space() -> None:
    characters = printable_bytes()
    assert len(set(characters)) == 256
    assert not any(c.isspace() or not c.isprintable() for c in characters)
    assert characters[ord("a")] == "a"
    assert (characters[ord(" ")], characters[ord("\n")]) == ("Ġ", "Ċ")


@pytest.mark.parametrize(
    ("ids", "merges", "reason"),
    [
        ({"Ġth": 300}, ["Ġ t", "Ġt h"], r"vocab\.bpe:3: .* should make id 257"),
        ({}, ["Ġ t", "Ġt zz"], r"vocab\.bpe:3: .* is not two tokens"),
        ({}, ["Ġ t", "Ġth"], r"vocab\.bpe:3: "),
        ({}, ["Ġ t"], r"encoder\.json: 258 tokens"),
        ({"a": 999}, ["Ġ t", "Ġt h"], r"encoder\.json: byte 97"),
        ({"a": 0}, ["Ġ t", "Ġt h"], "256 bytes"),
        ({"<|endoftext|>": 3}, ["Ġ t", "Ġt h"], "id 3, which is taken"),
    ],
)
def test_gpt2_files_that_contradict_each_other_are_refused_with_file_and_line(
    tmp_path: Path, ids: dict[str, int], merges: list[str], reason: str
) -> None:
    good, _ = small_gpt2()
    with pytest.raises(ValueError, match=reason):
        load_gpt2(*write_gpt2(tmp_path, good | ids, merges))


@pytest.mark.parametrize("damaged", ["{", "[1]", '{"a": "b"}'])
def test_a_damaged_encoder_json_is_refused_with_its_name(tmp_path: Path, damaged: str) -> None:
    encoder, vocab = write_gpt2(tmp_path, *small_gpt2())
    encoder.write_text(damaged)
    with pytest.raises(ValueError, match=r"encoder\.json: "):
        load_gpt2(encoder, vocab)
