"""A percent-format script is cut at its markers and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadmap.load.experiment import check_script, read_cells

PATH = Path("/book/experiment.py")
LINE = st.sampled_from(["x = 1", "", "# note", "print('# %% not-a-marker')", "    ", "y = 'é'"])
NAMES = st.lists(
    st.from_regex(r"[a-z]{1,6}(-[a-z0-9]{1,4})?", fullmatch=True), min_size=1, unique=True
)


@given(NAMES, st.data())
def test_cells_put_together_again_are_the_script(names: list[str], data: st.DataObject) -> None:
    lines, marks = ['"""Doc."""'], []
    for name in names:
        kind = data.draw(st.sampled_from(["# %% ", "# %% [markdown] ", "#%% "]))
        marks.append((name, len(lines) + 1))
        lines += [f"{kind}{name}", *data.draw(st.lists(LINE))]
    text = "\n".join(lines) + "\n"
    cells = read_cells(text)
    assert [(c.name, c.line) for c in cells] == marks
    rebuilt = ['"""Doc."""']
    for cell, end in zip(cells, [*(c.line for c in cells[1:]), len(lines) + 1], strict=True):
        body = cell.source.split("\n") if cell.source else []
        padding = [""] * (end - cell.line - 1 - len(body))
        rebuilt += [lines[cell.line - 1], *body, *padding]
    assert [s.rstrip() for s in rebuilt] == [s.rstrip() for s in lines]


def test_kinds_are_told_by_the_marker() -> None:
    cells = read_cells("# %% [markdown] intro\n# Text\n# %% train\nx = 1\n")
    assert [(c.name, c.kind, c.source) for c in cells] == [
        ("intro", "markdown", "# Text"),
        ("train", "code", "x = 1"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# %% a\nx = 1\n",
        '"""Doc."""\n\n# comment\n# %% a\nx = 1\n',
        "#!/usr/bin/env python\n# %% a\n# %% b\n",
        "# %% a\nprint('\\d')\n",
        "# %% a\nfor i in range(2):\n    print(i)\n\n# %% [markdown] b\n# text\n\n# more\n",
    ],
)
@pytest.mark.filterwarnings("ignore:.*invalid escape")
def test_sound_scripts_are_sound_and_valid_python(text: str) -> None:
    ast.parse(text)
    assert check_script(text, read_cells(text), PATH) == []


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ("", "cell-invalid", 1, 1),
        ("x = 1\n", "cell-invalid", 1, 1),
        ("# %% a\nx = (1\n", "experiment-syntax", 2, 5),
        ("# %% a\nif x:\n", "experiment-syntax", 2, 6),
        ("# %% a\nx = 'é' 1\n", "experiment-syntax", 2, 5),
        ("# %% a\nx = '''\n# %% b\n'''\n", "experiment-syntax", 2, 5),
        ("# %% a\nreturn 1\n", "experiment-syntax", 2, 1),
        ("# %% a\nx = " + "not " * 100_000 + "1\n", "experiment-syntax", 2, 1),
        ("# %% [markdown] a\n# text\ncode()\n", "cell-invalid", 3, 1),
        ("# %% a\nx = " + "(" * 300 + ")" * 300 + "\n", "experiment-syntax", 2, 1),
    ],
)
def test_faults_are_found_at_their_place(text: str, rule: str, line: int, column: int) -> None:
    found = check_script(text, read_cells(text), PATH)
    first = found[0]
    assert first.rule == rule
    assert first.span is not None
    assert first.span.line == line
    if rule == "cell-invalid":
        assert first.span.column == column
