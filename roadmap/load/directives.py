"""The book's block directives: `:::{name} argument`, option lines, a Markdown body, `:::`.

One markdown-it block rule turns a directive into a `directive_open` … `directive_close` pair of
tokens with its body parsed between them, so that line numbers stay those of the file and
directives nest by using more colons outside than inside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock


@dataclass(frozen=True, slots=True)
class Spec:
    """What a directive takes: an argument, a Markdown body, and which options."""

    argument: Literal["required", "optional", "none"] = "none"
    body: bool = False
    options: tuple[str, ...] = ()


DIRECTIVES: Mapping[str, Spec] = {
    "depth": Spec("required", body=True),
    "note": Spec("optional", body=True),
    "tip": Spec("optional", body=True),
    "important": Spec("optional", body=True),
    "warning": Spec("optional", body=True),
    "dropdown": Spec("required", body=True),
    "cell": Spec("required", options=("alt", "caption", "show")),
    "experiment": Spec(),
    "source": Spec("required", options=("docstring", "caption")),
    "estimate": Spec(),
    "compliance": Spec(),
}
ROLES = ("value",)

_OPENING = re.compile(r"(:{3,})\s*\{([^}\s]*)\}[ \t]*(.*)$")
_FENCE = re.compile(r"(`{3,}|~{3,})")
_OPTION = re.compile(r":([a-z-]+):(?:[ \t]+(.*))?$")


def directive_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it block rule. Token meta: name, argument, options (name -> text), closed, stray."""
    if state.is_code_block(start):
        return False
    opening = _OPENING.match(_line(state, start))
    if opening is None:
        return False
    if silent:
        return True
    colons, name, argument = len(opening[1]), opening[2], opening[3].strip()

    options: dict[str, str] = {}
    first = start + 1
    while first < end and (option := _OPTION.match(_line(state, first))):
        options[option[1]] = (option[2] or "").strip()
        first += 1

    last, depth, fence = first, [colons], ""
    while last < end:
        line = _line(state, last)
        if ticks := _FENCE.match(line):
            if not fence:
                fence = ticks[1]
            elif line.strip() == ticks[1] and ticks[1].startswith(fence):
                fence = ""
        elif fence:
            pass
        elif nested := _OPENING.match(line):
            depth.append(len(nested[1]))
        elif (bare := line.rstrip()) and set(bare) == {":"} and len(bare) >= 3:
            while len(depth) > 1 and depth[-1] > len(bare):
                depth.pop()
            if depth[-1] <= len(bare):
                depth.pop()
            if not depth:
                break
        last += 1
    closed = last < end

    spec = DIRECTIVES.get(name, Spec("optional", body=True))
    token = state.push("directive_open", "div", 1)
    token.block = True
    token.map = [start, min(last + 1, end)]
    stray = next((n for n in range(first, last) if _line(state, n).strip()), None)
    token.meta = {
        "name": name,
        "argument": argument,
        "options": options,
        "closed": closed,
        "stray": None if spec.body or stray is None else stray,
    }
    if spec.body:
        parent, line_max = state.parentType, state.lineMax
        state.parentType, state.lineMax = "directive", last
        state.md.block.tokenize(state, first, last)
        state.parentType, state.lineMax = parent, line_max
    closing = state.push("directive_close", "div", -1)
    closing.block = True
    closing.meta = {"name": name}
    state.line = last + (1 if closed else 0)
    return True


def install(md: MarkdownIt) -> None:
    """Teach `md` the directives, ahead of paragraphs, lists and quotes."""
    alt = ["paragraph", "reference", "blockquote", "list"]
    md.block.ruler.before("fence", "directive", directive_rule, {"alt": alt})


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
