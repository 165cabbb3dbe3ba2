"""Python code in colours, by the standard library's tokenizer.

Nearly all code of the book is Python. Pygments would compile some 240 regular expressions before
its first token, and try thirty of them on each: a fifth of a cold build of 50 pages, profiled.
The colours are those of Pygments, except within f-strings; the tests hold the two side by side.
"""

from __future__ import annotations

import builtins
import io
import keyword
import tokenize
from collections.abc import Iterator
from functools import cache

Run = tuple[str, str]
"""A class of the style sheet, or '', and a piece of the source."""

_PLAIN, _COMMENT, _DOCSTRING, _KEYWORD = "", "c1", "sd", "k"
_STRING, _NUMBER, _NAME, _BUILTIN, _DECORATOR = "s", "m", "nf", "nb", "nd"
_SOFT = frozenset(keyword.softkwlist) - {"_"}
_MAGIC = frozenset(["__class__", "__dict__", "__doc__", "__file__", "__module__", "__name__"])
_F_STRING = {name: getattr(tokenize, name, -1) for name in ("FSTRING_START", "FSTRING_END")}


def python_runs(source: str) -> list[Run] | None:
    """The source in pieces, each with its class; None where it is no whole Python."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return None
    if any(token.type == tokenize.ERRORTOKEN for token in tokens):
        return None
    starts = _line_starts(source)
    runs: list[Run] = []
    at = 0
    for css, begin, end in _classified(tokens):
        first, last = starts[begin[0] - 1] + begin[1], starts[end[0] - 1] + end[1]
        if first > at:
            runs.append((_PLAIN, source[at:first]))
        runs.append((css, source[first:last]))
        at = last
    runs.append((_PLAIN, source[at:]))
    return runs


Position = tuple[int, int]


def _classified(tokens: list[tokenize.TokenInfo]) -> Iterator[tuple[str, Position, Position]]:
    """The tokens that have a colour: class, begin and end."""
    before, line_word, depth = "", "", 0
    fstring: tokenize.TokenInfo | None = None
    decorator = False
    for index, token in enumerate(tokens):
        kind, text = token.type, token.string
        if kind == _F_STRING["FSTRING_START"]:
            fstring, depth = fstring or token, depth + 1
        elif kind == _F_STRING["FSTRING_END"]:
            depth -= 1
            if depth == 0 and fstring is not None:
                yield _string(fstring), fstring.start, token.end
                fstring = None
        elif depth:
            continue
        elif kind == tokenize.COMMENT:
            yield _COMMENT, token.start, token.end
        elif kind == tokenize.STRING:
            yield _string(token), token.start, token.end
        elif kind == tokenize.NUMBER:
            yield _NUMBER, token.start, token.end
        elif kind == tokenize.OP and text == "@" and not line_word:
            decorator = True
            yield _DECORATOR, token.start, token.end
        elif kind == tokenize.OP and decorator and text != ".":
            decorator = False
        elif kind == tokenize.OP and text == "." and _names_module(line_word, tokens, index):
            yield _NAME, token.start, token.end
        elif kind == tokenize.NAME:
            css = _DECORATOR if decorator else _name(text, before, line_word, tokens, index)
            if css or (decorator and text):
                yield css, token.start, token.end
        if kind in (tokenize.NEWLINE, tokenize.NL):
            line_word, decorator, before = "", False, ""
        elif kind not in (tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT):
            line_word = line_word or text
            before = text


def _name(
    text: str, before: str, line_word: str, tokens: list[tokenize.TokenInfo], index: int
) -> str:
    if keyword.iskeyword(text) or (not line_word and text in _SOFT and _opens(tokens, index)):
        return _KEYWORD
    if before in ("def", "class"):
        return _NAME
    if _names_module(line_word, tokens, index):
        return _NAME
    if text in _MAGIC:
        return _BUILTIN
    if before == ".":
        return _PLAIN
    return _NAME if text in _known()[1] else _BUILTIN if text in _known()[0] else _PLAIN


def _opens(tokens: list[tokenize.TokenInfo], index: int) -> bool:
    """Whether the soft keyword at `index` begins a statement, and is not somebody's name."""
    following = tokens[index + 1]
    if tokens[index].string == "type":
        return following.type == tokenize.NAME
    if following.string in ("=", ".", ",", ")", ":", "") or following.type == tokenize.NEWLINE:
        return False
    end = next(i for i in range(index, len(tokens)) if tokens[i].type == tokenize.NEWLINE)
    return tokens[end - 1].string == ":" or tokens[end - 2].string == ":"


def _names_module(line_word: str, tokens: list[tokenize.TokenInfo], index: int) -> bool:
    """Whether the token is part of a module's name in an import."""
    if line_word == "import":
        return True
    if line_word != "from":
        return False
    while index and tokens[index].type != tokenize.NEWLINE:
        if tokens[index].string in ("import", "from"):
            return tokens[index].string == "from"
        index -= 1
    return False


def _string(token: tokenize.TokenInfo) -> str:
    quoted = token.string.lstrip("rRbBuUfF")
    alone = not token.line[: token.start[1]].strip()
    return _DOCSTRING if alone and quoted.startswith(('"""', "'''")) else _STRING


@cache
def _known() -> tuple[frozenset[str], frozenset[str]]:
    """The names that are built in: functions and types, and exceptions."""
    public = {n: getattr(builtins, n) for n in dir(builtins) if not n.startswith("_")}
    errors = {n for n, v in public.items() if isinstance(v, type) and issubclass(v, BaseException)}
    # What the interactive shell and site add is there on one machine and not on another.
    added = {"copyright", "credits", "exit", "help", "license", "quit", "Ellipsis"}
    return frozenset(public.keys() - errors - added | {"__import__"}), frozenset(errors)


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in io.StringIO(source):
        starts.append(starts[-1] + len(line))
    return [*starts, starts[-1]]
