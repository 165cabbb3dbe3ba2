"""V8 and the bundles: they start late, end cleanly and say briefly what is wrong."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from roadmap.render import engine_js
from roadmap.render.engine_js import GRAPHVIZ, MATHJAX, VENDOR, Engine, ScriptError


def test_nothing_starts_before_the_first_call_and_nothing_runs_after_close() -> None:
    before = threading.active_count()
    engine = Engine(MATHJAX)
    assert threading.active_count() == before
    engine.call("mathml", "x")
    assert threading.active_count() > before
    engine.close()
    engine.close()
    assert threading.active_count() == before


def test_an_engine_that_was_closed_starts_again() -> None:
    with Engine(MATHJAX) as engine:
        first = engine.call("mathml", "x")
        engine.close()
        assert engine.call("mathml", "x") == first


def test_an_error_is_one_line_of_the_bundles_own_words() -> None:
    with Engine(GRAPHVIZ) as engine, pytest.raises(ScriptError) as caught:
        engine.call("layout", "digraph {")
    assert "syntax error" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_passes_both_ways_unharmed(tmp_path: Path) -> None:
    bundle = tmp_path / "echo.js"
    bundle.write_text("globalThis.ready = true; globalThis.echo = (text) => text;")
    text = 'Łódź "quoted" \\ \n \u2028 \0 🧠 ${x} `'
    with Engine(bundle) as engine:
        assert engine.call("echo", text) == text


def test_a_script_that_does_not_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "loop.js"
    bundle.write_text("globalThis.ready = true; globalThis.loop = () => { for (;;); };")
    monkeypatch.setattr(engine_js, "LIMIT", 0.2)
    with Engine(bundle) as engine, pytest.raises(ScriptError, match="no answer"):
        engine.call("loop")


def test_graphviz_is_the_version_that_the_readme_names() -> None:
    with Engine(GRAPHVIZ) as engine:
        names = [o["name"] for o in json.loads(engine.call("layout", "digraph {a}"))["objects"]]
    assert names == ["a"]
    readme = (VENDOR / "README.md").read_text(encoding="utf-8")
    banner = GRAPHVIZ.read_text(encoding="utf-8").splitlines()[0]
    assert "Graphviz 16.1.0 (EPL-2.0)" in banner
    assert "Graphviz 16.1.0" in readme


def test_every_licence_that_the_readme_names_lies_beside_it() -> None:
    readme = (VENDOR / "README.md").read_text(encoding="utf-8")
    texts = sorted(p.name for p in (VENDOR / "licences").iterdir())
    assert texts
    assert all(f"licences/{name}" in readme for name in texts)
    assert readme.count("`licences/") == len(texts)
