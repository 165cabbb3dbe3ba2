"""What a reader has ticked in a PDF of the book.

The checkboxes bear the ids of the nodes. Whatever viewer saved the file, the field's value says
whether it is ticked (ISO 32000-1, 12.7.4.2.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from roadmap.diagnostics import BuildError, Diagnostic
from roadmap.model import Roadmap

_NODE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def read_ticks(path: Path) -> dict[str, bool]:
    """Map the name of each checkbox to whether it is ticked.

    Raises BuildError with `progress-unreadable` for a file that is missing, not a PDF, damaged,
    encrypted, or without checkboxes that could be a node's.
    """
    import pikepdf

    try:
        with pikepdf.open(path, attempt_recovery=False) as pdf:
            form = pdf.Root.get("/AcroForm")
            fields = {} if form is None else dict(_checkboxes(form.get("/Fields", [])))
    except OSError as error:
        raise _unreadable(
            path, f"it cannot be opened: {error.strerror}", "check the path"
        ) from None
    except pikepdf.PasswordError:
        raise _unreadable(
            path, "it is encrypted", "save a copy without a password, and import that"
        ) from None
    except (pikepdf.PdfError, AttributeError, KeyError, TypeError, ValueError):
        raise _unreadable(path, *_why_broken(path)) from None
    ticks = {name: ticked for name, ticked in fields.items() if _NODE_ID.fullmatch(name)}
    if not ticks:
        raise _unreadable(
            path,
            "it has none of the book's checkboxes",
            "give the llm-roadmap-….pdf that you ticked, saved by the viewer, not printed",
        )
    return ticks


def progress_file(path: Path, roadmap: Roadmap, today: date) -> dict[str, Any]:
    """The ticks of the PDF at `path` in the form that the site's progress page imports.

    Raises BuildError as `read_ticks` does, and when no checkbox is named after a node.
    """
    names = {name: node.id for node in roadmap for name in (*node.aliases, node.id)}
    ticks = read_ticks(path)
    if not names.keys() & ticks.keys():
        raise _unreadable(
            path,
            "its checkboxes are not those of this book",
            "give the llm-roadmap-….pdf that you ticked",
        )
    done = {names[name] for name, ticked in ticks.items() if ticked and name in names}
    return {
        "format": "llm-roadmap-progress",
        "version": 1,
        "nodes": {
            node.id: {"state": "done", "digest": "", "changed": today.isoformat()}
            for node in roadmap
            if node.id in done
        },
    }


def _checkboxes(fields: Any) -> Iterator[tuple[str, bool]]:
    for field in fields:
        if "/T" not in field:
            continue
        if "/FT" not in field:
            yield from _checkboxes(field.get("/Kids", []))
        elif field.FT == "/Btn":
            boxes = [field, *field.get("/Kids", [])]
            states = [field.V] if "/V" in field else [b.AS for b in boxes if "/AS" in b]
            yield str(field.T), any(str(state) != "/Off" for state in states)


def _why_broken(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        start = file.read(1024)
    if b"%PDF-" not in start:
        return "it is not a PDF", "give the PDF that you ticked"
    return "the file is damaged or cut short", "save or download it again"


def _unreadable(path: Path, why: str, hint: str) -> BuildError:
    message = f"No progress can be read from {path}: {why}"
    return BuildError(Diagnostic("progress-unreadable", message, hint=hint))
