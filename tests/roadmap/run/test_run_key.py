"""The cache key changes when, and only when, something that the result depends on does."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadmap.run import code as code_module
from roadmap.run.code import Codes
from roadmap.run.imports import Finder, Import, absolute, find_imports
from roadmap.run.key import components
from roadmap.run.packages import Packages

TEXT = """\
# %% [markdown] intro
# Words.
# %% load
import json
x = json.loads("[1, 2]")
# %% use
print(sum(x))
"""


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Words.", "# Quite other words."),
        ("import json", "import json  # reads JSON"),
        ("print(sum(x))", "\n\n# adds up\nprint( sum( x ) )\n"),
        ("print(sum(x))", "print(\n    sum(x),\n)"),
        ('"[1, 2]"', "'[1, 2]'"),
        ("[markdown] intro", "[markdown] preface"),
        ("# %% [markdown] intro\n# Words.\n", ""),
    ],
)
def test_prose_comments_and_layout_do_not_count(
    make: Any, project: Path, old: str, new: str
) -> None:
    assert old in TEXT
    before = components(make(TEXT), project)
    assert components(make(TEXT.replace(old, new)), project) == before


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("sum(x)", "max(x)", {"cell use"}),
        ("[1, 2]", "[1, 3]", {"cell load"}),
        ("# %% use", "# %% apply", {"cells", "cell use", "cell apply"}),
        ("# %% use\n", "", {"cells", "cell load", "cell use"}),
        ("import json", "import json\nimport numpy", {"cell load", "package numpy"}),
    ],
)
def test_code_counts_cell_by_cell(
    make: Any, project: Path, old: str, new: str, parts: set[str]
) -> None:
    before = components(make(TEXT), project)
    assert changed(before, components(make(TEXT.replace(old, new)), project)) == parts


def test_the_order_of_cells_counts(make: Any, project: Path) -> None:
    one = components(make("# %% a\nx = 1\n# %% b\nx = 2\n"), project)
    two = components(make("# %% b\nx = 2\n# %% a\nx = 1\n"), project)
    assert changed(one, two) == {"cells"}


@pytest.mark.parametrize(
    ("option", "value", "parts"),
    [
        ("seed", 1, {"seed"}),
        ("threads", 2, {"threads"}),
        ("timeout", 5.0, set()),
        ("memory", 10**9, set()),
    ],
)
def test_seed_and_threads_count_limits_do_not(
    make: Any, project: Path, option: str, value: Any, parts: set[str]
) -> None:
    experiment = make(TEXT)
    other = replace(experiment, options=replace(experiment.options, **{option: value}))
    assert changed(components(experiment, project), components(other, project)) == parts


def test_a_needed_file_counts_by_content(make: Any, project: Path, tree: Any) -> None:
    data = project / "content" / "data.txt"
    tree({"content/data.txt": "one"})
    experiment = make(TEXT, needs=(data,))
    before = components(experiment, project)
    os.utime(data, (1, 1))
    assert components(experiment, project) == before
    data.write_text("two")
    assert changed(before, components(experiment, project)) == {"file content/data.txt"}
    data.unlink()
    assert components(experiment, project)["file content/data.txt"] == "unreadable"


def test_a_needed_folder_counts_by_names_and_contents(make: Any, project: Path, tree: Any) -> None:
    tree({"content/d/a": "1", "content/d/e/b": "2"})
    experiment = make(TEXT, needs=(project / "content" / "d",))
    seen = [components(experiment, project)["file content/d"]]
    tree({"content/d/e/b": "3"})
    seen.append(components(experiment, project)["file content/d"])
    (project / "content/d/e/b").rename(project / "content/d/e/c")
    seen.append(components(experiment, project)["file content/d"])
    assert len(set(seen)) == 3


PACKAGE = {
    "lib/__init__.py": "from .top import *\n",
    "lib/top.py": "import lib.side\n",
    "lib/side.py": "def f():\n    from .deep import inner\n",
    "lib/deep/__init__.py": "",
    "lib/deep/inner.py": "from ..common import shared as s\nfrom ... import nothing\n",
    "lib/common.py": "from lib.deep import other\n",
    "lib/deep/other.py": "import importlib\nimportlib.import_module('lib.dynamic')\n",
    "lib/dynamic.py": "__import__('lib.' 'last')\n",
    "lib/last.py": "def f(name):\n    __import__(name)\n    __import__()\n",
    "lib/unused.py": "",
    "plain/nested/mod.py": "import lib\n",
    "content/00-stage/demo/helper.py": "import lib.common\n",
}


def test_local_modules_count_transitively(make: Any, project: Path, tree: Any) -> None:
    tree(PACKAGE)
    parts = components(make("# %% a\nimport lib.side\nimport helper\n"), project)
    names = {name.removeprefix("module ") for name in parts if name.startswith("module ")}
    assert names == {name for name in PACKAGE if "unused" not in name and "plain" not in name} - {
        "content/00-stage/demo/helper.py"
    } | {"helper.py"}


def test_every_imported_module_counts_and_no_other(make: Any, project: Path, tree: Any) -> None:
    tree(PACKAGE)
    experiment = make("# %% a\nimport lib.side\n")
    before = components(experiment, project)
    for name in PACKAGE:
        if name.startswith("lib/"):
            tree({name: PACKAGE[name] + "x = 1\n"})
            expected = set() if "unused" in name else {f"module {name}"}
            assert changed(before, components(experiment, project)) == expected, name
            tree({name: PACKAGE[name] + "\n# a comment\n"})
            assert components(experiment, project) == before, name
            tree({name: PACKAGE[name]})


def test_packages_without_init_are_followed(make: Any, project: Path, tree: Any) -> None:
    tree(PACKAGE)
    parts = components(make("# %% a\nfrom plain.nested import mod\n"), project)
    assert "module plain/nested/mod.py" in parts
    assert "module lib/deep/inner.py" in parts


def test_a_folder_does_not_hide_what_is_installed_but_a_module_does(
    make: Any, project: Path, tree: Any
) -> None:
    tree({"numpy/readme.txt": "", "site/index.html": ""})
    experiment = make("# %% a\nimport numpy, site\n")
    parts = components(experiment, project)
    assert parts["package numpy"] == metadata.version("numpy")
    assert not any(name.startswith("module") for name in parts)
    tree({"numpy.py": "x = 1\n"})
    parts = components(experiment, project)
    assert "package numpy" not in parts
    assert "module numpy.py" in parts


def test_the_packages_that_local_modules_import_count(make: Any, project: Path, tree: Any) -> None:
    tree({"lib.py": "def f():\n    import matplotlib.pyplot\n"})
    parts = components(make("# %% a\nimport lib\n"), project)
    assert parts["package matplotlib"] == metadata.version("matplotlib")


def test_python_and_the_worker_count(make: Any, project: Path) -> None:
    parts = components(make(TEXT), project)
    assert parts["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert parts["worker"]


def test_code_that_is_no_python_counts_by_its_text(make: Any, project: Path, tree: Any) -> None:
    tree({"lib.py": "not python at all"})
    experiment = make("# %% a\nimport lib\n")
    before = components(experiment, project)
    tree({"lib.py": "not python at  all"})
    assert changed(before, components(experiment, project)) == {"module lib.py"}


@given(
    st.lists(
        st.sampled_from(["x = 1", "def f(a, b=2):\n    return a + b", "print('#')", "y = [1,\n2]"]),
        min_size=1,
    ),
    st.data(),
)
def test_comments_and_blank_lines_between_statements_never_change_the_digest(
    statements: list[str], data: st.DataObject
) -> None:
    noise = st.lists(st.sampled_from(["", "# note", "   ", "\t# x"]), max_size=3)
    noisy = [line for s in statements for line in [*data.draw(noise), s]]
    codes = Codes()
    plain = codes.text("\n".join(statements).encode())
    assert codes.text("\n".join(noisy).encode()) == plain
    assert codes.text("\n".join([*statements, "z = 9"]).encode()).digest != plain.digest


def test_codes_are_remembered_by_content_and_forget_nothing_wrong(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "_code.json"
    first = Codes(file)
    learnt = first.text(b"import a.b\nfrom ..c import d, e\n")
    first.save()
    assert file.exists()
    again = Codes(file)
    assert again.text(b"import a.b\nfrom ..c import d, e\n") == learnt
    assert learnt.imports == (Import(0, "a.b"), Import(2, "c", ("d", "e")))
    stamp = file.stat().st_mtime_ns
    again.save()
    assert file.stat().st_mtime_ns == stamp  # nothing new, nothing written
    Codes().save()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 0, "codes": {}}', '{"schema": 1}'])
def test_a_broken_memory_is_no_memory(tmp_path: Path, content: str) -> None:
    file = tmp_path / "_code.json"
    file.write_text(content)
    assert Codes(file).text(b"x = 1") == Codes().text(b"x = 1")


def test_the_memory_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_module, "_KEPT", 3)
    file = tmp_path / "_code.json"
    for n in range(5):
        codes = Codes(file)
        codes.text(f"x = {n}".encode())
        codes.save()
    assert len(json.loads(file.read_text())["codes"]) <= 3


def test_a_memory_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    codes = Codes(blocker / "_code.json")
    codes.text(b"x = 1")
    codes.save()
    assert blocker.read_text() == ""


def test_modules_are_found_in_the_distribution_that_metadata_names() -> None:
    packages = Packages()
    truth = metadata.packages_distributions()
    for module in {"yaml", "PIL", "numpy", "torch", "markdown_it", "attr", "_pytest"} & set(truth):
        found = packages.of_module(module)
        assert found is not None, module
        name, version = found
        known = {n.replace("_", "-").lower() for n in truth[module]}
        assert name.replace("_", "-").lower() in known
        assert version == metadata.version(name)
    assert packages.of_module("no_such_module") is None


def test_the_first_distribution_on_the_path_counts(tmp_path: Path) -> None:
    for folder, version in (("one", "1.0"), ("two", "2.0")):
        (tmp_path / folder / f"Some_Thing-{version}.dist-info").mkdir(parents=True)
    (tmp_path / "two" / "odd-3.dist-info").mkdir()
    (tmp_path / "two" / "odd-3.dist-info" / "RECORD").write_text(
        "strange/__init__.py,sha256=x,1\nsingle.py,,\n_ext.cpython-311.so,,\n"
    )
    path = [str(tmp_path / "absent"), str(tmp_path / "one"), str(tmp_path / "two")]
    packages = Packages(path)
    assert packages.of_module("some_thing") == ("Some_Thing", "1.0")
    for module in ("strange", "single", "_ext"):
        assert packages.of_module(module) == ("odd", "3")
    assert packages.of_module("stran") is None


def test_imports_resolve_as_python_resolves_them() -> None:
    import ast

    tree = ast.parse(
        "import a.b, c\nfrom d import *\nfrom . import e\nfrom ..f import g\nh.i('j')\n"
    )
    found = list(find_imports(tree))
    assert [list(absolute(i, "p.q")) for i in found] == [
        ["a.b"],
        ["c"],
        ["d"],
        ["p.q", "p.q.e"],
        ["p.f", "p.f.g"],
    ]
    # At the top there is no package: what a relative import means there is looked up as written.
    assert list(absolute(Import(1, "", ("e",)), "")) == ["e"]


def test_finder_lists_what_importing_a_name_executes(project: Path, tree: Any) -> None:
    tree(PACKAGE)
    finder = Finder([project])
    assert [(m.shown, m.package) for m in finder.files("lib.deep.inner")] == [
        ("lib/__init__.py", "lib"),
        ("lib/deep/__init__.py", "lib.deep"),
        ("lib/deep/inner.py", "lib.deep"),
    ]
    assert list(finder.files("absent.thing")) == []
    assert [m.shown for m in finder.files("plain.nested.mod.f")] == ["plain/nested/mod.py"]
