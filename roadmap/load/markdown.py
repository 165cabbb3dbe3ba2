"""A chapter's body: from Markdown to tokens, and to the facts that other stages ask for.

The syntax is CommonMark with tables, footnotes, dollar math and MyST roles and colon-fence
directives (https://mystmd.org/guide/syntax-overview). Raw HTML is not part of it: a chapter must
read the same on screen, in print and in a notebook.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from roadmap.diagnostics import Diagnostic, Span, did_you_mean
from roadmap.load.directives import DIRECTIVES, ROLES, install
from roadmap.model import CODE_COLUMNS, Heading, Link, Use

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_BROKEN = re.compile(r"\[\^[^\]\s]+\]|\{[a-z]+\}`")


@dataclass(frozen=True, slots=True)
class Parsed:
    """Tokens in reading order (`map` counts body lines from 0), facts, and what is wrong.

    `env` belongs to the tokens: the renderer needs it for footnotes.
    """

    tokens: Sequence[Token]
    env: dict[str, Any]
    headings: tuple[Heading, ...]
    links: tuple[Link, ...]
    uses: tuple[Use, ...]
    diagnostics: tuple[Diagnostic, ...]


@lru_cache(maxsize=2048)
def parse(text: str, path: Path, first_line: int) -> Parsed:
    """Parse the Markdown `text` of the file `path`, whose line `first_line` it begins on."""
    env: dict[str, Any] = {}
    tokens = parser().parse(text, env)
    reader = _Reader(path, text.split("\n"), first_line)
    reader.read(tokens)
    return Parsed(
        tokens,
        env,
        tuple(reader.headings),
        tuple(reader.links),
        tuple(reader.uses),
        tuple(reader.diagnostics),
    )


@cache
def parser() -> MarkdownIt:
    """The book's Markdown parser, made once."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.footnote import footnote_plugin
    from mdit_py_plugins.myst_role import myst_role_plugin

    md = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    md.use(dollarmath_plugin, allow_labels=False, allow_digits=False, allow_space=False)
    md.use(footnote_plugin, inline=False)
    md.use(myst_role_plugin)
    install(md)
    return md


def slug(text: str) -> str:
    """The anchor of a heading: lower case, words joined by hyphens, as GitHub makes them."""
    return re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", text.lower()).strip()) or "section"


def plain_text(inline: Token) -> str:
    """An inline token's words without its markup."""
    words = []
    for child in inline.children or []:
        if child.type in ("text", "code_inline", "math_inline"):
            words.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            words.append(" ")
    return "".join(words)


class _Reader:
    """Walks the tokens once and collects facts and faults."""

    def __init__(self, path: Path, lines: Sequence[str], first_line: int) -> None:
        self.path, self.lines, self.first_line = path, lines, first_line
        self.headings: list[Heading] = []
        self.links: list[Link] = []
        self.uses: list[Use] = []
        self.diagnostics: list[Diagnostic] = []
        self.depth = ""

    def read(self, tokens: Sequence[Token]) -> None:
        for index, token in enumerate(tokens):
            if token.type == "heading_open":
                self._heading(token, tokens[index + 1])
            elif token.type == "directive_open":
                self._directive(token)
            elif token.type == "directive_close" and token.meta["name"] == "depth":
                self.depth = ""
            elif token.type == "fence":
                self._fence(token)
            elif token.type == "inline":
                self._inline(token)

    def _span(self, token: Token, needle: str = "", after: str = "") -> Span:
        """Where `needle` stands among the lines of `token`, or where the token begins."""
        begin, end = token.map or [0, len(self.lines)]
        for number in range(begin, end):
            found = self.lines[number].find(after + needle) if needle else -1
            if found >= 0:
                return Span(
                    self.path, self.first_line + number, found + len(after) + 1, len(needle)
                )
        line = self.lines[begin] if begin < len(self.lines) else ""
        indent = len(line) - len(line.lstrip())
        return Span(self.path, self.first_line + begin, indent + 1, max(1, len(line.strip())))

    def _target(self, token: Token, target: str) -> Span:
        """Where a link's target stands, which the parser has percent-encoded."""
        plain = unquote(target)
        begin, end = token.map or [0, len(self.lines)]
        text = "\n".join(self.lines[begin:end])
        forms = (target, plain, f"<{plain}>")
        written = next((form for form in forms if f"]({form}" in text), target)
        return self._span(token, written, after="](")

    def _report(self, rule: str, message: str, span: Span, hint: str = "") -> None:
        self.diagnostics.append(Diagnostic(rule, message, span, hint))

    def _heading(self, token: Token, inline: Token) -> None:
        level, text, span = int(token.tag[1]), plain_text(inline), self._span(token)
        before = self.headings[-1].level if self.headings else 1
        if level == 1:
            hint = "Begin with `##`: the page's first-level heading is the node's title."
            self._report("heading-jump", "A chapter's body has no `#` heading.", span, hint)
        elif level > before + 1:
            hint = f"Use {'#' * (before + 1)} here."
            self._report("heading-jump", f"Level {level} follows level {before}.", span, hint)
        anchor = slug(text)
        if any(h.anchor == anchor for h in self.headings):
            message = f"Two headings have the anchor #{anchor}."
            hint = "Word one of them differently: links and progress point at anchors."
            self._report("anchor-duplicate", message, span, hint)
        token.attrSet("id", anchor)
        self.headings.append(Heading(level, text, anchor, self.depth, span))

    def _directive(self, token: Token) -> None:
        name, argument = token.meta["name"], token.meta["argument"]
        span = self._span(token, f"{{{name}}}")
        spec = DIRECTIVES.get(name)
        if spec is None:
            self._report(
                "directive-unknown",
                f"There is no directive {{{name}}}.",
                span,
                _nearest(name, DIRECTIVES),
            )
            return
        self.uses.append(Use(name, argument, token.meta["options"], span))
        if not token.meta["closed"]:
            message = f"The directive {{{name}}} is never closed."
            self._report("directive-invalid", message, span, "Close it with as many colons.")
        if spec.argument == "required" and not argument:
            self._report("directive-invalid", f"{{{name}}} needs an argument.", span)
        if spec.argument == "none" and argument:
            self._report("directive-invalid", f"{{{name}}} takes no argument.", span)
        if token.meta["stray"] is not None:
            number = token.meta["stray"]
            place = Span(
                self.path, self.first_line + number, 1, max(1, len(self.lines[number].rstrip()))
            )
            self._report(
                "directive-invalid",
                f"{{{name}}} has no body.",
                place,
                "Put options as `:name: text` lines right below it, and close it with `:::`.",
            )
        for option in token.meta["options"]:
            if option not in spec.options:
                known = ", ".join(spec.options) or "none"
                place = self._span(token, f":{option}:")
                message = f"{{{name}}} has no option `{option}`."
                self._report("directive-invalid", message, place, f"Its options: {known}.")
        if name == "depth":
            if self.depth:
                self._report("directive-invalid", "{depth} cannot stand inside {depth}.", span)
            self.depth = argument

    def _fence(self, token: Token) -> None:
        begin = (token.map or [0])[0]
        if token.info.strip().startswith("{"):
            name = token.info.strip().strip("`").partition("}")[0][1:]
            hint = f"Write :::{{{name}}} with colons." if name in DIRECTIVES else ""
            message = f"A backtick fence cannot hold the directive {{{name}}}."
            self._report("directive-unknown", message, self._span(token), hint)
        for offset, line in enumerate(token.content.split("\n")):
            if len(line) > CODE_COLUMNS:
                place = Span(self.path, self.first_line + begin + 1 + offset, CODE_COLUMNS + 1)
                message = f"{len(line)} columns of code; a page holds {CODE_COLUMNS}."
                self._report("code-too-wide", message, place)

    def _inline(self, token: Token) -> None:
        for child in token.children or []:
            if child.type == "link_open":
                target = str(child.attrs["href"])
                self.links.append(Link(target, self._target(token, target)))
            elif child.type == "image":
                target = str(child.attrs["src"])
                span = self._target(token, target)
                self.links.append(Link(target, span))
                if not child.content.strip():
                    hint = "Say in the brackets what a person sees: ![a loss curve](loss.svg)."
                    self._report("image-without-alt", "An image has no alt text.", span, hint)
            elif child.type == "text":
                self._broken(token, child.content)
            elif child.type == "myst_role":
                name = child.meta["name"]
                span = self._span(token, f"{{{name}}}`{child.content}`")
                if name in ROLES:
                    self.uses.append(Use(name, child.content, {}, span))
                else:
                    self._report(
                        "directive-unknown",
                        f"There is no role {{{name}}}.",
                        span,
                        _nearest(name, ROLES),
                    )

    def _broken(self, token: Token, text: str) -> None:
        """Markup that came out as text: nobody meant it to be read."""
        for found in _BROKEN.finditer(text):
            span = self._span(token, found[0])
            if found[0].startswith("[^"):
                hint = f"Define it on a line of its own: {found[0]}: where it is from."
                message = f"The footnote {found[0]} is not defined."
            else:
                hint = "In a table, write the bar inside a role as \\|."
                message = f"The role {found[0][:-1]} is cut off."
            self._report("directive-invalid", message, span, hint)


def _nearest(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, known, "{{{}}}") or "Known: " + ", ".join(known) + "."
