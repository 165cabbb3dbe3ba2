"""The last pass over a PDF: what WeasyPrint 70 leaves undone, done on the file's objects.

ISO 32000-1 (PDF 1.7) names the keys; ISO 14289-1 (PDF/UA-1) says what they must hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from roadmap.render.pdf.checkboxes import make_tickable, rectangle

if TYPE_CHECKING:
    from pikepdf import Pdf

_TEXT_MARK = re.compile(rb"/\w+\s+<<\s*/MCID (\d+)\s*>>\s+BDC")
_PRINTED = 4  # annotation flag: the annotation appears on paper


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file that travels inside the PDF."""

    name: str
    description: str
    text: str


def finish(
    source: BinaryIO,
    target: Path,
    titles: Mapping[str, str],
    attachments: Sequence[Attachment],
    epoch: int,
) -> None:
    """Read the PDF `source`, put it right, and write it to `target`: same input, same bytes.

    `titles` says in words where a destination or URL leads. `epoch` dates the attachments.
    """
    import pikepdf

    with pikepdf.open(source) as pdf:
        headers_to_artifacts(pdf)
        describe_links(pdf, titles)
        make_tickable(pdf)
        tag_formulas(pdf)
        wrap_list_items(pdf)
        attach(pdf, attachments, epoch)
        pdf.save(
            target,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        )


def headers_to_artifacts(pdf: Pdf) -> None:
    """Mark running headers and page numbers as artifacts, and take their links into the tree.

    WeasyPrint gives margin boxes structure elements that hang on nothing (UA-1, 7.1 and 7.8).
    """
    from pikepdf import Array, Name

    parents = _ParentTree(pdf)
    body = _body(pdf)
    rooted: dict[tuple[int, int], bool] = {k.objgen: True for k in body.K}

    def in_tree(element: Any) -> bool:
        if element.objgen not in rooted:
            parent = element.P
            rooted[element.objgen] = parent.objgen != body.objgen and in_tree(parent)
        return rooted[element.objgen]

    links = []
    for page in pdf.pages:
        elements = parents[int(page.StructParents)]
        loose = {i for i, e in enumerate(elements) if e.S != Name.Link and not in_tree(e)}
        for element in elements:
            if element.S == Name.Link and not in_tree(element):
                element.P = body
                links.append(element)
                rooted[element.objgen] = True
        if loose:
            _unmark(pdf, page, loose)
            parents[int(page.StructParents)] = Array(
                [_null() if i in loose else e for i, e in enumerate(elements)]
            )
    for link in links:
        body.K.append(link)
    parents.write()


def describe_links(pdf: Pdf, titles: Mapping[str, str]) -> None:
    """Say in words where each link leads (UA-1, 7.18.5), and keep one annotation per link.

    Each element or pseudo-element inside an `<a>` gets an annotation of its own from WeasyPrint,
    on top of the one of the `<a>`.
    """
    from pikepdf import Array, Name, String

    parents = _ParentTree(pdf)
    for page in pdf.pages:
        if "/Annots" not in page:
            continue
        kept: list[Any] = []
        areas: list[tuple[str, list[float]]] = []
        for annotation in page.Annots:
            if annotation.Subtype != Name.Link:
                kept.append(annotation)
                continue
            target = _target(annotation)
            area = rectangle(annotation)
            if any(target == t and _covers(outer, area) for t, outer in areas):
                _forget(annotation, parents)
                continue
            areas.append((target, area))
            annotation.Rect = Array([round(v, 3) for v in area])
            annotation.F = _PRINTED
            annotation.Contents = String(titles.get(target) or target)
            kept.append(annotation)
        page.Annots = Array(kept)
    parents.write()


def tag_formulas(pdf: Pdf) -> None:
    """Tag the images whose alternative text begins `Formula: ` as formulas (UA-1, 7.7)."""
    from pikepdf import Dictionary, Name

    for item in pdf.objects:
        if (
            isinstance(item, Dictionary)
            and item.get("/S") == Name.Figure
            and str(item.get("/Alt", "")).startswith("Formula: ")
        ):
            item.S = Name.Formula


def wrap_list_items(pdf: Pdf) -> None:
    """Put what a list item holds beside its label into one body (UA-1, 7.2).

    WeasyPrint hangs an item's paragraphs on the item itself.
    """
    from pikepdf import Array, Dictionary, Name

    for item in pdf.objects:
        if not isinstance(item, Dictionary) or item.get("/S") != Name.LI:
            continue
        labels = [kid for kid in item.K if _type(kid) == Name.Lbl]
        bodies = [kid for kid in item.K if _type(kid) == Name.LBody]
        loose = [kid for kid in item.K if _type(kid) not in (Name.Lbl, Name.LBody)]
        if loose:
            body = Dictionary(Type=Name.StructElem, S=Name.LBody, P=item, K=Array(loose))
            if "/Pg" in item:
                body.Pg = item.Pg
            body = pdf.make_indirect(body)
            for kid in loose:
                if _type(kid) is not None:
                    kid.P = body
            item.K = Array([*labels, *bodies, body])


def attach(pdf: Pdf, attachments: Sequence[Attachment], epoch: int) -> None:
    """Put files into the document's own list, where every viewer shows them."""
    from pikepdf import AttachedFileSpec, Name

    when = datetime.fromtimestamp(epoch, UTC).strftime("D:%Y%m%d%H%M%SZ")
    for item in sorted(attachments, key=lambda a: a.name):
        pdf.attachments[item.name] = AttachedFileSpec(
            pdf,
            item.text.encode(),
            filename=item.name,
            description=item.description,
            mime_type="text/x-python" if item.name.endswith(".py") else "application/json",
            relationship=Name.Supplement,  # type: ignore[call-arg]
            creation_date=when,
            mod_date=when,
        )


class _ParentTree:
    """The structure tree's number tree (ISO 32000-1, 14.7.4.4): flat, as WeasyPrint writes it."""

    def __init__(self, pdf: Pdf) -> None:
        numbers = pdf.Root.StructTreeRoot.ParentTree.Nums
        self._pdf = pdf
        self._entries = {int(numbers[i]): numbers[i + 1] for i in range(0, len(numbers), 2)}

    def __getitem__(self, number: int) -> Any:
        return self._entries[number]

    def __setitem__(self, number: int, value: Any) -> None:
        self._entries[number] = value

    def __delitem__(self, number: int) -> None:
        del self._entries[number]

    def write(self) -> None:
        """Store the entries back into the document."""
        from pikepdf import Array

        flat = Array()
        for number, value in sorted(self._entries.items()):
            flat.append(number)
            flat.append(value)
        self._pdf.Root.StructTreeRoot.ParentTree.Nums = flat


def _body(pdf: Pdf) -> Any:
    return pdf.Root.StructTreeRoot.K[0]


def _type(kid: Any) -> Any:
    """The type of a structure element; None for other things that an element may hold."""
    from pikepdf import Dictionary

    return kid.get("/S") if isinstance(kid, Dictionary) else None


def _null() -> Any:
    from pikepdf import Object

    return Object.parse(b"null")


def _unmark(pdf: Pdf, page: Any, numbers: set[int]) -> None:
    found: set[int] = set()

    def replace(match: re.Match[bytes]) -> bytes:
        number = int(match[1])
        if number not in numbers:
            return match[0]
        found.add(number)
        return b"/Artifact\n<</Type /Pagination>>\nBDC"

    content = _TEXT_MARK.sub(replace, page.Contents.read_bytes())
    if found != numbers:
        raise ValueError(f"marked content {sorted(numbers - found)} is not written as expected")
    page.Contents = pdf.make_stream(content)


def _target(annotation: Any) -> str:
    if "/Dest" in annotation:
        return str(annotation.Dest)
    return str(annotation.A.URI)


def _covers(outer: Sequence[float], inner: Sequence[float], slack: float = 1.5) -> bool:
    """Whether the rectangle `inner` lies in `outer`, give or take a hair, in points."""
    return (
        outer[0] - slack <= inner[0]
        and outer[1] - slack <= inner[1]
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def _forget(annotation: Any, parents: _ParentTree) -> None:
    from pikepdf import Array, Name

    number = int(annotation.StructParent)
    element = parents[number]
    element.K = Array([k for k in element.K if not _refers(k, annotation)])
    if element.S == Name.Link:
        element.S = Name.Span
    del parents[number]


def _refers(kid: Any, annotation: Any) -> bool:
    from pikepdf import Dictionary

    return isinstance(kid, Dictionary) and "/Obj" in kid and kid.Obj.objgen == annotation.objgen
