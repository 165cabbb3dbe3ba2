"""A chapter's body as HTML, for the site or for paper, with what its experiment did filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from markdown_it.renderer import RendererHTML

from roadmap.diagnostics import BuildError, Diagnostic, Span
from roadmap.load.markdown import parse, parser
from roadmap.model import Node, Outcome, Roadmap
from roadmap.render import blocks
from roadmap.render.code import code_html
from roadmap.render.links import Medium, anchor_id, resolve

if TYPE_CHECKING:
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

    from roadmap.render.math import Math

_ADMONITIONS = ("note", "tip", "important", "warning")


def chapter_html(
    node: Node,
    roadmap: Roadmap,
    outcomes: Mapping[str, Outcome],
    medium: Medium,
    *,
    math: Math,
    track: str | None = None,
) -> str:
    """The HTML of `node`'s chapter, without its title.

    With `track`, what is deeper than the track is left out; without, every depth is there, in
    `<section class="depth" data-depth="...">`. Raises BuildError with every fault of the chapter.
    """
    chapter = node.chapter
    parsed = parse(chapter.body, chapter.path, chapter.body_line)
    page = blocks.Page(node, roadmap, outcomes, medium, track)
    renderer = _Renderer(page, math)
    tokens = _up_to_track(parsed.tokens, roadmap, track)
    env = dict(parsed.env) | ({"docId": node.id} if medium == "print" else {})
    html = str(renderer.render(tokens, parser().options, env))
    if renderer.diagnostics:
        raise BuildError(*renderer.diagnostics)
    return html


def _up_to_track(tokens: Sequence[Token], roadmap: Roadmap, track: str | None) -> Sequence[Token]:
    if track is None:
        return tokens
    kept: list[Token] = []
    hidden = 0
    for token in tokens:
        if token.type in ("directive_open", "directive_close"):
            opens = token.type == "directive_open"
            if hidden:
                hidden += 1 if opens else -1
                continue
            deeper = (
                opens
                and token.meta["name"] == "depth"
                and roadmap.depth(token.meta["argument"]) > roadmap.depth(track)
            )
            if deeper:
                hidden = 1
                continue
        if not hidden:
            kept.append(token)
    return kept


class _Renderer(RendererHTML):
    """One method per kind of token; markdown-it's own rules serve the rest."""

    def __init__(self, page: blocks.Page, math: Math) -> None:
        super().__init__(parser())
        self.page, self.math = page, math
        self.diagnostics: list[Diagnostic] = []
        self.pictures = 0
        for name, rule in parser().renderer.rules.items():  # type: ignore[attr-defined]
            if name.startswith("footnote"):
                self.rules[name] = rule

    def _report(self, rule: str, message: str, token: Token, hint: str = "") -> None:
        self.diagnostics.append(Diagnostic(rule, message, self._place(token), hint))

    def _place(self, token: Token) -> Span:
        chapter = self.page.node.chapter
        return Span(chapter.path, chapter.body_line + (token.map[0] if token.map else 0))

    def heading_open(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        anchor = anchor_id(self.page.node, str(tokens[i].attrs["id"]), self.page.medium)
        return f'<{tokens[i].tag} id="{escape(anchor)}">'

    def table_open(self, _t: Sequence[Token], _i: int, _o: OptionsDict, _e: EnvType) -> str:
        return '<div class="table" tabindex="0"><table>\n'

    def table_close(self, _t: Sequence[Token], _i: int, _o: OptionsDict, _e: EnvType) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        style = tokens[i].attrs.get("style")
        return '<th scope="col"' + (f' style="{style}">' if style else ">")

    def fence(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        return code_html(tokens[i].content, tokens[i].info.split()[0] if tokens[i].info else "")

    def code_block(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        return code_html(tokens[i].content, "")

    def math_inline(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        return self._formula(tokens[i], display=False)

    def math_block(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        formula = self._formula(tokens[i], display=True)
        return f'<div class="math-display" tabindex="0">{formula}</div>\n'

    def _formula(self, token: Token, display: bool) -> str:
        tex = token.content.strip()
        draw = self.math.mathml if self.page.medium == "site" else self.math.svg
        try:
            return draw(tex, display)
        except ValueError as error:
            self._report("math-invalid", f"{error}: ${tex}$", token if token.map else self._current)
            return ""

    def render(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        html = ""
        for i, token in enumerate(tokens):
            if token.type == "inline":
                self._current = token
                html += self.renderInline(token.children or [], options, env)
            elif token.type in self.rules:
                html += self.rules[token.type](tokens, i, options, env)
            else:
                html += self.renderToken(tokens, i, options, env)
        return html

    def link_open(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        page = self.page
        written = str(tokens[i].attrs["href"])
        target = resolve(written, page.node, page.roadmap, page.medium, page.track)
        if target is None:
            self._report("link-dead", f"Nothing is at {written}.", self._current)
            return "<a>"
        rel = ' rel="external"' if target.external else ""
        empty = tokens[i + 1].type == "link_close"
        return f'<a href="{escape(target.href)}"{rel}>' + (escape(target.title) if empty else "")

    def image(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        token, page = tokens[i], self.page
        path = page.node.folder / unquote(str(token.attrs["src"]))
        self.pictures += 1
        try:
            return blocks.picture(
                page, path, token.content, f"{page.node.id}-picture-{self.pictures}"
            )
        except OSError as error:
            self._report("link-dead", f"{path.name}: {error.strerror}.", self._current)
            return ""

    def myst_role(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        try:
            return blocks.value(self.page, tokens[i].content)
        except (KeyError, ValueError) as error:
            self._report("value-missing", str(error.args[0]), self._current)
            return ""

    def directive_open(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        token = tokens[i]
        name, argument, options = (token.meta[k] for k in ("name", "argument", "options"))
        if name == "depth":
            return self._depth_open(argument)
        if name in _ADMONITIONS:
            title = parser().renderInline(argument or name.capitalize())
            return f'<div class="admonition {name}"><p class="admonition-title">{title}</p>\n'
        if name == "dropdown":
            return (
                f'<details class="dropdown"><summary>{parser().renderInline(argument)}</summary>\n'
            )
        try:
            return self._block(name, argument, options)
        except BuildError as error:
            for d in error.diagnostics:
                self._report(d.rule, d.message, token, d.hint)
            return ""

    def _depth_open(self, track_id: str) -> str:
        roadmap = self.page.roadmap
        title = next(t.title for t in roadmap.tracks if t.id == track_id)
        last = track_id == roadmap.tracks[-1].id
        label = title if last else f"{title} and deeper"
        return (
            f'<section class="depth" data-depth="{track_id}">'
            f'<p class="depth-label">{escape(label)}</p>\n'
        )

    def _block(self, name: str, argument: str, options: Mapping[str, Any]) -> str:
        match name:
            case "cell":
                return blocks.cell(self.page, argument, options)
            case "experiment":
                return blocks.experiment(self.page)
            case "source":
                return blocks.source(self.page, argument, options)
            case "estimate":
                return blocks.estimate(self.page)
            case _:
                return blocks.compliance(self.page)

    def directive_close(self, tokens: Sequence[Token], i: int, _o: OptionsDict, _e: EnvType) -> str:
        name = tokens[i].meta["name"]
        if name == "depth":
            return "</section>\n"
        if name == "dropdown":
            return "</details>\n"
        return "</div>\n" if name in _ADMONITIONS else ""
