"""Takes new values into a chapter's `expect`, changing nothing but the numbers."""

from __future__ import annotations

from dataclasses import dataclass

from roadmap.diagnostics import Span
from roadmap.model import Band, Node, Outcome
from roadmap.run.words import band_text, number


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one result: `new` replaces `old`, or is None where a person must decide.

    `message` says it in one line.
    """

    result: str
    old: str
    new: str | None
    span: Span
    message: str


def accept(node: Node, outcome: Outcome) -> tuple[str, list[Change]]:
    """The chapter's text with the outcome's values in place of those it misses, and the changes.

    The text keeps its line ends and byte order mark: write it with `files.write_atomically`.
    Bands of the form min/max, results without a band and bands without a result are for a person.
    Raises ValueError if the outcome is not `ok`, or if the chapter is not as it was loaded.
    """
    if outcome.status != "ok":
        raise ValueError(f"the run of `{node.id}` ended as `{outcome.status}`: nothing to accept")
    text = node.chapter.path.read_bytes().decode()
    places, lines = _places(text), text.split("\n")
    results = outcome.results
    changes = []
    for band in node.bands_on(outcome.machine).values():
        if band.result not in results:
            continue
        value = results[band.result]
        if band.contains(value):
            continue
        if band.value is None:
            message = f"{band.result} = {number(value)}, expected {band_text(band)}: decide on it"
            changes.append(Change(band.result, band_text(band), None, band.span, message))
            continue
        key = f"expect.{band.result}.{band.machine}.value"
        if key not in places:
            raise ValueError(
                f"{node.chapter.path.name} has no `{key}`: it changed since it was read"
            )
        row, column, length = places[key]
        line = lines[row - 1]
        before, old, after = (
            line[: column - 1],
            line[column - 1 :][:length],
            line[column - 1 + length :],
        )
        new = rewrite(old, value, band)
        # Two values on one line: the later one moves by what the earlier one grew.
        for other, (at, start, width) in places.items():
            if at == row and start > column:
                places[other] = (at, start + len(new) - length, width)
        lines[row - 1] = before + new + after
        message = f"{band.result}: {old} -> {new} ({band.machine})"
        changes.append(Change(band.result, old, new, band.span, message))
    return "\n".join(lines), changes + _for_a_person(node, outcome)


def rewrite(old: str, value: float, band: Band) -> str:
    """`value` in the form of `old`, with more digits only where the band is too narrow for it."""
    mantissa, exponent, _ = old.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    slack = max(band.atol, band.rtol * abs(value))
    for digits in range(decimals, 17):
        new = f"{value:.{digits}{'e' if exponent else 'f'}}"
        if abs(float(new) - value) <= slack / 4:
            return new
    return repr(value)


def _places(text: str) -> dict[str, tuple[int, int, int]]:
    """Line, column and length of every value in a chapter's front matter."""
    from pathlib import Path

    from roadmap.load.chapter import split
    from roadmap.load.yaml_source import read_yaml

    head, _, _ = split(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    source, _ = read_yaml(head or "", Path(), first_line=2)
    return {} if source is None else dict(source.values)


def _for_a_person(node: Node, outcome: Outcome) -> list[Change]:
    bands = node.bands_on(outcome.machine)
    results = outcome.results
    changes = [
        Change(
            name,
            band_text(band),
            None,
            band.span,
            f"{name} was not reported: take its band out, or report it",
        )
        for name, band in bands.items()
        if name not in results
    ]
    changes += [
        Change(
            name,
            "",
            None,
            node.span("expect"),
            f"{name} = {number(value)} has no band on {outcome.machine}: add one",
        )
        for name, value in results.items()
        if name not in bands
    ]
    return changes
