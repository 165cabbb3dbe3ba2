"""Compliance notes state facts, and facts grow old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from roadmap.diagnostics import Diagnostic
from roadmap.model import Roadmap

MAX_AGE_MONTHS = 18


def check_compliance(roadmap: Roadmap, today: date) -> Iterator[Diagnostic]:
    """Notes whose facts are dated after `today`, or more than 18 months before."""
    for node in roadmap:
        for number, note in enumerate(node.compliance):
            span = node.span(f"compliance.{number}.facts_as_of")
            stated = note.facts_as_of
            if stated > today:
                message = f"The facts of `{note.id}` are dated {stated}, which is yet to come."
                hint = "Write the day on which you looked them up."
                yield Diagnostic("compliance-undated", message, span, hint)
            elif _months(stated, today) > MAX_AGE_MONTHS or (
                _months(stated, today) == MAX_AGE_MONTHS and today.day > stated.day
            ):
                message = f"The facts of `{note.id}` are older than {MAX_AGE_MONTHS} months."
                hint = "Look them up again, and date them anew."
                yield Diagnostic("compliance-undated", message, span, hint)


def _months(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month
