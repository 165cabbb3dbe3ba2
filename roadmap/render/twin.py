"""The Markdown twin of a page: the same content in CommonMark alone, for readers that are programs.

A chapter's text is kept as written. Only what plain Markdown does not know is replaced: directives
by what they place, `{value}` by its number, links to pages by links to their twins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import unescape
from typing import TYPE_CHECKING

from roadmap.diagnostics import shown_path
from roadmap.load.markdown import parse
from roadmap.load.symbols import find_symbol
from roadmap.model import Node, Outcome, Stage, Track
from roadmap.render.blocks import Page, duration, value
from roadmap.render.links import resolve
from roadmap.render.pages_site import Site
from roadmap.run.words import band_text, number

if TYPE_CHECKING:
    from markdown_it.token import Token

_VALUE = re.compile(r"\{value\}`([^`]+)`")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(((?:node:|stage:|track:|#)[^)\s]+)\)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)\s]+\)")
_TAG = re.compile(r"<[^>]+>")
_QUOTED = ("note", "tip", "important", "warning")


def twin(site: Site, node: Node, outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    """`node/<id>.md`: what the page of `node` says."""
    roadmap = site.roadmap
    stage = roadmap.stage(node.stage)
    lines = [f"# {node.title}", "", f"> {node.summary}", ""]
    if node.status == "planned":
        lines += ["**Planned: this chapter is not written yet.**", ""]
    lines.append(f"- Stage: [{stage.title}](../stage/{stage.id}.md)")
    times = [f"{t.title} {node.minutes[t.id]} min" for t in roadmap.tracks if t.id in node.minutes]
    lines += [f"- Time: {', '.join(times)}"] if times else []
    for word, others in (("Needs", node.requires), ("Helpful", node.recommends)):
        links = [f"[{roadmap.node(other).title}]({other}.md)" for other in others]
        lines += [f"- {word}: {', '.join(links)}"] if links else []
    lines += ["", *_body(Page(node, roadmap, outcomes, "site", None))]
    if node.tools:
        lines += ["", "## Tools of the trade", ""]
        lines += [f"- [{t.name}]({t.url}) ({t.licence}): {t.why}" for t in node.tools]
    return {f"node/{node.id}.md": _tidy(lines)}


def stage_twin(site: Site, stage: Stage) -> dict[str, str]:
    """`stage/<id>.md`: the steps of a stage."""
    roadmap = site.roadmap
    lines = [f"# {stage.title}", "", f"> {stage.summary}", "", *_steps(roadmap.in_stage(stage.id))]
    return {f"stage/{stage.id}.md": _tidy(lines)}


def track_twin(site: Site, track: Track) -> dict[str, str]:
    """`track/<id>.md`: the steps of a track, by stage."""
    roadmap = site.roadmap
    lines = [f"# {track.title}", "", f"> {track.summary}"]
    nodes = roadmap.in_track(track.id)
    for stage in roadmap.stages:
        steps = [node for node in nodes if node.stage == stage.id]
        if steps:
            lines += ["", f"## {stage.title}", "", *_steps(steps)]
    return {f"track/{track.id}.md": _tidy(lines)}


def _steps(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        planned = " (planned)" if node.status == "planned" else ""
        yield f"- [{node.title}](../node/{node.id}.md): {node.summary}{planned}"


def _body(page: Page) -> list[str]:
    chapter = page.node.chapter
    lines = chapter.body.split("\n")
    parsed = parse(chapter.body, chapter.path, chapter.body_line)
    literal = _literal_lines(parsed.tokens)
    shown = [
        line if place in literal else _plain_inline(line, page) for place, line in enumerate(lines)
    ]
    quotes = [""] * len(lines)
    replaced: dict[int, list[str]] = {}
    for token in parsed.tokens:
        if token.type == "directive_open" and token.map is not None:
            _directive(page, token, quotes, replaced)
    return [
        quotes[place] + text if text else quotes[place].rstrip()
        for place, line in enumerate(shown)
        for text in replaced.get(place, [line])
    ]


def _literal_lines(tokens: Iterable[Token]) -> set[int]:
    return {
        place
        for token in tokens
        if token.type in ("fence", "code_block", "math_block") and token.map is not None
        for place in range(*token.map)
    }


def _plain_inline(line: str, page: Page) -> str:
    headings = {heading.anchor: heading.text for heading in page.node.chapter.headings}

    def linked(match: re.Match[str]) -> str:
        if match[2].startswith("#"):
            return f"[{match[1] or headings.get(match[2][1:], match[2])}]({match[2]})"
        target = resolve(match[2], page.node, page.roadmap, "site", None)
        if target is None:
            return match[0]
        path, _, anchor = target.href.partition("#")
        twin = path.removesuffix(".html") + ".md" + (f"#{anchor}" if anchor else "")
        return f"[{match[1] or target.title}]({twin})"

    line = _VALUE.sub(lambda match: _value(page, match[1]), line)
    line = _IMAGE.sub(lambda match: f"*Figure: {match[1]}*", line)
    return _LINK.sub(linked, line)


def _value(page: Page, written: str) -> str:
    try:
        return unescape(_TAG.sub("", value(page, written)))
    except (KeyError, ValueError):
        return written


def _directive(page: Page, token: Token, quotes: list[str], replaced: dict[int, list[str]]) -> None:
    """Say in `replaced` what stands in place of a directive's own lines."""
    begin, end = token.map or [0, 0]
    name, argument, options = (token.meta[key] for key in ("name", "argument", "options"))
    if name in _PLACED:
        replaced[begin] = ["", *_PLACED[name](page, argument, options), ""]
        replaced.update({place: [] for place in range(begin + 1, end)})
        return
    title = argument or name.capitalize()
    if name == "depth":
        track = next((t.title for t in page.roadmap.tracks if t.id == argument), argument)
        deepest = argument == page.roadmap.tracks[-1].id
        title = track if deepest else f"{track} and deeper"
    replaced[begin] = ["", f"**{title}**", ""]
    replaced.update({begin + 1 + place: [] for place in range(len(options))})
    if token.meta["closed"]:
        replaced[end - 1] = [""]
    if name in _QUOTED:
        for place in range(begin, end - 1):
            quotes[place] += "> "
        replaced[begin] = [f"**{title}**", ""]


def _cell(page: Page, name: str, options: Mapping[str, str]) -> list[str]:
    cell = page.node.experiment.cell(name) if page.node.experiment else None
    outcome = page.outcome(page.node.id)
    output = outcome.cell(name) if outcome else None
    show = options.get("show", "both")
    lines: list[str] = []
    if cell is not None and show != "output":
        lines += _fenced(cell.source.strip("\n"), "python")
    if output is not None and show != "code":
        for text in (output.stdout, output.stderr):
            lines += ["", *_fenced(text.rstrip("\n"), "text")] if text.strip() else []
        lines += ["", f"*Figure: {options.get('alt', '')}*"] if output.figures else []
    caption = options.get("caption", "")
    return [*lines, "", caption] if caption else lines


def _experiment(page: Page, _name: str, _options: Mapping[str, str]) -> list[str]:
    node, outcome = page.node, page.outcome(page.node.id)
    lines = ["Not run in this build."]
    if outcome is not None:
        lines = ["| result | measured | expected |", "|---|---|---|"]
        bands = node.bands_on(outcome.machine)
        for name, result in outcome.results.items():
            expected = band_text(bands[name]) if name in bands else "no band"
            lines.append(f"| `{name}` | {number(result)} | {expected} |")
        ran = f"Ran in {duration(outcome.seconds)} on {outcome.machine.upper()}"
        lines += ["", f"{ran}, {outcome.ran_on.isoformat()}."]
    script = f"../downloads/{node.id}"
    return [*lines, "", f"The script: [Python]({script}.py), [notebook]({script}.ipynb)."]


def _source(page: Page, reference: str, options: Mapping[str, str]) -> list[str]:
    project = page.roadmap.root.parent
    symbol = find_symbol(project, reference)
    if symbol is None:
        return [f"`{reference}`"]
    code = symbol.text(docstring=options.get("docstring") != "hide")
    where = f"`{shown_path(symbol.path, project)}:{symbol.line}`"
    return [
        f"{options.get('caption', '')} {where}".strip(),
        "",
        *_fenced(code, "python"),
    ]


def _estimate(page: Page, _name: str, _options: Mapping[str, str]) -> list[str]:
    tracks = [t for t in page.roadmap.tracks if t.id in page.node.minutes]
    lines = [f"- {track.title}: {page.node.minutes[track.id]} min" for track in tracks]
    outcome = page.outcome(page.node.id)
    if outcome is not None:
        memory = f"{outcome.peak_bytes / 2**20:,.0f} MiB"
        lines.append(f"- Experiment, measured: {duration(outcome.seconds)}, {memory}")
    return lines


def _compliance(page: Page, _name: str, _options: Mapping[str, str]) -> list[str]:
    lines = []
    for note in page.node.compliance:
        check = f" Check: `{note.check}`." if note.check else ""
        as_of = f" Facts as of {note.facts_as_of.isoformat()}."
        lines.append(f"- **{note.risk}** {note.note}{check}{as_of} {' '.join(note.refs)}".rstrip())
    return lines


def _fenced(text: str, language: str) -> list[str]:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    ticks = "`" * (longest + 1)
    return [f"{ticks}{language}", *text.split("\n"), ticks]


def _tidy(lines: Iterable[str]) -> str:
    """The lines as a file. Outside of code, several empty lines become one."""
    kept: list[str] = []
    fence = ""
    for line in lines:
        bare = line.lstrip("> ")
        if bare.startswith("```") and not fence:
            fence = bare[: len(bare) - len(bare.lstrip("`"))]
        elif fence and bare.rstrip() == fence:
            fence = ""
        if fence or line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip("\n") + "\n"


_PLACED: Mapping[str, Callable[[Page, str, Mapping[str, str]], list[str]]] = {
    "cell": _cell,
    "experiment": _experiment,
    "source": _source,
    "estimate": _estimate,
    "compliance": _compliance,
}
