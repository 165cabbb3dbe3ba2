"""Inputs: every change that matters changes the fingerprint, and nothing else does."""

import os
from pathlib import Path

from roadmap.files import write_atomically
from roadmap.publish.inputs import read_inputs, tree


def book(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "roadmap.yaml").write_text("title: T\n")
    (tmp_path / "llm_reference").mkdir()
    (tmp_path / "llm_reference/__init__.py").write_text("")
    (tmp_path / "llm_reference/a.py").write_text("x = 1\n")
    (tmp_path / "lab.py").write_text("y = 1\n")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/b.py").write_text("no package\n")
    return folder


def test_the_fingerprint_follows_the_book_the_subject_and_the_options(tmp_path: Path):
    folder = book(tmp_path)
    seen = {read_inputs(folder).fingerprint("pdf")}
    assert read_inputs(folder).fingerprint("pdf") in seen
    seen.add(read_inputs(folder).fingerprint("no pdf"))
    (folder / "roadmap.yaml").write_text("title: U\n")
    seen.add(read_inputs(folder).fingerprint("pdf"))
    (tmp_path / "llm_reference/a.py").write_text("x = 2\n")
    seen.add(read_inputs(folder).fingerprint("pdf"))
    (folder / "new.md").write_text("")
    seen.add(read_inputs(folder).fingerprint("pdf"))
    (tmp_path / "lab.py").write_text("y = 2\n")
    seen.add(read_inputs(folder).fingerprint("pdf"))
    assert len(seen) == 6
    (tmp_path / "notes/b.py").write_text("still no package\n")
    assert read_inputs(folder).fingerprint("pdf") in seen


def test_what_tools_leave_behind_is_no_input(tmp_path: Path):
    folder = book(tmp_path)
    before = read_inputs(folder)
    (tmp_path / "llm_reference/__pycache__").mkdir()
    (tmp_path / "llm_reference/__pycache__/a.pyc").write_bytes(b"x")
    (folder / ".editor-backup").write_text("x")
    assert read_inputs(folder) == before


def test_a_small_file_with_old_size_and_time_but_new_bytes_is_seen(tmp_path: Path):
    import os

    path = tmp_path / "a"
    path.write_text("one")
    before, stat = tree(tmp_path), path.stat()
    path.write_text("two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert tree(tmp_path) != before


def test_write_atomically_writes_to_a_pipe_and_through_a_link(tmp_path: Path):
    import os
    import threading

    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_atomically(pipe, "to the pipe\n")
    reader.join()
    assert read == ["to the pipe\n"]
    assert pipe.is_fifo()
    link.symlink_to(tmp_path / "file")
    write_atomically(link, "through the link\n")
    assert link.is_symlink()
    assert (tmp_path / "file").read_text() == "through the link\n"


def test_write_atomically_replaces_whole_and_keeps_the_mode(tmp_path: Path):
    path = tmp_path / "a.txt"
    write_atomically(path, "one\n")
    path.chmod(0o600)
    write_atomically(path, "two\n")
    assert path.read_text() == "two\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_what_cannot_be_read_is_a_change_like_any_other_and_no_end(tmp_path: Path, monkeypatch):
    folder = book(tmp_path)
    before = read_inputs(folder).fingerprint()
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")  # to read from it would take for ever
    assert read_inputs(folder).fingerprint() == before
    assert tree(folder / "roadmap.yaml") == tree(folder / "nowhere") == {}

    def refuse(path: Path) -> bytes:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert read_inputs(folder).fingerprint() != before
