"""Roads made for a test: real values of the model, without files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from roadmap.model import Chapter, Node, Roadmap, Stage, Track

Road = Callable[..., Roadmap]


def make_road(
    requires: Mapping[str, Sequence[str]],
    recommends: Mapping[str, Sequence[str]] | None = None,
    titles: Mapping[str, str] | None = None,
    minutes: Mapping[str, int] | None = None,
    stages: Mapping[str, str] | None = None,
    planned: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> Roadmap:
    """A road of these nodes, in this order; two stages called `first` and `second`."""
    root = Path("/book")
    nodes = tuple(
        Node(
            id=name,
            title=(titles or {}).get(name, name.replace("-", " ").capitalize()),
            stage=(stages or {}).get(name, "first"),
            summary="A step.",
            status="planned" if name in planned else "ready",
            folder=root / name,
            chapter=Chapter(root / name / "chapter.md", "", 1, ""),
            minutes={"all": (minutes or {}).get(name, 10)},
            requires=tuple(needed),
            recommends=tuple((recommends or {}).get(name, ())),
            optional=name in optional,
        )
        for name, needed in requires.items()
    )
    return Roadmap(
        title="A road",
        summary="A road for a test.",
        url="",
        repository="",
        root=root,
        tracks=(Track("all", "All", "Everything."),),
        stages=(
            Stage("first", "First & foremost", "The first.", 0, "00-first"),
            Stage("second", "Second", "The second.", 1, "01-second"),
        ),
        nodes=tuple(sorted(nodes, key=lambda n: n.stage)),
    )


@pytest.fixture(scope="session")
def road() -> Road:
    """Makes roads."""
    return make_road
