"""Holds YAML against the schema, and says in the author's words what does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from roadmap.diagnostics import Diagnostic, Span, did_you_mean
from roadmap.load.yaml_source import Place, Source


def validated(
    source: Source, schema: type[BaseModel], path: Path, first_line: int = 1
) -> tuple[dict[str, Any] | None, list[Diagnostic]]:
    """The document as JSON-like data with every default filled in, or what is wrong with it.

    `first_line` is where to point when the document as a whole is at fault.
    """
    try:
        model = schema.model_validate({} if source.data is None else source.data)
    except ValidationError as error:
        translate = _Translator(source, schema, path, first_line)
        found = [translate(detail) for detail in error.errors(include_url=False)]
        return None, [d for d in found if not _is_misspelt(d, found)]
    return model.model_dump(mode="json"), []


def _is_misspelt(missing: Diagnostic, found: Sequence[Diagnostic]) -> bool:
    """Whether a key is missing only because it is there under a name that is nearly right."""
    if missing.rule != "field-missing":
        return False
    name = missing.message.split("`")[1]
    return any(d.rule == "field-unknown" and d.hint == f"Did you mean `{name}`?" for d in found)


_ASKED = {
    "model_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "list_type": "a list",
    "string_type": "text",
    "string_too_short": "said",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "date_type": "a date, such as 2026-11-01",
    "too_short": "one item long at least",
}


class _Translator:
    def __init__(
        self, source: Source, schema: type[BaseModel], path: Path, first_line: int
    ) -> None:
        self.source, self.schema, self.path = source, schema, path
        self.top: Place = (first_line, 1, 1)

    def __call__(self, error: ErrorDetails) -> Diagnostic:
        at = self._key_path(error["loc"])
        name = at[-1] if at else ""
        kind, context = error["type"], error.get("ctx", {})
        if kind == "extra_forbidden":
            fields = self._fields(at[:-1])
            message = f"There is no key `{name}`{_inside(at)}."
            return self._at(self._key(at), "field-unknown", message, _nearest(name, fields))
        if kind == "missing":
            message = f"The key `{name}` is missing{_inside(at)}."
            hint = f"Add `{name}:`{_inside(at)}."
            return self._at(self._key(at[:-1]), "field-missing", message, hint)
        place = self._key(at) if "[key]" in error["loc"] else self._value(at)
        what, given = f"`{'.'.join(at)}`" if at else "The document", error["input"]
        if kind == "value_error":
            message = f"{what} is not valid: {context['error']}."
            return self._at(place, "field-invalid", message)
        asked = _ASKED.get(kind) or error["msg"].removeprefix("Input should be ")
        hint = ""
        if kind == "literal_error":
            asked = context["expected"]
            choices = [c.strip("'") for c in asked.replace(" or ", ", ").split(", ")]
            hint = _nearest(str(given), choices)
        elif kind == "model_type":
            hint = _nearest("", self._fields(at))
        elif kind == "string_type" and not isinstance(given, dict | list | None):
            hint = "Put it in quotation marks."
        message = f"{what} is {_shown(given)}; it must be {asked}."
        return self._at(place, "field-invalid", message, hint)

    def _key_path(self, loc: Sequence[str | int]) -> list[str]:
        """Where an error is, without the names that pydantic gives to a choice's branches."""
        at: list[str] = []
        value: Any = self.source.data
        for number, step in enumerate(loc):
            found = isinstance(value, dict) and step in value
            if found or (isinstance(value, list) and isinstance(step, int)):
                at.append(str(step))
                value = value[step]
            elif number == len(loc) - 1 and step not in ("[key]", "skip", "time"):
                at.append(str(step))
        return at

    def _fields(self, at: Sequence[str]) -> list[str]:
        """The keys that the schema knows at a key path."""
        schema: Any = self.schema.model_json_schema()
        definitions, here = schema.get("$defs", {}), schema
        for step in at:
            here = _resolved(here, definitions)
            if step in here.get("properties", {}):
                here = here["properties"][step]
            else:
                here = here.get("items") or here.get("additionalProperties") or {}
        return list(_resolved(here, definitions).get("properties", {}))

    def _key(self, at: Sequence[str]) -> Place:
        return self.source.keys.get(".".join(at)) or self._value(at)

    def _value(self, at: Sequence[str]) -> Place:
        for end in range(len(at), 0, -1):
            place = self.source.values.get(".".join(at[:end]))
            if place:
                return place
        return self.top

    def _at(self, place: Place, rule: str, message: str, hint: str = "") -> Diagnostic:
        return Diagnostic(rule, message, Span(self.path, *place), hint)


def _resolved(schema: Any, definitions: Any) -> Any:
    """Follow a reference, and of a choice the branch that has keys."""
    while True:
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
        elif branches := schema.get("anyOf") or schema.get("oneOf"):
            schema = next((b for b in branches if "$ref" in b), {})
        else:
            return schema


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    listed = "Known: " + ", ".join(f"`{k}`" for k in known) + "." if known else ""
    return did_you_mean(name, known) or listed


def _inside(at: Sequence[str]) -> str:
    return f" in `{'.'.join(at[:-1])}`" if len(at) > 1 else ""


def _shown(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "empty"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(value)
