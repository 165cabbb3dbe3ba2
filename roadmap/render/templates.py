"""Fills the templates of `templates/`, and says at which line one cannot be filled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadmap.diagnostics import BuildError, Diagnostic, Span

if TYPE_CHECKING:
    from jinja2 import Environment, TemplateError

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def environment(folder: Path, cache: Path | None = None) -> Environment:
    """The templates below `folder`. Compiled ones are kept in the folder `cache`, if given."""
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    bytecode = None
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        bytecode = FileSystemBytecodeCache(str(cache))
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=bytecode,
    )
    made.filters.update(duration=duration, script_json=script_json)
    return made


def fill(environment: Environment, name: str, **context: Any) -> str:
    """The template called `name` with `context`. Raises BuildError where it cannot be filled."""
    from jinja2 import TemplateError

    try:
        return environment.get_template(name).render(**context)
    except TemplateError as error:
        message = f"The template {name} cannot be filled: {error.message or error}."
        raise BuildError(Diagnostic("template-error", message, _place(error))) from error


def _place(error: TemplateError) -> Span | None:
    from traceback import extract_tb

    if filename := getattr(error, "filename", None):  # a syntax error
        return Span(Path(filename), getattr(error, "lineno", 1))
    frames = [f for f in extract_tb(error.__traceback__) if f.filename.endswith(".html")]
    return Span(Path(frames[-1].filename), frames[-1].lineno or 1) if frames else None


def duration(minutes: int) -> str:
    """`95` -> `1 h 35 min`."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{rest} min"] * (rest > 0 or hours == 0)
    return " ".join(parts)


def script_json(value: object) -> str:
    """JSON that may stand inside a `<script>`: no `</`, no `<!--`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
