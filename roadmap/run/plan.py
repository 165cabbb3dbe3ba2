"""Which experiments need to run, and why, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from roadmap.diagnostics import Diagnostic
from roadmap.model import Node, Outcome
from roadmap.run.code import Codes
from roadmap.run.key import Sources, components
from roadmap.run.store import Store

State = Literal["fresh", "stale", "new"]


@dataclass(frozen=True, slots=True)
class Step:
    """Where one experiment stands.

    `fresh`: its record `last` is that of the code as it is now, whose cache key has `components`.
    `stale`: something changed since, which `reasons` name. `new`: it has no record that can be
    used; if a file pretends to be one, `diagnostic` says why it cannot.
    """

    node: Node
    state: State
    components: Mapping[str, str]
    last: Outcome | None = None
    reasons: tuple[str, ...] = ()
    diagnostic: Diagnostic | None = None


def plan(nodes: Iterable[Node], store: Store, root: Path) -> list[Step]:
    """The state of every experiment among `nodes`; those without an experiment are left out.

    `root` is the project's folder.
    """
    sources = Sources(Codes(store.folder / "_code.json"))
    steps = []
    for node in nodes:
        if node.experiment is None:
            continue
        now = components(node.experiment, root, sources)
        last, diagnostic = store.read(node.id)
        if last is None:
            steps.append(Step(node, "new", now, diagnostic=diagnostic))
        elif reasons := why_stale(last.components, now):
            steps.append(Step(node, "stale", now, last, tuple(reasons)))
        else:
            steps.append(Step(node, "fresh", now, last))
    sources.codes.save()
    return steps


def explain(node: Node, store: Store, root: Path) -> list[str]:
    """Lines for a person: whether the node's record is fresh, and if not, what changed."""
    steps = plan([node], store, root)
    if not steps:
        return [f"{node.id} has no experiment."]
    step = steps[0]
    if step.state == "new":
        reason = (
            step.diagnostic.message
            if step.diagnostic
            else "It has no record of a run that ended well."
        )
        return [f"{node.id} will run.", f"  {reason}"]
    assert step.last is not None
    ran = f"{step.last.ran_on.isoformat()}, in {step.last.seconds:.1f} s"
    if step.state == "fresh":
        return [f"{node.id} is fresh: nothing changed since it ran on {ran}."]
    lines = [f"{node.id} is stale: it will run again. It last ran on {ran}; since then:"]
    return lines + [f"  {reason}" for reason in step.reasons]


def why_stale(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs between two cache keys, in words; nothing if they are equal."""
    names = [*now, *(name for name in before if name not in now)]
    reasons = []
    for name in names:
        old, new = before.get(name), now.get(name)
        if old != new:
            reason = _reason(name, old, new)
            if reason:
                reasons.append(reason)
    if not reasons and dict(before) != dict(now):
        reasons.append("the order of the cells changed")
    return reasons


def _reason(name: str, old: str | None, new: str | None) -> str:
    kind, _, what = name.partition(" ")
    if kind == "cells":
        return ""  # the cells that came and went are named one by one
    if kind == "cell":
        return f"cell {what} {_change(old, new, 'added', 'removed')}"
    if kind == "module":
        return f"{what} {_change(old, new, 'is now imported', 'is no longer imported')}"
    if kind == "file":
        return f"{what} {_change(old, new, 'is now needed', 'is no longer needed')}"
    if kind == "package":
        return f"{what} {_change(old, new, 'is now imported', 'is no longer imported', 'show')}"
    if kind == "worker":
        return "the program that runs experiments changed"
    if kind == "figures":
        return "the look of figures changed"
    shown = "Python" if kind == "python" else name
    return f"{shown} {old} -> {new}"


def _change(old: str | None, new: str | None, came: str, went: str, show: str = "") -> str:
    if old is None:
        return came
    if new is None:
        return went
    return f"{old} -> {new}" if show else "changed"
