"""A subset of the machine-checkable rules of PDF/UA-1 (ISO 14289-1), read off a PDF's objects.

A rule's id is its clause and test number in veraPDF's profile for
PDF/UA-1, so that findings can be compared. `own-` marks two rules that the profile does not have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

_TYPES = """Document Part Art Sect Div BlockQuote Caption TOC TOCI Index NonStruct Private P H H1 H2
    H3 H4 H5 H6 L LI Lbl LBody Table TR TH TD THead TBody TFoot Span Quote Note Reference BibEntry
    Code Link Annot Ruby RB RT RP Warichu WT WP Figure Formula Form"""
_PAINTING = "Tj TJ ' \" f F f* S s B b B* b* sh Do"
STANDARD_TYPES = frozenset(_TYPES.split())
PAINTING = frozenset(_PAINTING.split())


@dataclass(frozen=True)
class Finding:
    rule: str
    message: str


@dataclass(frozen=True)
class Element:
    """A structure element: its type, its parent's type, and its own object."""

    type: str
    parent: str
    object: Any
    kids: tuple[str, ...]


@dataclass(frozen=True)
class Annotation:
    page: int
    type: str
    object: Any
    element: str


@dataclass(frozen=True)
class Mark:
    """One painting operator and the marked-content sequences around it, outermost first."""

    page: int
    around: tuple[tuple[str, int | None], ...]


@dataclass
class View:
    """Everything the rules look at, gathered in one walk."""

    pdf: pikepdf.Pdf
    elements: list[Element] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    glyph_zero: list[int] = field(default_factory=list)

    @property
    def root(self) -> Any:
        return self.pdf.Root

    def of(self, *types: str) -> Iterator[Element]:
        return (e for e in self.elements if e.type in types)

    def objects(self, kind: Any) -> Iterator[Any]:
        return (o for o in self.pdf.objects if isinstance(o, Dictionary) and o.get("/Type") == kind)


Check = Callable[[View], Iterator[str]]
RULES: dict[str, tuple[str, Check]] = {}


def rule(rule_id: str, says: str) -> Callable[[Check], Check]:
    def declare(check: Check) -> Check:
        assert rule_id not in RULES
        RULES[rule_id] = (says, check)
        return check

    return declare


def check(source: Path | pikepdf.Pdf) -> list[Finding]:
    """Every breach of every rule. A document without a structure tree is one finding."""
    pdf = pikepdf.open(source) if isinstance(source, Path) else source
    if "/StructTreeRoot" not in pdf.Root:
        return [Finding("7.1-11", RULES["7.1-11"][0])]
    view = look(pdf)
    return [
        Finding(name, f"{says} {message}".strip())
        for name, (says, function) in RULES.items()
        for message in function(view)
    ]


def look(pdf: pikepdf.Pdf) -> View:
    view = View(pdf)
    owner: dict[tuple[int, int], str] = {}
    stack = [(kid, "") for kid in reversed(_dictionaries(pdf.Root.StructTreeRoot))]
    while stack:
        item, parent = stack.pop()
        kids = _dictionaries(item)
        kind = _type(item)
        for kid in kids:
            if kid.get("/Type") == Name.OBJR:
                owner[kid.Obj.objgen] = kind
        inner = [kid for kid in kids if "/S" in kid]
        view.elements.append(Element(kind, parent, item, tuple(_type(kid) for kid in inner)))
        stack += [(kid, kind) for kid in reversed(inner)]
    for number, page in enumerate(pdf.pages):
        for annotation in page.get("/Annots", []):
            kind = str(annotation.Subtype)[1:]
            element = owner.get(annotation.objgen, "nothing")
            view.annotations.append(Annotation(number, kind, annotation, element))
        _read_content(view, number, page)
    return view


def _read_content(view: View, number: int, page: Any) -> None:
    open_marks: list[tuple[str, int | None]] = []
    for operands, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        if name in ("BDC", "BMC"):
            properties = operands[1] if name == "BDC" else None
            given = isinstance(properties, Dictionary) and "/MCID" in properties
            mcid = int(properties.MCID) if given else None
            open_marks.append((str(operands[0])[1:], mcid))
        elif name == "EMC":
            open_marks.pop()
        elif name in PAINTING or name == "INLINE IMAGE":
            view.marks.append(Mark(number, tuple(open_marks)))
        if name in ("Tj", "TJ"):
            strings = operands[0] if name == "TJ" else [operands[0]]
            raw = [bytes(s) for s in strings if isinstance(s, pikepdf.String)]
            if any(s[i : i + 2] == b"\0\0" for s in raw for i in range(0, len(s), 2)):
                view.glyph_zero.append(number)


def _dictionaries(element: Any) -> list[Any]:
    kids = element.get("/K")
    kids = list(kids) if isinstance(kids, Array) else [kids]
    return [kid for kid in kids if isinstance(kid, Dictionary)]


def _type(element: Any) -> str:
    return str(element.S)[1:]


def _text(thing: Any, *keys: str) -> str:
    return "".join(str(thing.get(key, "")) for key in keys)


def _metadata(view: View) -> str:
    stream = view.root.get("/Metadata")
    return "" if stream is None else stream.read_bytes().decode("utf-8")


# the document


@rule("5-1", "The metadata say that this is PDF/UA-1.")
def identified(view: View) -> Iterator[str]:
    if not re.search(r'pdfuaid:part(>|=")\s*1', _metadata(view)):
        yield ""


@rule("6.2-1", "The document is marked as tagged.")
def marked(view: View) -> Iterator[str]:
    if not view.root.get("/MarkInfo", {}).get("/Marked", False):
        yield ""


@rule("7.1-8", "The document has metadata.")
def has_metadata(view: View) -> Iterator[str]:
    if "/Metadata" not in view.root:
        yield ""


@rule("7.1-9", "The metadata have a title.")
def has_title(view: View) -> Iterator[str]:
    if not re.search(r"<dc:title>.*?<rdf:li[^>]*>[^<]+<", _metadata(view), re.DOTALL):
        yield ""


@rule("7.1-10", "The viewer shows the title, not the file's name.")
def shows_title(view: View) -> Iterator[str]:
    if not view.root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False):
        yield ""


@rule("7.1-11", "The document has a structure tree.")
def has_structure(view: View) -> Iterator[str]:
    if not view.elements:
        yield ""


@rule("7.2-29", "The document's language is a language tag.")
def has_language(view: View) -> Iterator[str]:
    if not re.fullmatch(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*", _text(view.root, "/Lang")):
        yield ""


@rule("7.15-1", "There is no dynamic XFA form.")
def no_xfa(view: View) -> Iterator[str]:
    if "/XFA" in view.root.get("/AcroForm", {}):
        yield ""


@rule("7.20-1", "No page takes content from another file.")
def no_reference_xobjects(view: View) -> Iterator[str]:
    for item in view.pdf.objects:
        if isinstance(item, pikepdf.Stream) and "/Ref" in item:
            yield ""


# content


@rule("7.1-3", "What is painted is tagged or an artifact.")
def all_marked(view: View) -> Iterator[str]:
    for page, count in Counter(m.page for m in view.marks if not m.around).items():
        yield f"Page {page + 1}: {count} operators."


@rule("7.1-1", "No artifact lies in tagged content.")
def artifacts_outside(view: View) -> Iterator[str]:
    for mark in view.marks:
        tags = [tag for tag, _ in mark.around]
        if "Artifact" in tags[1:]:
            yield f"Page {mark.page + 1}."


@rule("7.1-2", "No tagged content lies in an artifact.")
def tags_outside(view: View) -> Iterator[str]:
    for mark in view.marks:
        if mark.around and mark.around[0][0] == "Artifact" and len(mark.around) > 1:
            yield f"Page {mark.page + 1}."


@rule("own-1", "Tagged content belongs to an element that hangs in the structure tree.")
def content_in_tree(view: View) -> Iterator[str]:
    numbers = view.root.StructTreeRoot.ParentTree.Nums
    entries = {int(numbers[i]): numbers[i + 1] for i in range(0, len(numbers), 2)}
    rooted = {e.object.objgen for e in view.elements}
    for page in {m.page for m in view.marks}:
        owners = entries[int(view.pdf.pages[page].StructParents)]
        used = {m.around[-1][1] for m in view.marks if m.page == page and m.around}
        for mcid in used - {None}:
            owner = owners[mcid] if mcid < len(owners) else None
            if not isinstance(owner, Dictionary) or owner.objgen not in rooted:
                yield f"Page {page + 1}, content {mcid}."


# structure


@rule("7.1-5", "Every element has a standard type.")
def standard_types(view: View) -> Iterator[str]:
    for element in view.elements:
        if element.type not in STANDARD_TYPES:
            yield f"{element.type}."


@rule("7.1-12", "Every element names its parent.")
def has_parent(view: View) -> Iterator[str]:
    for element in view.elements:
        if "/P" not in element.object:
            yield f"{element.type}."


def only_kids(kind: str, allowed: str) -> Check:
    def found(view: View) -> Iterator[str]:
        for element in view.of(kind):
            for kid in sorted(set(element.kids) - set(allowed.split())):
                yield f"It holds {kid}."

    return found


def only_parents(kind: str, allowed: str) -> Check:
    def found(view: View) -> Iterator[str]:
        for element in view.of(kind):
            if element.parent not in allowed.split():
                yield f"It lies in {element.parent}."

    return found


def at_most_one(kind: str, kid: str) -> Check:
    def found(view: View) -> Iterator[str]:
        for element in view.of(kind):
            if element.kids.count(kid) > 1:
                yield f"There are {element.kids.count(kid)}."

    return found


def needs_body(kind: str) -> Check:
    def found(view: View) -> Iterator[str]:
        for element in view.of("Table"):
            if kind in element.kids and "TBody" not in element.kids:
                yield ""

    return found


def caption_at_edge(kind: str, end: int | None) -> Check:
    def found(view: View) -> Iterator[str]:
        for element in view.of(kind):
            if "Caption" in element.kids[1:end]:
                yield ""

    return found


for rule_id, says, function in (
    ("7.2-3", "A Table holds rows.", only_kids("Table", "TR THead TBody TFoot Caption")),
    ("7.2-4", "A TR lies in a table.", only_parents("TR", "Table THead TBody TFoot")),
    ("7.2-5", "A THead holds rows.", only_kids("THead", "TR")),
    ("7.2-6", "A TBody holds rows.", only_kids("TBody", "TR")),
    ("7.2-7", "A TFoot holds rows.", only_kids("TFoot", "TR")),
    ("7.2-8", "A TH lies in a row.", only_parents("TH", "TR")),
    ("7.2-9", "A TD lies in a row.", only_parents("TD", "TR")),
    ("7.2-10", "A TR holds cells.", only_kids("TR", "TH TD")),
    ("7.2-11", "A Table has at most one THead.", at_most_one("Table", "THead")),
    ("7.2-12", "A Table has at most one TFoot.", at_most_one("Table", "TFoot")),
    ("7.2-13", "A Table with a TFoot has a TBody.", needs_body("TFoot")),
    ("7.2-14", "A Table with a THead has a TBody.", needs_body("THead")),
    ("7.2-16", "A table's caption is at its start or end.", caption_at_edge("Table", -1)),
    ("7.2-17", "An LI lies in a list.", only_parents("LI", "L")),
    ("7.2-18", "An LBody lies in a list's item.", only_parents("LBody", "LI")),
    ("7.2-19", "An L holds items.", only_kids("L", "L LI Caption")),
    ("7.2-20", "An LI holds labels and bodies.", only_kids("LI", "Lbl LBody")),
    ("7.2-26", "A TOCI lies in a TOC.", only_parents("TOCI", "TOC")),
    ("7.2-27", "A TOC holds entries.", only_kids("TOC", "TOC TOCI Caption")),
    ("7.2-36", "A THead lies in a table.", only_parents("THead", "Table")),
    ("7.2-37", "A TBody lies in a table.", only_parents("TBody", "Table")),
    ("7.2-38", "A TFoot lies in a table.", only_parents("TFoot", "Table")),
    ("7.2-39", "A Table has at most one caption.", at_most_one("Table", "Caption")),
    ("7.2-40", "A list's caption is its first kid.", caption_at_edge("L", None)),
):
    rule(rule_id, says)(function)


@rule("7.3-1", "A Figure has an alternative text.")
def figure_alt(view: View) -> Iterator[str]:
    for element in view.of("Figure"):
        if not _text(element.object, "/Alt", "/ActualText").strip():
            yield ""


@rule("7.4.2-1", "No level of headings is skipped.")
def heading_levels(view: View) -> Iterator[str]:
    before = 0
    for element in view.elements:
        if re.fullmatch("H[1-6]", element.type):
            level = int(element.type[1])
            if level > before + 1:
                yield f"H{level} after {f'H{before}' if before else 'nothing'}."
            before = level


@rule("7.4.4-3", "Headings are all numbered or all plain.")
def heading_kinds(view: View) -> Iterator[str]:
    types = {e.type for e in view.elements}
    if "H" in types and any(re.fullmatch("H[1-6]", t) for t in types):
        yield ""


@rule("7.5-1", "A header cell can be found from its cells: it has a scope, or an id they name.")
def header_cells(view: View) -> Iterator[str]:
    known = {_text(e.object, "/ID") for e in view.of("TH")}
    for element in view.of("TH"):
        attributes = element.object.get("/A", Dictionary())
        if "/ID" not in element.object and "/Scope" not in attributes:
            yield "TH without either."
    for element in view.of("TD"):
        for name in element.object.get("/A", Dictionary()).get("/Headers", []):
            if str(name) not in known:
                yield "TD names no TH."


@rule("7.7-1", "A Formula has an alternative text.")
def formula_alt(view: View) -> Iterator[str]:
    for element in view.of("Formula"):
        if not _text(element.object, "/Alt", "/ActualText").strip():
            yield ""


@rule("7.9-1", "A Note has an id.")
def note_ids(view: View) -> Iterator[str]:
    for element in view.of("Note"):
        if not _text(element.object, "/ID"):
            yield ""


@rule("7.9-2", "No two Notes have the same id.")
def note_ids_unique(view: View) -> Iterator[str]:
    ids = Counter(_text(e.object, "/ID") for e in view.of("Note"))
    yield from (f"{name!r}." for name, count in ids.items() if name and count > 1)


@rule("7.10-1", "A layer configuration has a name.")
def layers_named(view: View) -> Iterator[str]:
    layers = view.root.get("/OCProperties")
    if layers is not None and not _text(layers.D, "/Name"):
        yield ""


@rule("7.10-2", "A layer configuration does not switch by itself.")
def layers_still(view: View) -> Iterator[str]:
    layers = view.root.get("/OCProperties")
    if layers is not None and "/AS" in layers.D:
        yield ""


@rule("7.11-1", "An attached file has both forms of its name.")
def file_names(view: View) -> Iterator[str]:
    for spec in view.objects(Name.Filespec):
        if "/EF" in spec and not (_text(spec, "/F") and _text(spec, "/UF")):
            yield ""


# annotations


@rule("7.18.1-1", "An annotation that is neither link nor field lies in Annot.")
def annotation_tagged(view: View) -> Iterator[str]:
    for a in view.annotations:
        if a.type not in ("Link", "Widget", "Popup") and a.element != "Annot":
            yield f"Page {a.page + 1}: {a.type} in {a.element}."


@rule("7.18.1-2", "An annotation says in words what it is.")
def annotation_described(view: View) -> Iterator[str]:
    for a in view.annotations:
        if a.type not in ("Link", "Widget", "Popup") and not _text(a.object, "/Contents"):
            yield f"Page {a.page + 1}: {a.type}."


@rule("7.18.1-3", "A form field has a name for people.")
def field_named(view: View) -> Iterator[str]:
    for a in view.annotations:
        if a.type == "Widget":
            own = _text(a.object, "/TU")
            if not (own or _text(a.object.get("/Parent", Dictionary()), "/TU")):
                yield f"Page {a.page + 1}."


@rule("7.18.2-1", "There is no trap network.")
def no_traps(view: View) -> Iterator[str]:
    yield from ("" for a in view.annotations if a.type == "TrapNet")


@rule("7.18.3-1", "On a page with annotations, Tab follows the structure.")
def tab_order(view: View) -> Iterator[str]:
    for page in sorted({a.page for a in view.annotations}):
        if view.pdf.pages[page].get("/Tabs") != Name.S:
            yield f"Page {page + 1}."


@rule("7.18.4-1", "A form field lies in Form.")
def field_tagged(view: View) -> Iterator[str]:
    for a in view.annotations:
        if a.type == "Widget" and a.element != "Form":
            yield f"Page {a.page + 1}: in {a.element}."


@rule("7.18.4-2", "A Form holds one field.")
def one_field(view: View) -> Iterator[str]:
    for element in view.of("Form"):
        kids = _dictionaries(element.object)
        if sum(kid.get("/Type") == Name.OBJR for kid in kids) != 1:
            yield ""


@rule("7.18.5-1", "A link lies in Link.")
def link_tagged(view: View) -> Iterator[str]:
    for a in view.annotations:
        if a.type == "Link" and a.element != "Link":
            yield f"Page {a.page + 1}: in {a.element}."


@rule("7.18.5-2", "A link says in words where it leads.")
def link_described(view: View) -> Iterator[str]:
    for a in view.annotations:
        if a.type == "Link" and not _text(a.object, "/Contents").strip():
            yield f"Page {a.page + 1}."


@rule("own-2", "What a link says is not the name of its anchor.")
def link_in_words(view: View) -> Iterator[str]:
    for a in view.annotations:
        said = _text(a.object, "/Contents")
        if a.type == "Link" and said and said == _text(a.object, "/Dest"):
            yield f"Page {a.page + 1}: {said!r}."


# fonts


@rule("7.21.3.2-1", "An embedded CID font maps its characters to glyphs.")
def glyph_map(view: View) -> Iterator[str]:
    for font in view.objects(Name.Font):
        if font.get("/Subtype") == Name.CIDFontType2 and "/CIDToGIDMap" not in font:
            yield _text(font, "/BaseFont")


@rule("7.21.4.1-1", "Every font is embedded.")
def fonts_embedded(view: View) -> Iterator[str]:
    for font in view.objects(Name.FontDescriptor):
        if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(font.keys()):
            yield _text(font, "/FontName")


@rule("7.21.7-1", "A font's characters can be read as Unicode.")
def fonts_readable(view: View) -> Iterator[str]:
    for font in view.objects(Name.Font):
        if font.get("/Subtype") == Name.Type0 and "/ToUnicode" not in font:
            yield _text(font, "/BaseFont")


@rule("7.21.7-2", "No character reads as U+0000, U+FEFF or U+FFFE.")
def fonts_sane(view: View) -> Iterator[str]:
    for font in view.objects(Name.Font):
        table = font.get("/ToUnicode")
        if table is not None and re.search(rb"> <(0000|FEFF|FFFE)>", table.read_bytes(), re.I):
            yield _text(font, "/BaseFont")


@rule("7.21.8-1", "No text shows the glyph for a missing character.")
def no_missing_glyphs(view: View) -> Iterator[str]:
    yield from (f"Page {page + 1}." for page in sorted(set(view.glyph_zero)))
