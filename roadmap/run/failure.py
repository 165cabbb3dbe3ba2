"""A run that ended early, as a diagnostic at the line that ended it."""

from __future__ import annotations

from pathlib import Path

from roadmap.diagnostics import Diagnostic, Span, shown_path
from roadmap.model import Experiment, Outcome

_HINTS = {
    "failed": "Run `python {path}` to see it alone.",
    "timeout": "Do less, or raise `experiment: {{timeout: ...}}` in the chapter's front matter.",
    "memory": "Hold less, or raise `experiment: {{memory: ...}}` in the chapter's front matter.",
    "network": "Put what it needs into the book and name it under `experiment: {{needs: ...}}`.",
    "crashed": "Let the script run to its end; catch what ends it, or take it out.",
    "output": "Print or draw less: a page shows all of it.",
}
_INVALID_RESULT = "a result must be a finite number"


def diagnose(experiment: Experiment, outcome: Outcome, root: Path) -> list[Diagnostic]:
    """What went wrong; nothing if the run ended well. `root` is the project's folder."""
    failure = outcome.failure
    if failure is None:
        return []
    rule = f"experiment-{outcome.status}"
    hint = _HINTS[outcome.status].format(path=shown_path(experiment.path, root))
    if outcome.status == "failed" and _INVALID_RESULT in failure.message:
        rule, hint = "result-invalid", "Report a number that is neither NaN nor infinite."
    where = f"Cell `{failure.cell}`" if failure.cell else "Before its first cell it"
    verb = " raised" if outcome.status == "failed" else ""
    message = f"{where}{verb} {failure.message.rstrip('.')}."
    span = span_of(experiment, failure.line, failure.cell)
    notes = tuple(failure.traceback.replace(f"{root}/", "").splitlines())
    if not notes and not failure.cell:
        notes = tuple(line for cell in outcome.cells for line in cell.stderr.splitlines())
    return [Diagnostic(rule, message, span, hint, notes)]


def span_of(experiment: Experiment, line: int, cell: str) -> Span:
    """A line of the script without its indentation; the cell's marker where the line is unknown."""
    if not line:
        found = experiment.cell(cell)
        line = found.line if found else 1
    lines = experiment.source.split("\n")
    text = lines[line - 1] if line <= len(lines) else ""
    start = len(text) - len(text.lstrip())
    return Span(experiment.path, line, start + 1, max(1, len(text.rstrip()) - start))
