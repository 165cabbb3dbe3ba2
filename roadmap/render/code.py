"""Source code as HTML: Pygments classes, and no more spans than the style sheet colours.

Names, punctuation, operators and white space keep the text's own colour. A span around each of them
would more than double the time that WeasyPrint needs for a page of code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from roadmap.render.python_code import Run, python_runs

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_PYTHON = ("python", "py")
_UNSTYLED = frozenset(["n", "p", "w", "o", "x", "err", "bp", "esc", "g", "l", "ld", "py"])


def code_html(source: str, language: str) -> str:
    """`<pre class="code">` with the highlighted `source`. Unknown languages stay plain."""
    text = source.rstrip("\n")
    runs = python_runs(text) if language in _PYTHON else None
    body = _joined(runs if runs is not None else _pygments_runs(text, language))
    label = f' data-language="{escape(language)}"' if language else ""
    return f'<pre class="code" tabindex="0"{label}><code>{body}</code></pre>'


def _joined(pieces: Iterable[Run]) -> str:
    """The pieces as HTML; neighbours of one class share a span, and white space joins either."""
    runs: list[Run] = []
    for name, text in pieces:
        if runs and (runs[-1][0] == name or text.isspace()):
            runs[-1] = (runs[-1][0], runs[-1][1] + text)
        elif text:
            runs.append((name, text))
    html = ""
    for name, text in runs:
        safe = escape(text, quote=False)
        html += f'<span class="{name}">{safe}</span>' if name else safe
    return html.removesuffix("\n").replace("\n</span>", "</span>\n").rstrip("\n")


def _pygments_runs(source: str, language: str) -> Iterator[Run]:
    lexer = _lexer(language)
    if lexer is None:
        yield "", source
        return
    for kind, text in lexer.get_tokens(source):
        yield _css_class(kind), text


@cache
def _css_class(kind: Any) -> str:
    """Pygments' short class name of a token type, '' where no style sheet rule would apply."""
    from pygments.token import STANDARD_TYPES

    while kind not in STANDARD_TYPES:
        kind = kind.parent
    name = STANDARD_TYPES[kind]
    return "" if name in _UNSTYLED else name


@cache
def _lexer(language: str) -> Lexer | None:
    if not language or language == "text":
        return None
    if language in _PYTHON:
        from pygments.lexers.python import PythonLexer

        return PythonLexer(stripnl=False)
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None
