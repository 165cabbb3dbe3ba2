"""What a chapter's directives and roles name: tracks, cells, results and the experiment."""

from __future__ import annotations

from collections.abc import Iterator

from roadmap.check.names import Names
from roadmap.diagnostics import Diagnostic, Span, did_you_mean
from roadmap.model import Experiment, Node, Roadmap, Use

_CHOICES = {
    ("cell", "show"): ("both", "code", "output"),
    ("source", "docstring"): ("show", "hide"),
}


def check_uses(roadmap: Roadmap, names: Names) -> Iterator[Diagnostic]:
    """Every name in a directive or role is that of something, and options have known values."""
    tracks = [track.id for track in roadmap.tracks]
    for node in roadmap:
        if node.bands and node.experiment is None:
            yield _no_experiment(node, node.span("expect"), "It expects results")
        for use in node.chapter.uses:
            yield from _options(use)
            match use.name:
                case "depth":
                    yield from _depth(use, tracks)
                case "experiment" if node.experiment is None:
                    yield _no_experiment(node, use.span, "It shows an experiment")
                case "cell" if node.experiment is None:
                    yield _no_experiment(node, use.span, "It shows a cell")
                case "cell" if node.experiment is not None:
                    yield from _cell(use, node.experiment)
                case "value":
                    yield from _value(use, node, names)


def _options(use: Use) -> Iterator[Diagnostic]:
    for option, value in use.options.items():
        allowed = _CHOICES.get((use.name, option))
        if allowed and value not in allowed:
            message = f"`{option}` of {{{use.name}}} is `{value}`; it must be {_either(allowed)}."
            yield Diagnostic("directive-invalid", message, use.span, did_you_mean(value, allowed))


def _depth(use: Use, tracks: list[str]) -> Iterator[Diagnostic]:
    if use.argument and use.argument not in tracks:
        message = f"There is no track `{use.argument}`."
        hint = did_you_mean(use.argument, tracks) or f"Tracks: {', '.join(tracks)}."
        yield Diagnostic("track-unknown", message, use.span, hint)


def _cell(use: Use, experiment: Experiment) -> Iterator[Diagnostic]:
    cell = experiment.cell(use.argument)
    nameless = experiment.cell("") is not None  # that is a fault of its own, and may be this cell
    if use.argument and not nameless and (cell is None or cell.kind != "code"):
        known = [c.name for c in experiment.cells if c.kind == "code"]
        what = "no cell" if cell is None else "no code in the text cell"
        message = f"The experiment has {what} `{use.argument}`."
        hint = did_you_mean(use.argument, known) or f"Cells: {', '.join(known)}."
        yield Diagnostic("cell-missing", message, use.span, hint)


def _value(use: Use, node: Node, names: Names) -> Iterator[Diagnostic]:
    reference, bar, form = use.argument.partition("|")
    node_id, slash, result = reference.rpartition("/")
    if bar and not _is_number_format(form):
        message = f"`{form}` is not a format for a number."
        yield Diagnostic("directive-invalid", message, use.span, "Write it as in `loss|.3f`.")
    if slash and not names.knows(node_id):
        message = f"There is no node `{node_id}`."
        yield Diagnostic("node-unknown", message, use.span, names.nearest(node_id))
        return
    owner = names.node(node_id) if slash else node
    if owner is None:  # a node that could not be read
        return
    if owner.experiment is None:
        yield _no_experiment(owner, use.span, "Its results are asked for")
        return
    results = {band.result for band in owner.bands}
    if result not in results:
        message = f"The experiment of `{owner.id}` expects no result `{result}`."
        hint = did_you_mean(result, results) or "Report it, and give it a band in `expect:`."
        yield Diagnostic("value-missing", message, use.span, hint)


def _is_number_format(form: str) -> bool:
    try:
        format(1.5, form)
    except ValueError:
        return False
    return bool(form)


def _no_experiment(node: Node, span: Span, why: str) -> Diagnostic:
    message = f"{why}, but `{node.id}` has no experiment.py."
    return Diagnostic("experiment-missing", message, span, f"Write {node.id}/experiment.py.")


def _either(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
