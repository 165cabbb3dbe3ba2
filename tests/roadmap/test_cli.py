"""The command line, as a person uses it, on a small book."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from fixture_book import FixtureBook

from roadmap import serve as serving
from roadmap.cli import main
from roadmap.pipeline import Options, build

PROJECT = Path(__file__).parents[2]


def command(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


@pytest.fixture
def built(book: FixtureBook, capsys) -> FixtureBook:
    code, _, err = command(capsys, "build", *places(book), "--no-pdf")
    assert code == 0, err
    return book


def places(book: FixtureBook) -> list[object]:
    return ["--book", book.root, "--out", book.project / "site"]


def test_a_build_publishes_every_kind_of_page(built: FixtureBook):
    site = built.project / "site"
    for name in (
        "index.html",
        "node/first.html",
        "node/first.md",
        "node/third.html",
        "stage/basics.html",
        "track/beginner.html",
        "progress.html",
        "downloads/first.py",
        "downloads/first.ipynb",
        "assets/data.js",
        "assets/search-index.js",
        "llms.txt",
        "sitemap.xml",
    ):
        assert (site / name).is_file(), name
    assert (site / "downloads/first.py").read_text() == built.read(built.experiment)
    for page in ("node/first.html", "node/first.md"):
        text = (site / page).read_text()
        assert all(word in text for word in ("abacus", "https://example.org/abacus", "It counts."))


def test_every_address_of_the_site_leads_to_a_file_and_an_anchor(built: FixtureBook):
    site = built.project / "site"
    pages = list(site.rglob("*.html"))
    ids = {p: set(re.findall(r'\bid="([^"]+)"', p.read_text())) for p in pages}
    for page in pages:
        for href in re.findall(r'(?:href|src)="([^"]+)"', page.read_text()):
            if re.match(r"[a-z]+:", href):
                continue
            path, _, anchor = href.partition("#")
            target = (page.parent / path.partition("?")[0]).resolve() if path else page
            if path.endswith(".pdf"):
                continue  # this build leaves the PDFs out
            assert target.is_file(), f"{page.name}: {href}"
            if anchor and target in ids:
                assert anchor in ids[target], f"{page.name}: {href}"


def test_nothing_changed_nothing_done(built: FixtureBook, capsys):
    before = {p: p.stat().st_mtime_ns for p in (built.project / "site").rglob("*")}
    code, _, err = command(capsys, "build", *places(built), "--no-pdf")
    assert (code, "nothing has changed" in err) == (0, True)
    assert {p: p.stat().st_mtime_ns for p in (built.project / "site").rglob("*")} == before


def test_a_changed_sentence_rewrites_its_page_and_keeps_the_others(built: FixtureBook):
    built.edit(built.second, "Soon.", "Soon, and better.")
    report = build(Options(built.root, built.project / "site", pdf=False))
    assert report.published is not None
    written = set(report.published.written)
    assert {"node/second.html", "node/second.md", "assets/search-index.js"} <= written
    assert not {"node/first.html", "node/third.html", "index.html"} & written


def test_changed_code_is_shown_anew_and_its_experiment_is_stale(built: FixtureBook, capsys):
    built.edit("../lab.py", "return 2 * number", "return number + number")
    report = build(Options(built.root, built.project / "site", pdf=False))
    assert report.published is not None
    assert "node/first.html" in report.published.written
    built.edit(built.experiment, "2 * 21", "21 + 21")
    code, out, _ = command(capsys, "explain", "first", "--book", built.root)
    assert (code, "stale" in out, "double" in out) == (0, True, True)


def test_an_error_publishes_nothing_and_ends_with_1(built: FixtureBook, capsys):
    before = (built.project / "site/node/first.html").read_bytes()
    built.edit(built.chapter, "node:second#a-plan", "node:secnod#a-plan")
    code, _, err = command(capsys, "build", *places(built), "--no-pdf")
    assert code == 1
    assert f"chapter.md:{built.line(built.chapter, 'secnod')}:" in err
    assert "nothing was published" in err
    assert (built.project / "site/node/first.html").read_bytes() == before


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_machines_get_their_form_on_standard_output(book: FixtureBook, capsys, form):
    book.edit(book.chapter, "node:second#a-plan", "node:secnod#a-plan")
    code, out, _ = command(capsys, "check", "--book", book.root, "--format", form)
    assert code == 1
    assert "link-dead" in out
    if form != "github":
        json.loads(out)


def test_check_of_a_good_book_says_so(book: FixtureBook, capsys):
    code, out, err = command(capsys, "check", "--book", book.root)
    assert (code, out) == (0, "")
    assert "3 nodes, 2 edges: nothing to report" in err


def test_run_shows_output_and_results_beside_their_bands(book: FixtureBook, capsys):
    code, out, _ = command(capsys, "run", "once-first", "--book", book.root)
    assert code == 0
    assert "answer = 42" in out
    assert re.search(r"answer\s+42\s+ok\s+42 ± 0.5", out)


def test_a_run_out_of_band_ends_with_1_at_the_line_of_the_band(book: FixtureBook, capsys):
    book.edit(book.chapter, "value: 42", "value: 40")
    code, out, err = command(capsys, "run", "first", "--book", book.root)
    assert (code, "OUT OF BAND" in out) == (1, True)
    assert "result-out-of-band" in err
    assert f"chapter.md:{book.line(book.chapter, 'value: 40')}:" in err


def test_accept_writes_the_new_value_and_nothing_else(book: FixtureBook, capsys):
    book.edit(book.chapter, "value: 42", "value: 40")
    command(capsys, "run", "first", "--book", book.root)
    before = book.read(book.chapter)
    code, out, _ = command(capsys, "accept", "first", "--yes", "--book", book.root)
    assert (code, "answer" in out) == (0, True)
    assert book.read(book.chapter) == before.replace("value: 40", "value: 42")
    code, out, _ = command(capsys, "accept", "first", "--yes", "--book", book.root)
    assert (code, out) == (0, "nothing to write\n")


def test_accept_without_a_fresh_record_says_what_to_run(book: FixtureBook, capsys):
    code, _, err = command(capsys, "accept", "first", "--book", book.root)
    assert (code, "roadmap run first" in err) == (1, True)
    command(capsys, "run", "first", "--book", book.root)
    book.edit(book.experiment, "2 * 21", "2 * 20")
    code, _, err = command(capsys, "accept", "first", "--yes", "--book", book.root)
    assert (code, "roadmap run first" in err) == (1, True)


def test_list_counts_what_is_planned(book: FixtureBook, capsys):
    _, out, _ = command(capsys, "list", "--planned", "--book", book.root)
    assert "2 nodes, 2 planned" in out
    assert "first " not in out
    _, out, _ = command(capsys, "list", "--json", "--track", "beginner", "--book", book.root)
    assert [n["id"] for n in json.loads(out)] == ["first", "second", "third"]
    code, _, err = command(capsys, "list", "--track", "beginer", "--book", book.root)
    assert (code, "Tracks: beginner" in err) == (1, True)


def test_a_misspelt_node_gets_the_right_one_as_hint(book: FixtureBook, capsys):
    code, _, err = command(capsys, "run", "frist", "--book", book.root)
    assert (code, "Did you mean first?" in err) == (1, True)


def test_a_new_node_is_listed_and_passes_the_check(book: FixtureBook, capsys):
    code, out, _ = command(capsys, "new-node", "fourth", "-s", "further", "--book", book.root)
    assert (code, out.count("\n")) == (0, 2)
    code, _, err = command(capsys, "check", "--book", book.root)
    assert (code, "4 nodes" in err) == (0, True)


def test_a_node_that_is_listed_without_a_folder_gets_one_and_is_listed_once(book, capsys):
    book.edit("roadmap.yaml", "[third]", "[third, fourth]")
    code, _, err = command(capsys, "check", "--book", book.root)
    hint = re.search(r"`roadmap (new-node fourth --stage further)` makes one", err)
    assert (code, bool(hint)) == (1, True), err
    code, out, err = command(capsys, *hint[1].split(), "--book", book.root)
    assert (code, out) == (0, f"{book.path('01-further/fourth/chapter.md')}\n"), err
    assert "[third, fourth]" in book.read("roadmap.yaml")
    code, _, err = command(capsys, "check", "--book", book.root)
    assert (code, "4 nodes" in err) == (0, True)


def test_a_new_node_keeps_the_line_ends_of_the_list(book: FixtureBook, capsys):
    listing = book.path("roadmap.yaml")
    listing.write_bytes(listing.read_bytes().replace(b"\n", b"\r\n"))
    before = listing.read_bytes()
    code, _, err = command(capsys, "new-node", "fourth", "-s", "further", "--book", book.root)
    assert code == 0, err
    assert listing.read_bytes() == before.replace(b"[third]", b"[third, fourth]")


def test_a_stage_whose_nodes_are_in_block_style_is_for_a_person(book: FixtureBook, capsys):
    book.edit("roadmap.yaml", "nodes: [third]", "nodes:\n      - third")
    code, _, err = command(capsys, "new-node", "fourth", "-s", "further", "--book", book.root)
    assert (code, "Add `fourth` to the nodes of `further` by hand" in err) == (1, True)
    assert not book.path("01-further/fourth").exists()


def test_a_fault_in_one_node_is_not_in_the_way_of_work_on_another(book: FixtureBook, capsys):
    book.edit(book.third, "summary:", "sumary:")
    book.edit(book.second, "requires: [first]", "requires: [frist]")
    code, out, err = command(capsys, "run", "first", "--book", book.root)
    assert (code, "answer = 42" in out, err.count("error[")) == (0, True, 0)
    code, out, _ = command(capsys, "explain", "first", "--book", book.root)
    assert (code, "first is fresh" in out) == (0, True)
    code, out, _ = command(capsys, "accept", "first", "--book", book.root)
    assert (code, out) == (0, "nothing to write\n")
    code, out, err = command(capsys, "list", "--json", "--book", book.root)
    assert [n["id"] for n in json.loads(out)] == ["first", "second"]
    assert (code, "roadmap check" in err) == (1, True)
    for name in ("third", "once-third"):
        code, out, err = command(capsys, "run", name, "--book", book.root)
        assert (code, out) == (1, "")
    code, _, err = command(capsys, "run", "third", "--book", book.root)
    assert (code, "field-unknown" in err) == (1, True)


def test_a_run_shows_results_that_the_chapter_does_not_expect_yet(book: FixtureBook, capsys):
    book.edit(book.experiment, "report(answer=2 * 21)", "report(answer=2 * 21, other=7)")
    book.edit(book.chapter, "{value}`answer|.0f`", "{value}`other|.0f`")
    code, out, err = command(capsys, "run", "first", "--book", book.root)
    assert code == 1
    assert re.search(r"other\s+7\s+\? {2} no band", out)
    assert {"value-missing", "result-unbanded"} <= set(re.findall(r"error\[([a-z-]+)\]", err))


def test_a_record_that_cannot_be_kept_is_said_by_the_run(book: FixtureBook, capsys):
    (book.project / ".roadmap").mkdir()
    (book.project / ".roadmap" / "runs").write_text("mine")
    code, out, err = command(capsys, "run", "first", "--book", book.root)
    assert (code, "answer = 42" in out, "record-unwritable" in err) == (0, True, True)


@pytest.mark.parametrize("arguments", [("run",), ("explain",), ("accept", "--yes")])
def test_a_node_without_an_experiment_says_so(book: FixtureBook, capsys, arguments):
    name, *options = arguments
    _, out, err = command(capsys, name, "second", *options, "--book", book.root)
    assert "second has no experiment." in out + err


@pytest.mark.parametrize(
    "arguments",
    [
        ("build",),
        ("check",),
        ("list",),
        ("run", "first"),
        ("explain", "first"),
        ("accept", "first"),
        ("serve", "--port", "0"),
        ("new-node", "fourth", "-s", "further"),
        ("progress", "import", "a.pdf"),
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize("there", ["nothing", "a file", "an empty folder"])
def test_what_is_no_book_is_one_message_and_nothing_is_made(tmp_path, capsys, arguments, there):
    place = tmp_path / "deep" / "book"
    if there != "nothing":
        place.parent.mkdir()
        place.mkdir() if there == "an empty folder" else place.write_text("no book")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = command(capsys, *arguments, "--book", place)
    assert (code, out, err.count("error[book-missing]")) == (1, "", 1)
    assert [p for p in sorted(tmp_path.rglob("*")) if ".roadmap" not in p.parts] == before
    assert there == "an empty folder" or not (place.parent / ".roadmap").exists()


def test_an_interrupted_build_leaves_the_site_and_says_so(built, capsys, monkeypatch):
    from roadmap import pipeline

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    built.edit(built.second, "Soon.", "Sooner.")
    before = (built.project / "site/node/second.html").read_bytes()
    monkeypatch.setattr(pipeline, "published_site", interrupt)
    code, out, err = command(capsys, "build", *places(built), "--no-pdf")
    assert (code, out, "nothing was published" in err) == (130, "", True)
    assert (built.project / "site/node/second.html").read_bytes() == before
    monkeypatch.undo()
    code, _, _ = command(capsys, "build", *places(built), "--no-pdf")
    assert (code, b"Sooner." in (built.project / "site/node/second.html").read_bytes()) == (0, True)


def test_progress_is_not_read_while_a_node_cannot_be_that_may_be_ticked(book: FixtureBook, capsys):
    book.edit(book.third, "summary:", "sumary:")
    out = book.project / "progress.json"
    code, _, err = command(capsys, "progress", "import", "a.pdf", "--out", out, "--book", book.root)
    assert (code, "field-unknown" in err, out.exists()) == (1, True, False)


def test_progress_that_cannot_be_written_is_one_line(book: FixtureBook, capsys, monkeypatch):
    from roadmap.render.pdf import progress

    monkeypatch.setattr(progress, "read_ticks", lambda path: {"first": True})
    out = book.project / "nowhere" / "progress.json"
    code, _, err = command(capsys, "progress", "import", "a.pdf", "--out", out, "--book", book.root)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("error: ")
    assert "No such file or directory" in err


@pytest.mark.parametrize(
    ("node", "stage", "rule"),
    [
        ("Fourth", "further", "field-invalid"),
        ("../up", "further", "field-invalid"),
        ("first", "further", "node-duplicate"),
        ("once-first", "further", "node-duplicate"),
        ("fourth", "nowhere", "field-invalid"),
    ],
)
def test_a_new_node_that_cannot_be_is_refused_and_writes_nothing(book, capsys, node, stage, rule):
    before = sorted(book.root.rglob("*"))
    code, _, err = command(capsys, "new-node", node, "-s", stage, "--book", book.root)
    assert (code, rule in err) == (1, True)
    assert sorted(book.root.rglob("*")) == before


def test_a_second_build_at_the_same_time_is_refused(book: FixtureBook, capsys):
    import fcntl

    options = Options(book.root, book.project / "site", pdf=False)
    options.state.mkdir()
    with (options.state / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        report = build(options)
    assert [d.rule for d in report.diagnostics] == ["publish-failed"]
    assert "Another build" in report.diagnostics[0].message


def test_without_execution_the_pages_say_that_nothing_ran(book: FixtureBook, capsys):
    code, _, err = command(capsys, "build", *places(book), "--no-pdf", "--no-execute")
    assert (code, "experiment-not-run" in err) == (0, True)
    assert "Not run in this build." in (book.project / "site/node/first.html").read_text()
    _, _, err = command(capsys, "build", *places(book), "--no-pdf", "--no-execute")
    assert "experiment-not-run" in err


def test_the_pdfs_are_kept_by_a_build_without_them_while_nothing_changed(book, capsys):
    code, _, err = command(capsys, "build", *places(book))
    assert code == 0, err
    pdf = book.project / "site/a-small-book-beginner.pdf"
    before = pdf.read_bytes()
    code, _, _ = command(capsys, "build", *places(book), "--no-pdf")
    assert (code, pdf.read_bytes() == before) == (0, True)
    book.edit(book.second, "Soon.", "Later.")
    command(capsys, "build", *places(book), "--no-pdf")
    assert not pdf.exists()


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from roadmap.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    )
    code += "print(sorted(set(sys.modules) & {'rich.console', 'pydantic', 'yaml', 'markdown_it', "
    code += "'jinja2', 'networkx', 'torch', 'weasyprint', 'matplotlib', 'pygments'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT)
    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr


def test_the_server_sends_pages_with_the_reloading_script_and_announces_changes(built: FixtureBook):
    options = Options(built.root, built.project / "site", pdf=False)
    changes, stop = serving.Changes(), threading.Event()
    server = serving.make_server(options, 0, changes)
    threads = [
        threading.Thread(target=server.serve_forever, daemon=True),
        threading.Thread(target=serving.watch, args=(options, changes, stop), daemon=True),
    ]
    for thread in threads:
        thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with urllib.request.urlopen(url + "/", timeout=10) as reply:
            assert b"EventSource" in reply.read()
        with urllib.request.urlopen(url + "/downloads/first.py", timeout=10) as reply:
            assert reply.read() == built.read(built.experiment).encode()
        events = urllib.request.urlopen(url + "/.roadmap-events", timeout=60)
        time.sleep(0.5)
        built.edit(built.second, "Soon.", "Sooner.")
        assert events.readline() == b"data: changed\n"
        with urllib.request.urlopen(url + "/node/second.html", timeout=10) as reply:
            assert b"Sooner." in reply.read()
    finally:
        stop.set()
        server.shutdown()
        server.server_close()


def test_a_port_that_is_taken_is_one_message(book: FixtureBook, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, out, err = command(capsys, "serve", *places(book), "--port", port)
    assert (code, out, "port-unusable" in err) == (1, "", True)
    assert f"Port {port} cannot be used" in err


def test_serving_ends_with_ctrl_c_and_no_traceback(book: FixtureBook):
    arguments = [sys.executable, "-c", "from roadmap.cli import main; main()", "serve"]
    arguments += [*map(str, places(book)), "--port", "0"]
    with subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # where the tests themselves run in the background, Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as server:
        address = server.stdout.readline().split()[0]
        with urllib.request.urlopen(address, timeout=10) as page:
            assert b"A small book" in page.read()
        server.send_signal(signal.SIGINT)
        _, err = server.communicate(timeout=60)
    assert (server.returncode, "Traceback" in err) == (0, False), err


def test_progress_is_read_back_from_a_ticked_pdf(book: FixtureBook, capsys, tmp_path: Path):
    import pikepdf

    command(capsys, "build", *places(book))
    ticked = tmp_path / "ticked.pdf"
    with pikepdf.open(book.project / "site/a-small-book-beginner.pdf") as pdf:
        for field in pdf.Root.AcroForm.Fields:
            if field.T == "first":
                field.V = pikepdf.Name("/on")
                for widget in field.get("/Kids", [field]):
                    widget.AS = pikepdf.Name("/on")
        pdf.save(ticked)
    out = tmp_path / "progress.json"
    code, printed, err = command(
        capsys, "progress", "import", ticked, "--out", out, "--book", book.root
    )
    assert code == 0, err
    assert "1 node" in printed
    nodes = json.loads(out.read_text())["nodes"]
    assert {name: node["state"] for name, node in nodes.items()} == {"first": "done"}
    code, _, err = command(
        capsys, "progress", "import", book.path(book.chapter), "--book", book.root
    )
    assert (code, "progress-unreadable" in err) == (1, True)
