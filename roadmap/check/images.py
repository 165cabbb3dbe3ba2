"""Image files: what they claim to be, and, as SVG becomes part of the page, harmless."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from roadmap.diagnostics import Diagnostic, Span
from roadmap.load.cache import Cache, digest
from roadmap.load.files import decode

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

IMAGES = (".svg", ".png", ".jpg", ".jpeg")

_SVG = "{http://www.w3.org/2000/svg}"
_REFUSED = {
    "script": "runs code",
    "foreignObject": "holds HTML",
    "style": "would change the look of the whole page",
}
_BEGINS = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff"}


def check_image(path: Path, shown_at: Span, cache: Cache) -> Iterator[Diagnostic]:
    """What is wrong with the image that a chapter shows at `shown_at`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}."
        yield Diagnostic("image-invalid", message, shown_at)
        return
    key = digest(raw + path.suffix.encode())
    if cache.get("image", key) is None:
        fault = _svg_fault(raw, path, shown_at) if path.suffix == ".svg" else None
        if path.suffix != ".svg" and not raw.startswith(_BEGINS[path.suffix]):
            kind = path.suffix[1:].upper()
            fault = Diagnostic("image-invalid", f"{path.name} is not a {kind} file.", shown_at)
        if fault:
            yield fault
        else:
            cache.put("image", key, "sound")


def _svg_fault(raw: bytes, path: Path, shown_at: Span) -> Diagnostic | None:
    from xml.etree.ElementTree import ParseError, fromstring  # only for an image that is new

    text = decode(raw, path)
    if isinstance(text, Diagnostic):
        return text
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        message = f"{path.name} declares a document type."
        return Diagnostic("image-invalid", message, shown_at, "Take `<!DOCTYPE ...>` out.")
    try:
        root = fromstring(raw)
    except ParseError as error:
        line, column = error.position
        message = f"This is not XML: {str(error).partition(':')[0]}."
        return Diagnostic("image-invalid", message, Span(path, line, column + 1))
    if root.tag != f"{_SVG}svg":
        message = f"{path.name} is not an SVG image."
        hint = 'Begin it with `<svg xmlns="http://www.w3.org/2000/svg" ...>`.'
        return Diagnostic("image-invalid", message, shown_at, hint)
    for element in root.iter():
        why = _harm(element)
        if why:
            message = f"In {path.name}, {why}."
            hint = "A picture of the book is shapes and text with their attributes, no more."
            return Diagnostic("image-invalid", message, shown_at, hint)
    return None


def _harm(element: Element) -> str:
    """Why an element may not become part of a page; nothing where it may."""
    tag = str(element.tag).rpartition("}")[2]
    if tag in _REFUSED:
        return f"<{tag}> {_REFUSED[tag]}"
    for key, value in element.attrib.items():
        name = key.rpartition("}")[2]
        if name.lower().startswith("on"):
            return f"<{tag} {name}> runs code"
        if name == "href" and not value.startswith(("#", "data:image/")):
            return f"<{tag} {name}> leads to `{value}`"
    return ""
