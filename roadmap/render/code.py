"""Source code as HTML: Pygments classes, and no more spans than the style sheet colours.

Names, punctuation, operators and white space keep the text's own colour. A span around each of them
would more than double the time that WeasyPrint needs for a page of code.
"""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_UNSTYLED = frozenset(["n", "p", "w", "o", "x", "err", "bp", "esc", "g", "l", "ld", "fm", "py"])


def code_html(source: str, language: str) -> str:
    """`<pre class="code">` with the highlighted `source`. Unknown languages stay plain."""
    lexer = _lexer(language)
    text = source.rstrip("\n")
    body = escape(text, quote=False) if lexer is None else _highlight(text, lexer)
    label = f' data-language="{escape(language)}"' if language else ""
    return f'<pre class="code" tabindex="0"{label}><code>{body}</code></pre>'


def _highlight(source: str, lexer: Lexer) -> str:
    runs: list[tuple[str, str]] = []
    for kind, text in lexer.get_tokens(source):
        name = _css_class(kind)
        if runs and (runs[-1][0] == name or text.isspace()):
            runs[-1] = (runs[-1][0], runs[-1][1] + text)
        else:
            runs.append((name, text))
    html = ""
    for name, text in runs:
        safe = escape(text, quote=False)
        html += f'<span class="{name}">{safe}</span>' if name else safe
    return html.removesuffix("\n").replace("\n</span>", "</span>\n").rstrip("\n")


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
    if language in ("python", "py"):
        from pygments.lexers.python import PythonLexer

        return PythonLexer(stripnl=False)
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None
