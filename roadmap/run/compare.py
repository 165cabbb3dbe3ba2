"""What a run reported, held against the bands that its chapter expects."""

from __future__ import annotations

import math
from collections import Counter

from roadmap.diagnostics import Diagnostic, Span
from roadmap.model import Band, Experiment, Node, Outcome
from roadmap.run.failure import span_of
from roadmap.run.words import band_text, number


def compare(node: Node, outcome: Outcome) -> list[Diagnostic]:
    """Every result that has no band or lies outside it, and every band without a result.

    Only bands for the machine class of the outcome count. An outcome that is not `ok` is not
    compared: its failure has been reported already.
    """
    experiment = node.experiment
    if outcome.status != "ok" or experiment is None:
        return []
    found = _invalid(experiment, outcome)
    bands = node.bands_on(outcome.machine)
    results = outcome.results
    for name, value in results.items():
        if name not in bands:
            found.append(_unbanded(node, experiment, outcome, name, value))
        elif math.isfinite(value) and not bands[name].contains(value):
            found.append(_out_of_band(node, bands[name], value))
    for name, band in bands.items():
        if name not in results:
            message = f"`{name}` is expected, but the experiment did not report it."
            known = ", ".join(f"`{n}`" for n in results) or "nothing"
            hint = f"It reported {known}. Add `report({name}=...)`, or take the band out."
            found.append(Diagnostic("result-unreported", message, band.span, hint))
    return found


def miss(band: Band, value: float) -> float:
    """How far `value` lies outside the band: negative below, positive above, 0 inside."""
    low, high = band.limits
    if value < low:
        return value - low
    return value - high if value > high else 0.0


def _out_of_band(node: Node, band: Band, value: float) -> Diagnostic:
    by = miss(band, value)
    side = "above" if by > 0 else "below"
    message = (
        f"`{band.result}` is {number(value)} on {band.machine}; expected {band_text(band)}: "
        f"{number(abs(by))} {side} the band."
    )
    fix = f"run `roadmap accept {node.id}`" if band.value is not None else "widen the band"
    hint = f"If the new number is right, {fix}; if not, find out what changed."
    return Diagnostic("result-out-of-band", message, band.span, hint)


def _unbanded(
    node: Node, experiment: Experiment, outcome: Outcome, name: str, value: float
) -> Diagnostic:
    others = [band for band in node.bands if band.result == name]
    message = f"`{name}` has no band for the machine class `{outcome.machine}`."
    hint = (
        "Add to the chapter's front matter under `expect`: "
        f"`{name}: {{{outcome.machine}: {{value: {value:.6g}, rtol: 0.05}}}}`."
    )
    span = others[0].span if others else _report_span(experiment, outcome, name, 0)
    return Diagnostic("result-unbanded", message, span, hint)


def _invalid(experiment: Experiment, outcome: Outcome) -> list[Diagnostic]:
    found = []
    pairs = [pair for cell in outcome.cells for pair in cell.results]
    for name, value in pairs:
        if not math.isfinite(value):
            message = f"`{name}` is {value}: a result must be a finite number."
            span = _report_span(experiment, outcome, name, 0)
            found.append(Diagnostic("result-invalid", message, span))
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            values = ", ".join(number(value) for n, value in pairs if n == name)
            message = f"`{name}` is reported {count} times: {values}."
            span = _report_span(experiment, outcome, name, 1)
            hint = "Report each result once, or under different names."
            found.append(Diagnostic("result-invalid", message, span, hint))
    return found


def _report_span(experiment: Experiment, outcome: Outcome, name: str, nth: int) -> Span:
    """Where the script reports `name` for the `nth` time, else the cell that did."""
    import ast

    try:
        nodes = list(ast.walk(ast.parse(experiment.source)))
    except SyntaxError:
        nodes = []
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    lines = sorted(k.value.lineno for call in calls for k in call.keywords if k.arg == name)
    cell = next((c.name for c in outcome.cells if name in dict(c.results)), "")
    line = lines[min(nth, len(lines) - 1)] if lines else 0
    return span_of(experiment, line, cell)
