"""Python in colours: the same colours as Pygments gives, on all the code of this project."""

import re
from collections import Counter
from pathlib import Path

import pytest

from roadmap.render.python_code import python_runs

PROJECT = Path(__file__).parents[3]
CSS = (PROJECT / "templates/assets/css/code.css").read_text()
# The style sheet's rules say which classes have one colour.
COLOURS = {
    name.strip().removeprefix("."): number
    for number, rule in enumerate(re.findall(r"\.code :is\(([^)]*)\)", CSS))
    for name in rule.split(",")
}
SOURCES = sorted(
    p for room in ("roadmap", "llm_reference", "content") for p in (PROJECT / room).rglob("*.py")
)


def ours(source: str) -> list[int | None]:
    runs = python_runs(source)
    assert runs is not None
    assert "".join(text for _, text in runs) == source
    return [COLOURS[css] if css else None for css, text in runs for _ in text]


def pygments(source: str) -> list[int | None]:
    from pygments.lexers.python import PythonLexer

    from roadmap.render.code import _css_class

    return [
        COLOURS.get(_css_class(kind))
        for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source)
        for _ in text
    ]


def in_f_strings(source: str) -> list[bool]:
    """Which characters stand in an f-string: there the two differ on purpose."""
    from pygments.lexers.python import PythonLexer

    marks, inside = [], False
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        if "String.Affix" in str(kind) and "f" in text.lower():
            inside = True
        elif "\n" in text and "String" not in str(kind):
            inside = False
        marks += [inside] * len(text)
    return marks


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(PROJECT).as_posix())
def test_the_colours_are_those_of_pygments(path: Path):
    source = path.read_text(encoding="utf-8")
    differing: Counter[str] = Counter()
    for char, a, b, f in zip(
        source, ours(source), pygments(source), in_f_strings(source), strict=True
    ):
        if a != b and not f and not char.isspace():
            differing[char] += 1
    assert sum(differing.values()) <= 0.012 * len(source), differing


@pytest.mark.parametrize(
    ("source", "piece", "css"),
    [
        ("def f(): pass", "f", "nf"),
        ("class A: pass", "A", "nf"),
        ("import os.path", "path", "nf"),
        ("from a import b", "b", ""),
        ("x.print(y)", "print", ""),
        ("print(y)", "print", "nb"),
        ("raise ValueError", "ValueError", "nf"),
        ("match x:\n    case 1: pass", "match", "k"),
        ("match = 1", "match", ""),
        ("@cache\ndef f(): pass", "cache", "nd"),
        ("x = a @ b", "@", ""),
        ("f'{x} y'", "f'{x} y'", "s"),
        ('def f():\n    """Doc."""', '"""Doc."""', "sd"),
        ("x = 0xff + 1e-3j", "1e-3j", "m"),
        ("x = 1  # one", "# one", "c1"),
    ],
)
def test_a_piece_has_its_class(source: str, piece: str, css: str):
    runs = python_runs(source)
    assert runs is not None
    if css:
        assert (css, piece) in runs
    else:
        assert not any(piece in text for name, text in runs if name)


@pytest.mark.parametrize("source", ["def f(:\n  '", "x = '''open", "  bad\n indent", "a ? b", ""])
def test_what_is_no_whole_python_is_left_to_pygments_or_comes_out_unchanged(source: str):
    runs = python_runs(source)
    if runs is None:
        with pytest.raises(SyntaxError):
            compile(source, "<test>", "exec")
    else:
        assert "".join(text for _, text in runs) == source
