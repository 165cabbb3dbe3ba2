"""What the book's own directives and roles put on the page."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from roadmap.diagnostics import BuildError, Diagnostic, shown_path
from roadmap.load.symbols import find_symbol
from roadmap.model import CellOutput, Experiment, Node, Outcome, Roadmap
from roadmap.render.code import code_html
from roadmap.render.figures import print_svg, site_svg
from roadmap.render.links import Medium
from roadmap.run.words import band_text, number

_COMPUTE = {
    "none": "none beyond the experiment",
    "data": "data processing: CPU cores and disk",
    "train": "training: accelerator hours",
    "evaluate": "evaluation: forward passes only",
    "serve": "serving: an accelerator for as long as it answers",
}
_IMAGE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Page:
    """What a block may know: whose page it stands on, for which medium and track."""

    node: Node
    roadmap: Roadmap
    outcomes: Mapping[str, Outcome]
    medium: Medium
    track: str | None

    def outcome(self, node_id: str) -> Outcome | None:
        """The record of a node's experiment; None when it has none."""
        return self.outcomes.get(node_id)


def value(page: Page, written: str) -> str:
    """`{value}`: a result, as `name`, `name|format` or `node/name|format`.

    Raises KeyError when there is no such result, ValueError when the format is wrong.
    """
    reference, _, spec = written.partition("|")
    node_id, _, name = reference.strip().rpartition("/")
    outcome = page.outcome(node_id or page.node.id)
    if outcome is None:
        return '<span class="value missing" title="not run in this build">not run</span>'
    if name not in outcome.results:
        known = ", ".join(outcome.results) or "none"
        raise KeyError(f"The experiment reports no `{name}`; it reports: {known}.")
    try:
        text = format(outcome.results[name], spec.strip() or ".4g")
    except ValueError as error:
        raise ValueError(f"`{spec}` is no number format: {error}.") from error
    source = f"{name}, measured by the experiment of {outcome.node}"
    return f'<span class="value" title="{escape(source)}">{escape(text)}</span>'


def cell(page: Page, name: str, options: Mapping[str, str]) -> str:
    """`{cell}`: the code of one cell and what it printed and drew."""
    experiment = _experiment(page)
    found = experiment.cell(name)
    if found is None:
        raise BuildError(Diagnostic("cell-missing", f"The experiment has no cell `{name}`."))
    shown = options.get("show", "both")
    parts = [] if shown == "output" else [code_html(found.source.strip("\n"), "python")]
    if shown != "code":
        outcome = page.outcome(page.node.id)
        output = outcome.cell(name) if outcome else None
        parts.append(
            _output(page, output, options.get("alt", ""))
            if output
            else '<p class="not-run">Not run in this build.</p>'
        )
    caption = options.get("caption", "")
    if caption:
        parts.append(f"<figcaption>{escape(caption)}</figcaption>")
    return f'<figure class="cell" data-cell="{escape(name)}">{"".join(parts)}</figure>\n'


def _output(page: Page, output: CellOutput, alt: str) -> str:
    parts = []
    if output.stdout.strip():
        text = escape(output.stdout.rstrip("\n"), quote=False)
        parts.append(f'<pre class="output" tabindex="0">{text}</pre>')
    if output.stderr.strip():
        text = escape(output.stderr.rstrip("\n"), quote=False)
        parts.append(f'<pre class="stderr" tabindex="0">{text}</pre>')
    for place, svg in enumerate(output.figures, 1):
        if not alt:
            message = f"The cell `{output.name}` draws a figure."
            hint = "Say what a person sees in it, on a line below {cell}: `:alt: text`."
            raise BuildError(Diagnostic("figure-without-alt", message, hint=hint))
        prefix = f"{page.node.id}-{output.name}-{place}"
        text = alt if len(output.figures) == 1 else f"{alt} ({place} of {len(output.figures)})"
        parts.append(f'<div class="figure" tabindex="0">{_svg(page, svg, text, prefix)}</div>')
    return "".join(parts)


def picture(page: Page, path: Path, alt: str, prefix: str) -> str:
    """An image file of the node's folder, inside the page. Raises OSError."""
    if path.suffix == ".svg":
        svg = _svg(page, path.read_text(encoding="utf-8"), alt, prefix)
        return f'<span class="figure" tabindex="0">{svg}</span>'
    data = base64.b64encode(path.read_bytes()).decode()
    kind = _IMAGE_TYPES.get(path.suffix.lower(), "application/octet-stream")
    return f'<img class="figure" alt="{escape(alt)}" src="data:{kind};base64,{data}">'


def _svg(page: Page, svg: str, alt: str, prefix: str) -> str:
    return site_svg(svg, alt, prefix) if page.medium == "site" else print_svg(svg, alt)


def experiment(page: Page) -> str:
    """`{experiment}`: results against their bands, what the run cost, downloads, the script."""
    script = _experiment(page)
    outcome = page.outcome(page.node.id)
    parts = ['<section class="experiment">']
    if outcome is None:
        parts.append('<p class="not-run">Not run in this build.</p>')
    else:
        parts += [_results(page, outcome), _run_facts(outcome, script)]
    name = page.node.id
    if page.medium == "site":
        parts.append(
            f'<p class="downloads">Download: <a href="../downloads/{name}.py" download>'
            f'{name}.py</a> <a href="../downloads/{name}.ipynb" download>{name}.ipynb</a></p>'
            f'<details class="script"><summary>The whole script</summary>'
            f"{code_html(script.source, 'python')}</details>"
        )
    else:
        parts.append(
            f'<p class="downloads">Attached to this document: {name}.py, {name}.ipynb.</p>'
        )
    return "".join(parts) + "</section>\n"


def _results(page: Page, outcome: Outcome) -> str:
    rows = []
    bands = page.node.bands_on(outcome.machine)
    for name, result in outcome.results.items():
        band = bands.get(name)
        if band is None:
            expected, badge = "no band", '<span class="badge none">not held</span>'
        elif band.contains(result):
            expected, badge = band_text(band), '<span class="badge ok">in band</span>'
        else:
            expected, badge = band_text(band), '<span class="badge bad">out of band</span>'
        rows.append(
            f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{number(result)}</td>'
            f"<td>{expected}</td><td>{badge}</td></tr>"
        )
    return (
        '<div class="table" tabindex="0"><table class="results"><caption>Measured in this build'
        '</caption><thead><tr><th scope="col">Result</th><th scope="col">Measured</th>'
        '<th scope="col">Expected</th><th scope="col">Verdict</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _run_facts(outcome: Outcome, script: Experiment) -> str:
    threads = "1 thread" if script.options.threads == 1 else f"{script.options.threads} threads"
    return (
        f'<p class="meta">Ran in {duration(outcome.seconds)} on {outcome.machine.upper()}, '
        f"{threads}, peak memory {outcome.peak_bytes / 2**20:,.0f} MiB, "
        f"{outcome.ran_on.isoformat()}.</p>"
    )


def duration(seconds: float) -> str:
    """Seconds as a person would say them."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def source(page: Page, reference: str, options: Mapping[str, str]) -> str:
    """`{source}`: the code of a symbol as it stands in the project now."""
    project = page.roadmap.root.parent
    symbol = find_symbol(project, reference)
    if symbol is None:
        raise BuildError(Diagnostic("source-missing", f"There is no `{reference}`."))
    code = symbol.text(docstring=options.get("docstring") != "hide")
    where = f"{shown_path(symbol.path, project)}:{symbol.line}"
    caption = options.get("caption", "")
    text = f"{escape(caption)} " if caption else ""
    return (
        f'<figure class="source">{code_html(code, "python")}'
        f"<figcaption>{text}<code>{escape(where)}</code></figcaption></figure>\n"
    )


def estimate(page: Page) -> str:
    """`{estimate}`: the reader's time per track beside what the build measured."""
    rows = [
        f'<tr data-track="{t.id}"><th scope="row">{escape(t.title)}</th>'
        f"<td>{page.node.minutes[t.id]} min</td></tr>"
        for t in page.roadmap.tracks
        if t.id in page.node.minutes and page.track in (None, t.id)
    ]
    outcome = page.outcome(page.node.id)
    if outcome is not None:
        cost = f"{duration(outcome.seconds)}, {outcome.peak_bytes / 2**20:,.0f} MiB"
        rows.append(f'<tr><th scope="row">Experiment, measured</th><td>{cost}</td></tr>')
    compute = _COMPUTE[page.node.compute]
    rows.append(f'<tr><th scope="row">Compute at full scale</th><td>{compute}</td></tr>')
    return (
        '<table class="estimate"><caption>Time and cost</caption>'
        f"<tbody>{''.join(rows)}</tbody></table>\n"
    )


def compliance(page: Page) -> str:
    """`{compliance}`: the node's notes on law, safety and security, each with its date."""
    notes = []
    for note in page.node.compliance:
        refs = "".join(f"<li>{_linked(ref)}</li>" for ref in note.refs)
        check = (
            f'<p class="check">Check: <code>{escape(note.check)}</code></p>' if note.check else ""
        )
        notes.append(
            f'<article class="note" id="{page.node.id}--{escape(note.id)}">'
            f"<h3>{escape(note.risk)}</h3><p>{escape(note.note)}</p>{check}"
            f'<p class="as-of">Facts as of {note.facts_as_of.isoformat()}.</p>'
            f"<ul>{refs}</ul></article>"
        )
    return f'<section class="compliance">{"".join(notes)}</section>\n'


def _linked(reference: str) -> str:
    """A source in words, with its address as a link."""
    return re.sub(
        r"https://[^\s<]+", r'<a href="\g<0>" rel="external">\g<0></a>', escape(reference)
    )


def _experiment(page: Page) -> Experiment:
    if page.node.experiment is None:
        raise BuildError(Diagnostic("experiment-missing", "This node has no experiment.py."))
    return page.node.experiment
