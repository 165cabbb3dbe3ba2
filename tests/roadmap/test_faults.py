"""Every fault of a book, through the command line: one finding, exit code 1, the site untouched.

The last good site is built once, for real; each row gets a copy of it, spoils the book, builds
again, and must find the site as it was, to the byte and to the nanosecond.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fixture_book import FixtureBook
from planted import append, edit

from roadmap.cli import main

PROJECT = Path(__file__).parents[2]
CHAPTER, SECOND, THIRD = FixtureBook.chapter, FixtureBook.second, FixtureBook.third
SCRIPT, REPORT = FixtureBook.experiment, "report(answer=2 * 21)"
Plant = Callable[[FixtureBook], object]


@dataclass(frozen=True, slots=True)
class Row:
    """A fault, the rule it breaks, and where: the first line of `file` that holds `at`."""

    name: str
    plant: Plant
    rule: str
    file: str
    at: str


def script(code: str, **limits: str) -> Plant:
    """Plants code in place of the experiment's report, and limits in the front matter."""

    def plant(book: FixtureBook) -> None:
        book.edit(SCRIPT, REPORT, code)
        for name, limit in limits.items():
            old = {"timeout": "timeout: 20", "memory": "memory: 2 GiB"}[name]
            book.edit(CHAPTER, old, f"{name}: {limit}")

    return plant


def _link_out(book: FixtureBook) -> None:
    book.write("../outside.svg", book.read("00-basics/first/box.svg").replace("M1 1", "M2 2"))
    book.path("00-basics/first/box.svg").unlink()
    book.path("00-basics/first/box.svg").symlink_to(book.path("../outside.svg"))


def _circle(book: FixtureBook) -> None:
    book.edit(CHAPTER, "aliases: [once-first]", "requires: [third]")


def _skip_first(book: FixtureBook) -> None:
    book.edit(CHAPTER, "beginner: {minutes: 10}", "beginner: skip")
    book.edit(THIRD, "beginner: {minutes: 5}", "beginner: skip")


def _gone(file: str) -> Plant:
    return lambda book: book.path(file).unlink()


ROWS = [
    # files
    Row("no roadmap.yaml", _gone("roadmap.yaml"), "book-missing", "roadmap.yaml", ""),
    Row("no chapter.md", _gone(SECOND), "file-missing", "roadmap.yaml", "second"),
    Row("no box.svg", _gone("00-basics/first/box.svg"), "link-dead", CHAPTER, "box.svg"),
    Row(
        "needs what is not there",
        edit(CHAPTER, "2 GiB}", "2 GiB, needs: [data.txt]}"),
        "file-missing",
        CHAPTER,
        "data.txt",
    ),
    Row(
        "path out of the book",
        append(SECOND, "\n![A box](../../../outside.svg)\n"),
        "path-escapes-book",
        SECOND,
        "outside.svg",
    ),
    Row("link out of the book", _link_out, "path-escapes-book", CHAPTER, "box.svg"),
    Row(
        "UTF-16",
        lambda book: book.path(SECOND).write_bytes(book.read(SECOND).encode("utf-16")),
        "file-encoding",
        SECOND,
        "",
    ),
    Row(
        "node without a place",
        lambda book: book.plan("fourth", "further", "01-further"),
        "node-unlisted",
        "01-further/fourth/chapter.md",
        "",
    ),
    # front matter
    Row(
        "front matter is not YAML",
        edit(SECOND, "summary: Not yet.", "summary: Not: yet."),
        "yaml-syntax",
        SECOND,
        "Not: yet.",
    ),
    Row(
        "unknown key",
        edit(SECOND, "status:", "statos:"),
        "field-unknown",
        SECOND,
        "statos",
    ),
    Row("missing key", edit(SECOND, "summary: Not yet.\n", ""), "field-missing", SECOND, "---"),
    Row("wrong value", edit(SECOND, "planned", "plannd"), "field-invalid", SECOND, "plannd"),
    Row(
        "no front matter",
        lambda book: book.write(SECOND, "## Hello\n"),
        "front-matter-missing",
        SECOND,
        "## Hello",
    ),
    # the graph and the tracks
    Row("circle", _circle, "graph-cycle", CHAPTER, "requires"),
    Row("unknown node", edit(THIRD, "[second]", "[secnd]"), "node-unknown", THIRD, "secnd"),
    Row(
        "id twice",
        edit(SECOND, "status:", "aliases: [third]\nstatus:"),
        "node-duplicate",
        SECOND,
        "aliases",
    ),
    Row("hidden prerequisite", _skip_first, "prerequisite-hidden", SECOND, "requires"),
    Row(
        "wrong stage",
        edit(THIRD, "stage: further", "stage: basics"),
        "stage-mismatch",
        THIRD,
        "stage:",
    ),
    # what chapters point to
    Row("dead link", append(SECOND, "\n[x](node:forst)\n"), "link-dead", SECOND, "forst"),
    Row("dead anchor", append(SECOND, "\n[x](node:first#nope)\n"), "anchor-dead", SECOND, "#nope"),
    Row("anchor twice", append(SECOND, "\n## A plan!\n"), "anchor-duplicate", SECOND, "## A plan!"),
    Row(
        "no such code",
        edit(CHAPTER, "{source} lab:double", "{source} lab:halve"),
        "source-missing",
        CHAPTER,
        "halve",
    ),
    Row(
        "no such cell",
        edit(CHAPTER, "{cell} double", "{cell} treble"),
        "cell-missing",
        CHAPTER,
        "treble",
    ),
    Row(
        "no such result",
        edit(CHAPTER, "`answer|.0f`", "`anser|.0f`"),
        "value-missing",
        CHAPTER,
        "anser",
    ),
    Row(
        "unknown directive",
        edit(CHAPTER, "{estimate}", "{estimat}"),
        "directive-unknown",
        CHAPTER,
        "estimat",
    ),
    Row("formula", append(CHAPTER, "\nThus $\\frac{1}$.\n"), "math-invalid", CHAPTER, "frac"),
    Row(
        "image without alt",
        edit(CHAPTER, "![A box]", "![]"),
        "image-without-alt",
        CHAPTER,
        "box.svg",
    ),
    Row(
        "facts from the future",
        edit(CHAPTER, "2026-06-01", "2999-01-01"),
        "compliance-undated",
        CHAPTER,
        "2999",
    ),
    Row(
        "picture that runs code",
        edit("00-basics/first/box.svg", "<path", "<script>x()</script><path"),
        "image-invalid",
        CHAPTER,
        "box.svg",
    ),
    # experiments
    Row("script is not Python", script("x = = 1"), "experiment-syntax", SCRIPT, "x = ="),
    Row("cell without name", edit(SCRIPT, "# %% double", "# %%"), "cell-invalid", SCRIPT, "# %%\n"),
    Row("failing", script("1 / 0"), "experiment-failed", SCRIPT, "1 / 0"),
    Row("hanging", script("while True: pass", timeout="1"), "experiment-timeout", SCRIPT, "while"),
    Row(
        "memory-eating",
        script("x = []\nwhile True: x.append(bytearray(2**24))", memory="256 MiB"),
        "experiment-memory",
        SCRIPT,
        "while",
    ),
    Row(
        "network-using",
        script("import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=5)"),
        "experiment-network",
        SCRIPT,
        "create_connection",
    ),
    Row("crashing", script("import os\nos.abort()"), "experiment-crashed", SCRIPT, "os.abort"),
    Row("flooding", script("while True: print('x' * 999)"), "experiment-output", SCRIPT, "while"),
    Row("missing band", script("report(answer=42, extra=1)"), "result-unbanded", SCRIPT, "extra"),
    Row("missing result", script("print(42)"), "result-unreported", CHAPTER, "cpu:"),
    Row("out of band", script("report(answer=44)"), "result-out-of-band", CHAPTER, "cpu:"),
    Row("not a number", script("report(answer=float('nan'))"), "result-invalid", SCRIPT, "nan"),
    Row(
        "figure without alt",
        script(f"{REPORT}\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])"),
        "figure-without-alt",
        CHAPTER,
        "{cell}",
    ),
]


def _build(book: FixtureBook, *more: str, out: Path | None = None) -> list[str]:
    """The arguments of a build without PDFs, which have tests of their own."""
    site = str(out or book.project / "site")
    where = ["--book", str(book.root), "--out", site]
    return ["build", *where, "--no-pdf", "--quiet", "--format", "json", "--jobs", "1", *more]


def run_cli(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and findings of the command line, in this process."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    code = ended.value.code
    assert isinstance(code, int)
    return code, json.loads(capsys.readouterr().out)


def process(arguments: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """The command line in a process of its own, to be limited or killed."""
    program = "from roadmap.cli import main; main()"
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, **options)


def snapshot(site: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a site: what is in it and when it was written."""
    return {
        path.relative_to(site).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


def copied(good: FixtureBook, project: Path) -> FixtureBook:
    """A copy of a book with its site and its caches, times of files included."""
    shutil.copytree(good.project, project, symlinks=True)
    return FixtureBook.at(project)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children find the project's packages also where they are not installed."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> FixtureBook:
    """The valid book, built."""
    book = FixtureBook(tmp_path_factory.mktemp("good"))
    with process(_build(book), env=os.environ | {"PYTHONPATH": str(PROJECT)}) as build:
        said = build.communicate()
    assert build.returncode == 0, said
    assert (book.project / "site" / "index.html").is_file()
    return book


@pytest.fixture
def built(good: FixtureBook, tmp_path: Path) -> FixtureBook:
    """A copy of the valid book and its site, to be spoilt."""
    return copied(good, tmp_path / "project")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_gives_one_finding_and_leaves_the_site(
    row: Row, built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    site = built.project / "site"
    before = snapshot(site)
    row.plant(built)
    code, found = run_cli(_build(built), capsys)
    assert [d["rule"] for d in found] == [row.rule], found
    assert found[0]["path"] == f"content/{row.file}"
    assert found[0]["line"] == (built.line(row.file, row.at) if row.at else 1)
    assert found[0]["severity"] == "error"
    assert code == 1
    assert snapshot(site) == before
    assert sorted(p.name for p in built.project.iterdir() if "site" in p.name) == ["site"]


def _with_line_ends(end: str, mark: str = "") -> Plant:
    def plant(book: FixtureBook) -> None:
        for path in book.root.rglob("*"):
            if path.suffix in (".md", ".py", ".yaml"):
                text = path.read_text(encoding="utf-8")
                path.write_bytes((mark + text.replace("\n", end)).encode())

    return plant


LEGAL: dict[str, Plant] = {
    "CRLF": _with_line_ends("\r\n"),
    "BOM": _with_line_ends("\n", mark="\ufeff"),
    "BOM and CRLF": _with_line_ends("\r\n", mark="\ufeff"),
    "unicode in text and file names": lambda book: (
        book.write("00-basics/second/größe 大小.svg", book.read("00-basics/first/box.svg")),
        append(SECOND, "\n## Größe – 大小\n\n![Größe](<größe 大小.svg>) [x](#größe-大小)\n")(book),
    ),
    "an old id": edit(SECOND, "[first]", "[once-first]"),
    "no end of line at the end": lambda book: book.write(THIRD, book.read(THIRD).rstrip("\n")),
}


@pytest.mark.parametrize("name", LEGAL)
def test_what_is_legal_is_published(
    name: str, built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    LEGAL[name](built)
    assert run_cli(_build(built), capsys) == (0, [])


def _text(site: Path) -> dict[str, bytes]:
    """What a site's pages say."""
    return {name: raw for name, (raw, _) in snapshot(site).items() if name.endswith(".html")}


def _untimed(site: Path) -> dict[str, bytes]:
    """What a site's pages say but for what an experiment took, which is another each time."""
    taken = re.compile(rb"[\d.,]+ (?:s|MiB)\b")
    return {name: taken.sub(b"", raw) for name, raw in _text(site).items()}


@pytest.mark.parametrize("name", ["CRLF", "BOM", "BOM and CRLF"])
def test_line_ends_and_byte_order_marks_do_not_show(
    name: str, built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    run_cli(_build(built), capsys)
    before = _text(built.project / "site")
    LEGAL[name](built)
    assert run_cli(_build(built), capsys) == (0, [])
    assert _text(built.project / "site") == before


def test_a_project_may_stand_in_a_folder_with_spaces_and_any_letters(
    good: FixtureBook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = copied(good, tmp_path / "mein Büch 本 & 'more'")
    book.edit(SCRIPT, "2 * 21", "21 * 2")
    assert run_cli(_build(book), capsys) == (0, [])
    before = snapshot(book.project / "site")
    book.edit(SCRIPT, "21 * 2", "1 / 0")
    code, (only,) = run_cli(_build(book), capsys)
    assert (code, only["rule"]) == (1, "experiment-failed")
    assert only["path"] == f"content/{SCRIPT}"
    assert snapshot(book.project / "site") == before


def test_all_faults_are_reported_in_one_run(
    built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(built.project / "site")
    _circle(built)
    append(SECOND, "\n[x](node:forst) [y](#nope)\n")(built)
    edit(THIRD, "status: planned", "statos: planned")(built)
    append(SCRIPT, "x = = 1\n")(built)
    code, found = run_cli(_build(built), capsys)
    assert code == 1
    assert sorted(d["rule"] for d in found) == [
        "anchor-dead",
        "experiment-syntax",
        "field-unknown",
        "link-dead",
    ]  # the circle runs through the node that could not be read
    assert snapshot(built.project / "site") == before


@pytest.mark.parametrize("where", ["site", "parent"])
def test_an_output_that_cannot_be_a_folder_is_one_finding(
    where: str, built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(built.project / "site")
    file = built.project / "in-the-way"
    file.write_text("mine", encoding="utf-8")
    out = file if where == "site" else file / "site"
    code, found = run_cli(_build(built, out=out), capsys)
    assert (code, [d["rule"] for d in found]) == (1, ["publish-failed"])
    assert file.read_text(encoding="utf-8") == "mine"
    assert snapshot(built.project / "site") == before


def test_a_folder_of_somebody_else_is_not_overwritten(
    built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    out = built.project / "photos"
    out.mkdir()
    (out / "cat.jpg").write_bytes(b"cat")
    code, found = run_cli(_build(built, out=out), capsys)
    assert (code, [d["rule"] for d in found]) == (1, ["publish-failed"])
    assert [p.name for p in out.iterdir()] == ["cat.jpg"]


def _in_namespace(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount file systems which nobody else sees."""
    unshare = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("this machine gives no mount namespaces")
    command = [*unshare, "sh", "-ec", script, "sh", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


_PYTHON = (sys.executable, "-c", "from roadmap.cli import main; main()")


@pytest.mark.parametrize("place", ["project", "site"])
def test_a_read_only_disk_is_one_finding(place: str, built: FixtureBook) -> None:
    before = snapshot(built.project / "site")
    edit(SECOND, "Soon.", "Sooner.")(built)
    fixed = built.project if place == "project" else built.project / "site"
    script = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'
    done = _in_namespace(script, str(fixed), *_PYTHON, *_build(built))
    assert [d["rule"] for d in json.loads(done.stdout)] == ["publish-failed"], done.stderr
    assert done.returncode == 1
    assert snapshot(built.project / "site") == before


def test_a_disk_without_a_free_byte_is_one_finding(built: FixtureBook, tmp_path: Path) -> None:
    before = snapshot(built.project / "site")
    edit(SECOND, "Soon.", "Sooner.")(built)
    script = """
        mount -t tmpfs -o size=64m tmpfs "$1"
        cp -a "$2/." "$1"
        dd if=/dev/zero of="$1/rest" bs=4k 2>/dev/null || true
        project=$1; after=$3; shift 3
        "$@" || code=$?
        cp -a "$project/site" "$after"
        exit $code
    """
    (disk := tmp_path / "disk").mkdir()
    places = str(disk), str(built.project), str(tmp_path / "after")
    done = _in_namespace(script, *places, *_PYTHON, *_build(FixtureBook.at(disk)))
    assert [d["rule"] for d in json.loads(done.stdout)] == ["publish-failed"], done.stderr
    assert done.returncode == 1
    assert snapshot(tmp_path / "after") == before


def test_a_file_that_cannot_grow_is_one_finding_and_the_next_build_is_whole(
    built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    """A limit on the size of files raises the OSError of a full disk at the same calls."""
    before = snapshot(built.project / "site")
    edit(SECOND, "Soon.", "Sooner.")(built)

    def almost_full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    with process(_build(built), preexec_fn=almost_full) as build:
        out, error = build.communicate(timeout=120)
    assert [d["rule"] for d in json.loads(out)] == ["publish-failed"], error
    assert build.returncode == 1
    assert snapshot(built.project / "site") == before
    assert run_cli(_build(built), capsys) == (0, [])
    assert b"Sooner." in _text(built.project / "site")["node/second.html"]


def _killed_while(sign: Path, book: FixtureBook) -> bool:
    """Begin a build and kill -9 it as soon as `sign` exists; False if it ended before."""
    with process(_build(book), start_new_session=True) as build:
        while not sign.exists():
            if build.poll() is not None:
                return False
        build.kill()
    return build.returncode == -signal.SIGKILL


def test_a_build_killed_while_it_runs_leaves_the_site_and_the_next_one_goes_on(
    built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(built.project / "site")
    sign = built.project / "running"
    touch = "(Path(__file__).parents[3] / 'running').touch()"  # the path itself may be too wide
    wait = f"import time\nfrom pathlib import Path\n{touch}\ntime.sleep(15)"
    built.edit(SCRIPT, REPORT, f"{wait}\n{REPORT}")
    assert _killed_while(sign, built)
    assert snapshot(built.project / "site") == before
    built.edit(SCRIPT, "time.sleep(15)", "time.sleep(0)")
    assert run_cli(_build(built), capsys) == (0, [])


def test_a_build_killed_while_it_publishes_leaves_one_whole_site_and_the_next_one_tidies_up(
    built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    site, staging = built.project / "site", built.project / ".site.staging"
    for attempt in range(20):  # until the kill falls between the first file and the last step
        before = snapshot(site)
        edit("roadmap.yaml", "title: A small book", f"title: A small book {attempt}")(built)
        if _killed_while(staging, built) and snapshot(site) == before and staging.exists():
            break
        edit("roadmap.yaml", f"title: A small book {attempt}", "title: A small book")(built)
    else:
        pytest.fail("no build could be killed while it published")
    assert run_cli(_build(built), capsys) == (0, [])
    assert f"A small book {attempt}".encode() in _text(site)["index.html"]
    assert sorted(p.name for p in built.project.iterdir() if "site" in p.name) == ["site"]


def test_a_second_build_at_the_same_time_is_one_finding(
    built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    with (built.project / ".roadmap" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, found = run_cli(_build(built), capsys)
    assert (code, [d["rule"] for d in found]) == (1, ["publish-failed"])


@pytest.mark.parametrize("damage", ["emptied", "halved", "scrambled"])
def test_whatever_cache_is_damaged_the_next_build_is_the_same_site(
    damage: str, built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    built.write(THIRD, built.read(THIRD) + "\n$x^2$\n")
    assert run_cli(_build(built), capsys) == (0, [])
    good = _untimed(built.project / "site")
    caches = [p for p in (built.project / ".roadmap").rglob("*") if p.is_file()]
    assert len(caches) > 10
    for cache in [*caches, built.project / "site" / ".roadmap.json"]:
        raw = cache.read_bytes()
        spoilt = {"emptied": b"", "halved": raw[: len(raw) // 2], "scrambled": raw[::-1]}
        cache.write_bytes(spoilt[damage])
    code, found = run_cli(_build(built), capsys)
    assert (code, {d["rule"] for d in found}) == (0, {"cache-corrupt"})
    assert _untimed(built.project / "site") == good
    assert run_cli(_build(built), capsys) == (0, [])


def test_caches_in_a_place_that_is_taken_are_one_finding(
    built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(built.project / ".roadmap")
    (built.project / ".roadmap").write_text("mine", encoding="utf-8")
    before = snapshot(built.project / "site")
    code, found = run_cli(_build(built, "--force"), capsys)
    assert (code, [d["rule"] for d in found]) == (1, ["publish-failed"])
    assert snapshot(built.project / "site") == before


def test_a_person_reads_place_line_caret_and_help(built: FixtureBook) -> None:
    append(SECOND, "\nSee [it](node:forst).\n")(built)
    arguments = ["check", "--book", str(built.root)]
    with process(arguments, env=os.environ | {"NO_COLOR": "1"}) as check:
        out, error = check.communicate()
    assert check.returncode == 1
    assert out == ""
    line = built.line(SECOND, "forst")
    assert error.startswith(
        f"content/{SECOND}:{line}:10: error[link-dead] There is no node `forst`.\n"
        f"   {line} | See [it](node:forst).\n"
        "      |          ^^^^^^^^^^\n"
        "      help: Did you mean `first`?\n"
    )


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_machines_read_the_same_finding(
    form: str, built: FixtureBook, capsys: pytest.CaptureFixture[str]
) -> None:
    append(SECOND, "\nSee [it](node:forst).\n")(built)
    with pytest.raises(SystemExit):
        main(["check", "--book", str(built.root), "--format", form])
    out, line = capsys.readouterr().out, built.line(SECOND, "forst")
    if form == "github":
        assert out.startswith(f"::error file=content/{SECOND},line={line},col=10,endColumn=20,")
    else:
        (result,) = json.loads(out)["runs"][0]["results"]
        place = result["locations"][0]["physicalLocation"]
        assert (result["ruleId"], place["region"]["startLine"]) == ("link-dead", line)
        assert place["artifactLocation"]["uri"] == f"content/{SECOND}"
