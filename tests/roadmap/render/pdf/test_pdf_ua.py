"""The PDF keeps the rules of PDF/UA-1, and the checker that says so finds each breach we plant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from tests.roadmap.render.pdf import ua_rules
from tests.roadmap.render.pdf.conftest import Made

Pdf = pikepdf.Pdf


def test_the_book_breaks_no_rule(made: Made) -> None:
    assert ua_rules.check(made.path) == []


def test_the_book_has_what_the_rules_are_about(made: Made) -> None:
    with made.open() as pdf:
        types = {e.type for e in ua_rules.look(pdf).elements}
    for kind in ("H1", "H2", "P", "Link", "Form", "Figure", "Formula", "Table", "TH", "L", "Lbl"):
        assert kind in types


def elements(pdf: Pdf, kind: str) -> Iterator[Any]:
    return (e.object for e in ua_rules.look(pdf).of(kind))


def first(pdf: Pdf, kind: str) -> Any:
    return next(elements(pdf, kind))


def annotation(pdf: Pdf, kind: str) -> Any:
    return next(a.object for a in ua_rules.look(pdf).annotations if a.type == kind)


def owner(pdf: Pdf, kind: str) -> Any:
    """The structure element of the first annotation of a kind."""
    wanted = annotation(pdf, kind).objgen
    for element in ua_rules.look(pdf).elements:
        for kid in element.object.get("/K", []):
            if isinstance(kid, Dictionary) and "/Obj" in kid and kid.Obj.objgen == wanted:
                return element.object
    raise AssertionError(kind)


def retype(kind: str, new: str) -> Callable[[Pdf], None]:
    def plant(pdf: Pdf) -> None:
        first(pdf, kind).S = Name("/" + new)

    return plant


def without(kind: str, *keys: str) -> Callable[[Pdf], None]:
    def plant(pdf: Pdf) -> None:
        element = first(pdf, kind)
        for key in keys:
            if key in element:
                del element[key]

    return plant


def element(pdf: Pdf, kind: str, parent: Any, *kids: Any) -> Any:
    return pdf.make_indirect(
        Dictionary(Type=Name.StructElem, S=Name("/" + kind), P=parent, K=Array(list(kids)))
    )


def inside(outer: str, *new: str) -> Callable[[Pdf], None]:
    """Append empty elements of types `new` to the first element of type `outer`."""

    def plant(pdf: Pdf) -> None:
        parent = first(pdf, outer)
        for kind in new:
            parent.K.append(element(pdf, kind, parent))

    return plant


def tree(outer: str, *kids: str) -> Callable[[Pdf], None]:
    """A new element `outer` with empty kids at the end of the document."""

    def plant(pdf: Pdf) -> None:
        parent = first(pdf, "Document")
        made = element(pdf, outer, parent)
        for kind in kids:
            made.K.append(element(pdf, kind, made))
        parent.K.append(made)

    return plant


def metadata(pattern: str, new: str) -> Callable[[Pdf], None]:
    def plant(pdf: Pdf) -> None:
        text = pdf.Root.Metadata.read_bytes().decode()
        changed = re.sub(pattern, new, text, flags=re.DOTALL)
        assert changed != text
        pdf.Root.Metadata = pdf.make_stream(changed.encode(), Type=Name.Metadata, Subtype=Name.XML)

    return plant


def root(**values: Any) -> Callable[[Pdf], None]:
    def plant(pdf: Pdf) -> None:
        for key, value in values.items():
            pdf.Root[f"/{key}"] = value

    return plant


def gone(*keys: str) -> Callable[[Pdf], None]:
    def plant(pdf: Pdf) -> None:
        for key in keys:
            del pdf.Root[key]

    return plant


def content(before: bytes, after: bytes = b"") -> Callable[[Pdf], None]:
    def plant(pdf: Pdf) -> None:
        page = pdf.pages[1]
        page.Contents = pdf.make_stream(before + page.Contents.read_bytes() + after)

    return plant


def added_annotation(kind: str, **values: Any) -> Callable[[Pdf], None]:
    def plant(pdf: Pdf) -> None:
        made = Dictionary(
            Type=Name.Annot, Subtype=Name("/" + kind), Rect=Array([0, 0, 9, 9]), **values
        )
        pdf.pages[1].Annots.append(pdf.make_indirect(made))

    return plant


def fonts(kind: str, change: Callable[[Any], None]) -> Callable[[Pdf], None]:
    def plant(pdf: Pdf) -> None:
        for item in pdf.objects:
            if isinstance(item, Dictionary) and item.get("/Type") == Name("/" + kind):
                change(item)

    return plant


def drop(*keys: str) -> Callable[[Any], None]:
    def change(item: Any) -> None:
        for key in keys:
            if key in item:
                del item[key]

    return change


def link_in_span(pdf: Pdf) -> None:
    owner(pdf, "Link").S = Name.Span


def link_silent(pdf: Pdf) -> None:
    annotation(pdf, "Link").Contents = String("")


def link_says_anchor(pdf: Pdf) -> None:
    link = annotation(pdf, "Link")
    link.Contents = link.Dest


def field_in_span(pdf: Pdf) -> None:
    owner(pdf, "Widget").S = Name.Span


def field_nameless(pdf: Pdf) -> None:
    box = annotation(pdf, "Widget")
    for item in (box, box.get("/Parent", Dictionary())):
        if "/TU" in item:
            del item["/TU"]


def second_field(pdf: Pdf) -> None:
    form = owner(pdf, "Widget")
    form.K.append(form.K[0])


def no_tabs(pdf: Pdf) -> None:
    del pdf.pages[1]["/Tabs"]


def orphaned(pdf: Pdf) -> None:
    parent = first(pdf, "Document")
    parent.K = Array(list(parent.K)[1:])


def header_gone(pdf: Pdf) -> None:
    del first(pdf, "TH")["/ID"]


def layers(**values: Any) -> Callable[[Pdf], None]:
    return root(OCProperties=Dictionary(OCGs=Array([]), D=Dictionary(**values)))


def file_half_named(pdf: Pdf) -> None:
    for item in pdf.objects:
        if isinstance(item, Dictionary) and item.get("/Type") == Name.Filespec:
            del item["/F"]


def xfa(pdf: Pdf) -> None:
    pdf.Root.AcroForm.XFA = pdf.make_stream(b"<xdp/>")


def reference_object(pdf: Pdf) -> None:
    stream = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, Ref=Dictionary(F="x"))
    pdf.Root.Extra = pdf.make_indirect(stream)


def unicode_zero(item: Any) -> None:
    if "/ToUnicode" in item:
        text = item.ToUnicode.read_bytes()
        item.ToUnicode.write(re.sub(rb"> <[0-9a-f]{4}>", b"> <0000>", text, count=1))


PLANTED: dict[str, Callable[[Pdf], None]] = {
    "5-1": metadata(r"pdfuaid:part(>|=\")1", r"pdfuaid:part\g<1>9"),
    "6.2-1": root(MarkInfo=Dictionary(Marked=False)),
    "7.1-1": content(b"", b"/P <</MCID 0>> BDC /Artifact BMC 0 0 1 1 re f EMC EMC"),
    "7.1-2": content(b"", b"/Artifact BMC /P <</MCID 0>> BDC 0 0 1 1 re f EMC EMC"),
    "7.1-3": content(b"0 0 1 1 re f "),
    "7.1-5": retype("Sect", "Chapter"),
    "7.1-8": gone("/Metadata"),
    "7.1-9": metadata(r"<dc:title>.*?</dc:title>", ""),
    "7.1-10": root(ViewerPreferences=Dictionary()),
    "7.1-11": gone("/StructTreeRoot"),
    "7.1-12": without("Sect", "/P"),
    "7.2-3": inside("Table", "P"),
    "7.2-4": tree("Div", "TR"),
    "7.2-5": inside("THead", "P"),
    "7.2-6": inside("TBody", "P"),
    "7.2-7": tree("TFoot", "P"),
    "7.2-8": tree("Div", "TH"),
    "7.2-9": tree("Div", "TD"),
    "7.2-10": inside("TR", "P"),
    "7.2-11": tree("Table", "THead", "THead"),
    "7.2-12": tree("Table", "TFoot", "TFoot"),
    "7.2-13": tree("Table", "TR", "TFoot"),
    "7.2-14": tree("Table", "THead", "TR"),
    "7.2-16": tree("Table", "TR", "Caption", "TR"),
    "7.2-17": tree("Div", "LI"),
    "7.2-18": tree("Div", "LBody"),
    "7.2-19": inside("L", "P"),
    "7.2-20": inside("LI", "P"),
    "7.2-26": tree("Div", "TOCI"),
    "7.2-27": tree("TOC", "P"),
    "7.2-29": root(Lang=String("English, please")),
    "7.2-36": tree("Div", "THead"),
    "7.2-37": tree("Div", "TBody"),
    "7.2-38": tree("Div", "TFoot"),
    "7.2-39": tree("Table", "Caption", "TR", "Caption"),
    "7.2-40": tree("L", "LI", "Caption"),
    "7.3-1": without("Figure", "/Alt", "/ActualText"),
    "7.4.2-1": retype("H2", "H4"),
    "7.4.4-3": retype("H2", "H"),
    "7.5-1": header_gone,
    "7.7-1": without("Formula", "/Alt", "/ActualText"),
    "7.9-1": tree("Note"),
    "7.10-1": layers(),
    "7.10-2": layers(Name="All", AS=Array([])),
    "7.11-1": file_half_named,
    "7.15-1": xfa,
    "7.18.1-1": added_annotation("Text", Contents="Mind the gap"),
    "7.18.1-2": added_annotation("Stamp"),
    "7.18.1-3": field_nameless,
    "7.18.2-1": added_annotation("TrapNet"),
    "7.18.3-1": no_tabs,
    "7.18.4-1": field_in_span,
    "7.18.4-2": second_field,
    "7.18.5-1": link_in_span,
    "7.18.5-2": link_silent,
    "7.20-1": reference_object,
    "7.21.3.2-1": fonts("Font", drop("/CIDToGIDMap")),
    "7.21.4.1-1": fonts("FontDescriptor", drop("/FontFile2", "/FontFile3")),
    "7.21.7-1": fonts("Font", drop("/ToUnicode")),
    "7.21.7-2": fonts("Font", unicode_zero),
    "7.21.8-1": content(b"/Artifact BMC BT <0000> Tj ET EMC "),
    "own-1": orphaned,
    "own-2": link_says_anchor,
}


def notes_alike(pdf: Pdf) -> None:
    for _ in range(2):
        tree("Note")(pdf)
    for note in elements(pdf, "Note"):
        note.ID = String("n1")


PLANTED["7.9-2"] = notes_alike


def test_every_rule_has_a_planted_breach() -> None:
    assert PLANTED.keys() == ua_rules.RULES.keys()


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_breach_is_found(made: Made, tmp_path: Path, rule: str) -> None:
    with made.open() as pdf:
        PLANTED[rule](pdf)
        pdf.save(tmp_path / "broken.pdf")
    assert rule in {found.rule for found in ua_rules.check(tmp_path / "broken.pdf")}
