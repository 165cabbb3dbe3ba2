"""What roadmap.yaml and a chapter's front matter may say.

Importing this module imports pydantic: the cache exists so that an unchanged book need not.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from roadmap.model import ID


def _kebab(text: str) -> str:
    if not re.fullmatch(ID, text):
        raise ValueError("an id is lower-case words joined by hyphens, such as `training-loop`")
    return text


def _symbol(text: str) -> str:
    module, colon, name = text.partition(":")
    parts = [*module.split("."), *(name.split(".") if colon else [])]
    if not all(part.isidentifier() for part in parts):
        raise ValueError("code is named `package.module:Class.method`")
    return text


def _result(text: str) -> str:
    if not text.isidentifier():
        raise ValueError("a result's name is a Python identifier, as in `report(final_loss=...)`")
    return text


def _web(text: str) -> str:
    if not re.match(r"https?://[^\s/]+", text):
        raise ValueError("a URL begins with https://")
    return text


def _bytes(value: Any) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT])iB", str(value))
    size = int(float(found[1]) * 1024 ** ("KMGT".index(found[2]) + 1)) if found else 0
    if size < 2**20:
        raise ValueError("memory is a number with its unit, such as `2 GiB`, and 1 MiB at least")
    return size


def _unique(items: list[str]) -> list[str]:
    for item in items:
        if items.count(item) > 1:
            raise ValueError(f"`{item}` is listed twice")
    return items


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Id = Annotated[str, AfterValidator(_kebab)]
Symbol = Annotated[str, AfterValidator(_symbol)]
ResultName = Annotated[str, AfterValidator(_result)]
Web = Annotated[str, AfterValidator(_web)]
Ids = Annotated[list[Id], AfterValidator(_unique)]
Memory = Annotated[int, BeforeValidator(_bytes)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Slack = Annotated[float, Field(allow_inf_nan=False, ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Time(_Strict):
    """What a track's reader needs for a node."""

    minutes: Annotated[int, Field(gt=0)]


def _skip_or_time(value: Any) -> str:
    return "skip" if isinstance(value, str) else "time"


TrackTime = Annotated[
    Annotated[Literal["skip"], Tag("skip")] | Annotated[Time, Tag("time")],
    Discriminator(_skip_or_time),
]


class Compute(_Strict):
    """What a step costs at full scale."""

    kind: Literal["none", "data", "train", "evaluate", "serve"]


class Tool(_Strict):
    """Software that practitioners use for a step."""

    name: Text
    url: Web
    licence: Text
    why: Text


class Command(_Strict):
    """A command that looks for a risk."""

    command: Text


class Compliance(_Strict):
    """A legal, safety or security risk."""

    id: Id
    risk: Text
    note: Text
    refs: Annotated[list[Text], Field(min_length=1)]
    facts_as_of: date
    check: Command | None = None


class Experiment(_Strict):
    """Limits and conditions of a run."""

    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    memory: Memory = 4 * 2**30
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    needs: list[Text] = []


class Band(_Strict):
    """Where a result must lie."""

    value: Finite | None = None
    atol: Slack | None = None
    rtol: Slack | None = None
    min: Finite | None = None
    max: Finite | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Band:
        slack = self.atol is not None or self.rtol is not None
        edges = self.min is not None or self.max is not None
        if (self.value is not None) == edges or slack == edges:
            raise ValueError("a band is `value` with `atol` or `rtol`, or `min` and/or `max`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("`min` is greater than `max`")
        return self


class FrontMatter(_Strict):
    """What a chapter says before its body."""

    id: Id
    title: Text
    stage: Id
    summary: Text
    tracks: Annotated[dict[Id, TrackTime], Field(min_length=1)]
    status: Literal["ready", "planned"] = "ready"
    aliases: Ids = []
    requires: Ids = []
    recommends: Ids = []
    optional: bool = False
    compute: Compute = Compute(kind="none")
    teaches: list[Text] = []
    source: list[Symbol] = []
    tools: list[Tool] = []
    compliance: list[Compliance] = []
    experiment: Experiment = Experiment()
    expect: dict[ResultName, dict[Literal["cpu", "cuda"], Band]] = {}

    @model_validator(mode="after")
    def _said_once(self) -> FrontMatter:
        _unique([note.id for note in self.compliance])
        for name in self.recommends:
            if name in self.requires:
                raise ValueError(f"`{name}` is required, so it need not be recommended")
        return self


class BookTrack(_Strict):
    """A way through the book."""

    id: Id
    title: Text
    summary: Text


class BookStage(_Strict):
    """A group of nodes. `folder` is one folder's name below the book."""

    id: Id
    title: Text
    summary: Text
    folder: Text
    nodes: list[Id]


class Book(_Strict):
    """The whole of roadmap.yaml."""

    title: Text
    summary: Text
    url: Web
    repository: Web
    tracks: Annotated[list[BookTrack], Field(min_length=1)]
    stages: Annotated[list[BookStage], Field(min_length=1)]
