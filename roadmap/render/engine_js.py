"""Graphviz and MathJax without Node: a vendored bundle run by V8, which the mini-racer wheel holds.

V8 starts on the first call and ends with `close`, so a build that needs no formula and no layout
pays nothing. The bundles and how they were made are described in `templates/vendor/README.md`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

VENDOR = Path(__file__).resolve().parents[2] / "templates" / "vendor"
GRAPHVIZ = VENDOR / "graphviz.js"
MATHJAX = VENDOR / "mathjax.js"
LIMIT = 60.0
"""Seconds that one call may take before it is stopped."""


class ScriptError(Exception):
    """A bundle refused what it was given; the text is its own message."""


class Engine:
    """One bundle in its own V8. Use it in a `with` statement, or call `close`."""

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle
        self._v8: MiniRacer | None = None

    def call(self, function: str, *arguments: str | bool) -> str:
        """Call a global function of the bundle. Raises ScriptError if it throws or takes too long.

        An exception must not leave the script: V8 would quote the line that threw, and the lines
        of a minified bundle have a million characters.
        """
        from py_mini_racer import JSTimeoutException

        given = json.dumps(arguments)
        code = (
            f"(() => {{ try {{ return JSON.stringify({{value: {function}(...{given})}}); }}"
            " catch (e) { return JSON.stringify({error: String(e?.message ?? e)}); } })()"
        )
        v8 = self._started()
        try:
            answer = json.loads(str(v8.eval(code, timeout_sec=LIMIT)))
        except JSTimeoutException:
            v8.eval("0")  # lets the stopped script report its end before anything closes
            raise ScriptError(f"no answer within {LIMIT:.0f} s") from None
        if "error" in answer:
            raise ScriptError(answer["error"])
        return str(answer["value"])

    def _started(self) -> MiniRacer:
        if self._v8 is None:
            from py_mini_racer import JSPromise, MiniRacer

            self._v8 = MiniRacer()
            self._v8.eval(self.bundle.read_text(encoding="utf-8"))
            ready = self._v8.eval("ready")
            if isinstance(ready, JSPromise):
                ready.get(timeout=LIMIT)
        return self._v8

    def close(self) -> None:
        """End V8 and its threads, if it was started. A later call starts it again."""
        if self._v8 is not None:
            self._v8.close()
            self._v8 = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def digest(path: Path) -> str:
    """SHA-256 of a file: the part of a cache key that stands for a bundle or a font."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
