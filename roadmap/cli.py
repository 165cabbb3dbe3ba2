"""`roadmap`: the command line. Every command ends with exit code 0, or 1 where it found errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from roadmap.diagnostics import Diagnostic, Format
    from roadmap.model import Node, Roadmap
    from roadmap.pipeline import Options

app = typer.Typer(
    help="Build the book: run its experiments, check its claims, make the site and the PDFs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
progress_app = typer.Typer(help="Readers' progress.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(progress_app, name="progress")

Book = Annotated[Path, typer.Option("--book", "-b", help="The folder that holds roadmap.yaml.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="The folder to write the site to.")]
Form = Annotated[
    Literal["text", "json", "github", "sarif"],
    typer.Option("--format", "-f", help="How to print what is wrong."),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=0, help="Cores to use; 0 for all.")]
NodeId = Annotated[str, typer.Argument(help="A node's id, such as `attention`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_BOOK, _OUT = Path("content"), Path("site")
_NO_EXPERIMENT = "%s has no experiment."


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process."""
    app(args=None if arguments is None else list(arguments), prog_name="roadmap")


@app.command()
def build(
    book: Book = _BOOK,
    out: Out = _OUT,
    form: Form = "text",
    jobs: Jobs = 0,
    force: Annotated[bool, typer.Option("--force", help="Run and render all anew.")] = False,
    execute: Annotated[
        bool, typer.Option("--execute/--no-execute", help="Run stale experiments.")
    ] = True,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Make the PDFs.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Check, run and render the book; publish the site when nothing is wrong."""
    from roadmap import console, pipeline

    options = _options(book, out, jobs, force=force, execute=execute, pdf=pdf)
    try:
        with console.progress(quiet) as observe:
            report = pipeline.build(options, observe)
    except KeyboardInterrupt:
        print("stopped; nothing was published", file=sys.stderr)
        raise typer.Exit(130) from None
    _print_diagnostics(report.diagnostics, form, options.book.parent)
    if not quiet and form == "text":
        print(console.summary(report, options), file=sys.stderr)
    raise typer.Exit(1 if report.failed else 0)


@app.command()
def check(book: Book = _BOOK, form: Form = "text") -> None:
    """Find what is wrong in the book without running or writing anything."""
    from roadmap import pipeline
    from roadmap.diagnostics import BuildError, has_errors

    options = _options(book, _OUT, 0)
    try:
        roadmap, found = pipeline.loaded_and_checked(options)
        counted = f"{len(roadmap.nodes)} nodes, {len(roadmap.edges)} edges: "
    except BuildError as error:
        found, counted = list(error.diagnostics), ""
    _print_diagnostics(found, form, options.book.parent)
    if form == "text":
        print(f"{counted}{len(found) or 'nothing'} to report", file=sys.stderr)
    raise typer.Exit(1 if has_errors(found) else 0)


@app.command()
def run(
    node: NodeId,
    book: Book = _BOOK,
    form: Form = "text",
    force: Annotated[
        bool, typer.Option("--force", help="Run even if the record is fresh.")
    ] = False,
) -> None:
    """Run one node's experiment and show its output beside its bands."""
    from dataclasses import replace

    from roadmap import console, pipeline
    from roadmap.diagnostics import has_errors

    options = _options(book, _OUT, 0, force=force)
    with _readable(options, form) as (roadmap, faults):
        chosen = _node(roadmap, node, faults)
        options = replace(options, only=(chosen.id,))
        with console.progress() as observe:
            outcomes, found = pipeline.run_experiments(roadmap, options, observe)
        if form == "text":
            outcome = outcomes.get(chosen.id)
            print(console.outcome_text(chosen, outcome) if outcome else _NO_EXPERIMENT % chosen.id)
        found += [d for d in faults if d.span and chosen.folder in d.span.path.parents]
        _print_diagnostics(found, form, options.book.parent)
        raise typer.Exit(1 if has_errors(found) else 0)


@app.command()
def explain(node: NodeId, book: Book = _BOOK) -> None:
    """Say whether a node's experiment would run again, and which change is the reason."""
    from roadmap.run.plan import explain as explained
    from roadmap.run.store import Store

    options = _options(book, _OUT, 0)
    with _readable(options) as (roadmap, faults):
        store = Store(options.state / "runs")
        print("\n".join(explained(_node(roadmap, node, faults), store, options.book.parent)))


@app.command("list")
def list_nodes(
    book: Book = _BOOK,
    planned: Annotated[
        bool, typer.Option("--planned", help="Only the nodes that are not written yet.")
    ] = False,
    track: Annotated[str, typer.Option("--track", help="Only the nodes of one track.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the nodes in reading order, with their stage, status and time."""
    from roadmap import console
    from roadmap.diagnostics import has_errors

    with _readable(_options(book, _OUT, 0)) as (roadmap, faults):
        if track and track not in [t.id for t in roadmap.tracks]:
            known = ", ".join(t.id for t in roadmap.tracks)
            _fail(f"There is no track {track!r}. Tracks: {known}.")
        nodes = [
            n
            for n in roadmap
            if (not planned or n.status == "planned") and (not track or track in n.minutes)
        ]
        print(console.nodes_json(nodes) if as_json else console.nodes_text(roadmap, nodes))
        if has_errors(faults):
            _fail("The book has faults, and this list may lack nodes: see `roadmap check`.")


@app.command()
def serve(
    book: Book = _BOOK,
    out: Out = _OUT,
    port: Annotated[
        int, typer.Option("--port", "-p", min=0, max=65535, help="0 picks a free port.")
    ] = 8000,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Make the PDFs too.")] = False,
) -> None:
    """Build, serve on this machine, and rebuild and reload when a file changes."""
    from roadmap.diagnostics import BuildError
    from roadmap.serve import serve as serve_site

    options = _options(book, out, 0, pdf=pdf)
    try:
        serve_site(options, port)
    except BuildError as error:
        _print_diagnostics(error.diagnostics, "text", options.book.parent)
        raise typer.Exit(1) from None


@app.command("new-node")
def new_node(
    node: NodeId,
    stage: Annotated[str, typer.Option("--stage", "-s", help="The id of its stage.")],
    title: Annotated[str, typer.Option("--title", "-t", help="Its title.")] = "",
    book: Book = _BOOK,
) -> None:
    """Make the folder of a new planned node and list it in roadmap.yaml."""
    from roadmap.new_node import make

    with _readable(_options(book, _OUT, 0)) as (roadmap, _):
        for path in make(roadmap, node, stage, title):
            print(path)


@app.command()
def accept(
    node: NodeId,
    book: Book = _BOOK,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
) -> None:
    """Take a node's measured results as the new expected values, after showing the change."""
    from dataclasses import replace

    from roadmap import pipeline
    from roadmap.files import write_atomically
    from roadmap.run.accept import accept as accepted

    options = _options(book, _OUT, 0, execute=False)
    with _readable(options) as (roadmap, faults):
        found = _node(roadmap, node, faults)
        if found.experiment is None:
            _fail(_NO_EXPERIMENT % found.id)
        options = replace(options, only=(found.id,))
        outcomes, diagnostics = pipeline.run_experiments(roadmap, options)
        if found.id not in outcomes or any(d.rule == "record-stale" for d in diagnostics):
            _fail(f"{found.id} has no fresh record. Run `roadmap run {found.id}` first.")
        text, changes = accepted(found, outcomes[found.id])
        for change in changes:
            print(change.message)
        if all(change.new is None for change in changes):
            print("nothing to write")
        elif yes or typer.confirm(f"Write this to {found.chapter.path}?"):
            write_atomically(found.chapter.path, text)


@progress_app.command("import")
def import_progress(
    pdf: Annotated[Path, typer.Argument(help="A PDF of this book with ticks in it.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The file for the site's import button.")
    ] = Path("progress.json"),
    book: Book = _BOOK,
) -> None:
    """Read the ticks of a PDF into a file that the site's progress page imports."""
    import json
    from datetime import date

    from roadmap.diagnostics import BuildError
    from roadmap.files import write_atomically
    from roadmap.render.pdf.progress import progress_file

    with _readable(_options(book, _OUT, 0)) as (roadmap, faults):
        if roadmap.broken:  # ticks of a node that cannot be read would be lost
            raise BuildError(*faults)
        progress = progress_file(pdf, roadmap, date.today())
        write_atomically(out, json.dumps(progress, indent=2) + "\n")
        print(f"{out}: {len(progress['nodes'])} nodes done")


def _options(book: Path, out: Path, jobs: int, **more: object) -> Options:
    from roadmap.pipeline import Options

    return Options(book.resolve(), out.absolute(), jobs, **more)  # type: ignore[arg-type]


@contextmanager
def _readable(
    options: Options, form: Format = "text"
) -> Iterator[tuple[Roadmap, list[Diagnostic]]]:
    """The book as far as it can be read, and its faults, which need not be in the author's way.

    Errors of the body end the command with exit code 1.
    """
    from roadmap import pipeline
    from roadmap.diagnostics import BuildError

    try:
        yield pipeline.loaded(options)
    except BuildError as error:
        _print_diagnostics(error.diagnostics, form, options.book.parent)
        raise typer.Exit(1) from None
    except OSError as error:
        _fail(f"{error.filename or options.book.parent}: {error.strerror or error}.")


def _node(roadmap: Roadmap, name: str, faults: Sequence[Diagnostic]) -> Node:
    """The node with this id or alias. Raises BuildError when its files have faults."""
    from roadmap.diagnostics import BuildError, did_you_mean

    found = next((n for n in roadmap if name == n.id or name in n.aliases), None)
    if (found.id if found else name) in roadmap.broken:
        raise BuildError(*faults)
    if found is None:
        near = did_you_mean(name, [n.id for n in roadmap], "{}")
        hint = near or "`roadmap list` shows all."
        _fail(f"There is no node {name!r}. {hint}")
    return found


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise typer.Exit(1)


def _print_diagnostics(found: Sequence[Diagnostic], form: Format, root: Path) -> None:
    if not found and form in ("text", "github"):
        return
    from roadmap.diagnostics import render

    stream = sys.stderr if form == "text" else sys.stdout
    print(render(found, form, root, colour=form == "text" and _colour()), file=stream)


def _colour() -> bool:
    import os

    return sys.stderr.isatty() and "NO_COLOR" not in os.environ
