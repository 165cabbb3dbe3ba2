"""Publication: what is made again, what is kept, and that a failure leaves the last good site."""

import json
from pathlib import Path

import pytest

from roadmap.diagnostics import BuildError
from roadmap.publish import site as site_module
from roadmap.publish.exchange import exchange
from roadmap.publish.site import LAST, MANIFEST, Unit, is_current, publish, read_manifest


def unit(name: str, key: str, files: dict[str, str], made: list[str] | None = None) -> Unit:
    def make(_):
        if made is not None:
            made.append(name)
        return files

    return Unit(name, key, make)


def files_of(out: Path) -> dict[str, str]:
    return {
        p.relative_to(out).as_posix(): p.read_text()
        for p in out.rglob("*")
        if p.is_file() and p.name != MANIFEST
    }


def test_a_unit_is_made_again_only_when_its_key_changes(tmp_path: Path):
    out, made = tmp_path / "site", []
    publish(
        [unit("a", "1", {"a.html": "A"}, made), unit("b", "1", {"d/b.html": "B"}, made)], out, "f"
    )
    publish(
        [unit("a", "1", {"a.html": "A"}, made), unit("b", "2", {"d/b.html": "B2"}, made)], out, "g"
    )
    assert made == ["a", "b", "b"]
    assert files_of(out) == {"a.html": "A", "d/b.html": "B2"}


def test_a_file_whose_bytes_are_the_same_keeps_its_time(tmp_path: Path):
    out = tmp_path / "site"
    publish([unit("a", "1", {"a.html": "A"})], out, "f")
    before = (out / "a.html").stat().st_mtime_ns
    published = publish([unit("a", "2", {"a.html": "A"})], out, "g")
    assert (out / "a.html").stat().st_mtime_ns == before
    assert (published.written, published.kept) == ((), 1)


def test_a_file_changed_by_hand_is_made_again(tmp_path: Path):
    out = tmp_path / "site"
    publish([unit("a", "1", {"a.html": "A"})], out, "f")
    (out / "a.html").write_text("edited by hand")
    assert not is_current(out, "f")
    publish([unit("a", "1", {"a.html": "A"})], out, "f")
    assert files_of(out) == {"a.html": "A"}
    assert is_current(out, "f")


def test_a_file_removed_by_hand_is_noticed(tmp_path: Path):
    out = tmp_path / "site"
    publish([unit("a", "1", {"a.html": "A"})], out, "f")
    (out / "a.html").unlink()
    assert not is_current(out, "f")


def test_what_no_unit_makes_any_more_is_removed(tmp_path: Path):
    out = tmp_path / "site"
    publish([unit("a", "1", {"a.html": "A", "old.html": "O"})], out, "f")
    published = publish([unit("a", "2", {"a.html": "A"})], out, "g")
    assert published.removed == ("old.html",)
    assert files_of(out) == {"a.html": "A"}


def test_a_unit_without_make_is_kept_while_its_key_holds_and_then_left_out(tmp_path: Path):
    out = tmp_path / "site"
    publish([unit("pdf", "1", {"a.pdf": "P"})], out, "f")
    publish([Unit("pdf", "1", None)], out, "g")
    assert files_of(out) == {"a.pdf": "P"}
    publish([Unit("pdf", "2", None)], out, "h")
    assert files_of(out) == {}


def test_the_last_units_read_the_files_of_the_others_kept_or_new(tmp_path: Path):
    out = tmp_path / "site"
    for key in ("1", "2"):
        both = Unit("b", key, lambda read: {"b": read("a").decode() + "!"}, LAST)
        publish([unit("a", "1", {"a": "A"}), both], out, key)
        assert files_of(out)["b"] == "A!"


def test_a_failing_unit_leaves_the_last_good_site_and_no_staging(tmp_path: Path):
    out = tmp_path / "site"
    publish([unit("a", "1", {"a.html": "A"})], out, "f")

    def fail(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        publish([unit("a", "2", {"a.html": "new"}), Unit("b", "1", fail)], out, "g")
    assert files_of(out) == {"a.html": "A"}
    assert is_current(out, "f")
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_a_disk_that_refuses_is_a_diagnostic_and_leaves_the_last_good_site(
    tmp_path: Path, monkeypatch
):
    out = tmp_path / "site"
    publish([unit("a", "1", {"a.html": "A"})], out, "f")

    def refuse(*_):
        raise OSError(28, "No space left on device", "a.html")

    monkeypatch.setattr(site_module, "exchange", refuse)
    with pytest.raises(BuildError) as caught:
        publish([unit("a", "2", {"a.html": "new"})], out, "g")
    assert caught.value.diagnostics[0].rule == "publish-failed"
    assert "No space left" in caught.value.diagnostics[0].message
    assert files_of(out) == {"a.html": "A"}


@pytest.mark.parametrize("kind", ["foreign files", "a file", "a link"])
def test_what_is_not_ours_is_never_replaced(tmp_path: Path, kind: str):
    out = tmp_path / "site"
    if kind == "foreign files":
        out.mkdir()
        (out / "thesis.txt").write_text("precious")
    elif kind == "a file":
        out.write_text("precious")
    else:
        (tmp_path / "elsewhere").mkdir()
        out.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BuildError) as caught:
        publish([unit("a", "1", {"a.html": "A"})], out, "f")
    assert caught.value.diagnostics[0].rule == "publish-failed"
    if kind == "foreign files":
        assert (out / "thesis.txt").read_text() == "precious"


def test_an_empty_folder_may_be_filled(tmp_path: Path):
    out = tmp_path / "site"
    out.mkdir()
    publish([unit("a", "1", {"a.html": "A"})], out, "f")
    assert files_of(out) == {"a.html": "A"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', json.dumps({"version": 1})])
def test_a_broken_manifest_means_a_new_site(tmp_path: Path, text: str):
    out = tmp_path / "site"
    publish([unit("a", "1", {"a.html": "A"})], out, "f")
    (out / MANIFEST).write_text(text)
    assert read_manifest(out) is None
    publish([unit("a", "1", {"a.html": "A"})], out, "f")
    assert is_current(out, "f")


def test_two_units_may_not_write_the_same_file(tmp_path: Path):
    with pytest.raises(ValueError, match="both write"):
        publish([unit("a", "1", {"x": "A"}), unit("b", "1", {"x": "B"})], tmp_path / "site", "f")


@pytest.mark.parametrize("atomic", [True, False])
def test_exchange_swaps_two_folders(tmp_path: Path, monkeypatch, atomic: bool):
    if not atomic:
        monkeypatch.setattr("roadmap.publish.exchange._exchange_atomically", lambda *_: False)
    for name in ("new", "current"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    exchange(tmp_path / "new", tmp_path / "current")
    assert (tmp_path / "current/file").read_text() == "new"
    assert (tmp_path / "new/file").read_text() == "current"
    assert len(list(tmp_path.iterdir())) == 2


def test_exchange_by_renames_is_undone_when_the_second_fails(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("roadmap.publish.exchange._exchange_atomically", lambda *_: False)
    (tmp_path / "current").mkdir()
    (tmp_path / "current/file").write_text("last good")
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "absent", tmp_path / "current")
    assert (tmp_path / "current/file").read_text() == "last good"


def test_exchange_by_renames_goes_on_after_a_process_that_was_killed_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr("roadmap.publish.exchange._exchange_atomically", lambda *_: False)
    for name in ("new", "current", ".current.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    exchange(tmp_path / "new", tmp_path / "current")
    assert (tmp_path / "current/file").read_text() == "new"
    assert (tmp_path / "new/file").read_text() == "current"
    assert not (tmp_path / ".current.old").exists()
