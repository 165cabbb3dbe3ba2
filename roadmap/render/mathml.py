"""MathML Core, the part that browsers agree on, out of the MathML that MathJax writes.

Core leaves out what MathJax relies on: letters by `mathvariant`, the columns of tables, and TeX's
spacing, which MathJax carries in private attributes. Each is said here in Core's own terms.
"""

from __future__ import annotations

import re
import unicodedata
from xml.etree import ElementTree as ET

THIN = "0.167em"
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
APPLY = "\u2061"
"""The invisible sign that MathJax puts between a function's name and its argument."""


def core_mathml(mathml: str) -> str:
    """The same formula in MathML Core. Raises ValueError if it has an equation number."""
    root = ET.fromstring(mathml.replace(NAMESPACE, "", 1))
    if root.find(".//mlabeledtr") is not None:
        raise ValueError("equation numbers (\\tag) are not supported")
    for element in root.iter():
        if len(element):
            element.text = None
        element.tail = None
    _unwrap(root)
    for element in list(root.iter()):
        _space_row(element)
        _space_scripts(element)
        if element.tag == "mtable":
            _align(element)
        _letters(element)
    for element in root.iter():
        for name in [n for n in element.attrib if n.startswith("data-")]:
            del element.attrib[name]
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def styled(letter: str, variant: str) -> str:
    """The mathematical letter of a style, such as 𝔼 for E in `double-struck`, or `letter`."""
    style = _STYLES.get(variant, "")
    name = str(_GREEK_SYMBOLS.get(letter, unicodedata.name(letter, "")))
    if match := re.fullmatch(r"(?:LATIN|GREEK) (CAPITAL|SMALL) LETTER (\w+)", name):
        name = " ".join(match.groups())
    for full in (f"MATHEMATICAL {style} {name}", f"{_OLDER.get(style, style)} {name}"):
        try:
            return unicodedata.lookup(full)
        except KeyError:
            continue
    return "ℎ" if (letter, style) == ("h", "ITALIC") else letter


_STYLES = {
    "bold": "BOLD",
    "italic": "ITALIC",
    "bold-italic": "BOLD ITALIC",
    "double-struck": "DOUBLE-STRUCK",
    "script": "SCRIPT",
    "bold-script": "BOLD SCRIPT",
    "fraktur": "FRAKTUR",
    "bold-fraktur": "BOLD FRAKTUR",
    "sans-serif": "SANS-SERIF",
    "bold-sans-serif": "SANS-SERIF BOLD",
    "sans-serif-italic": "SANS-SERIF ITALIC",
    "sans-serif-bold-italic": "SANS-SERIF BOLD ITALIC",
    "monospace": "MONOSPACE",
}
_OLDER = {"FRAKTUR": "BLACK-LETTER"}
"""Some letters had a place in Unicode, under another name, before the alphabets were added."""
_GREEK_SYMBOLS = {
    "ϵ": "EPSILON SYMBOL",
    "ϑ": "THETA SYMBOL",
    "ϰ": "KAPPA SYMBOL",
    "ϕ": "PHI SYMBOL",
    "ϱ": "RHO SYMBOL",
    "ϖ": "PI SYMBOL",
}


def _letters(token: ET.Element) -> None:
    variant = token.attrib.pop("mathvariant", "")
    if variant == "normal" and token.tag == "mi" and len(token.text or "") == 1:
        token.set("mathvariant", "normal")  # the one value, in the one place, that Core knows
    elif token.text:
        token.text = "".join(styled(letter, variant) for letter in token.text)


def _unwrap(element: ET.Element) -> None:
    """Take single signs out of their rows, so that spacing sees its true neighbours."""
    for child in element:
        _unwrap(child)
    for i, child in enumerate(element):
        if child.tag == "mrow" and len(child) == 1:
            child[0].set(_CLASS, child.get(_CLASS, "ORD"))
            element[i] = child[0]


def _space_row(row: ET.Element) -> None:
    """TeX's spaces: none inside fences and beside ordinary signs, a thin one around functions."""
    before: ET.Element | None = None
    children = list(row)
    for child, after in zip(children, [*children[1:], None], strict=False):
        if child.text == APPLY:
            child.set("rspace", "0" if after is None or after.text in _OPENING else THIN)
        elif after is not None and after.text == APPLY:
            if before is not None and (before.tag != "mo" or before.text in _CLOSING):
                row.insert(list(row).index(child), ET.Element("mspace", width=THIN))
        elif child.tag == "mo":
            if child.get(_CLASS, "ORD" if child.text in _BARS else "") in _TIGHT:
                child.attrib.update(lspace="0", rspace="0")
            elif child.text in _SIGNS and before is not None and _awaits_operand(before):
                child.set("form", "prefix")
        before = child


_CLASS = "data-mjx-texclass"
_TIGHT = ("ORD", "OPEN", "CLOSE")
_BARS = ("|", "‖")
_OPENING = ("(", "[", "{", *_BARS)
_CLOSING = (")", "]", "}", *_BARS)
_SIGNS = ("+", "−", "±", "∓")


def _awaits_operand(sign: ET.Element) -> bool:
    """Whether a minus after this sign is that of a negative number."""
    return sign.tag == "mo" and sign.text not in (*_CLOSING, "!") and sign.get(_CLASS) != "ORD"


def _space_scripts(element: ET.Element) -> None:
    """In a subscript or superscript TeX sets signs without spaces; MathML Core does not."""
    if element.tag in ("msub", "msup", "msubsup", "munder", "mover", "munderover"):
        for script in list(element)[1:]:
            for sign in script.iter("mo"):
                if sign.text != ",":
                    sign.attrib.update(lspace="0", rspace="0")


def _align(table: ET.Element) -> None:
    """Say by CSS, cell by cell, what MathML Core ignores as attributes of the table."""
    columns = table.attrib.pop("columnalign", "center").split()
    gaps = table.attrib.pop("columnspacing", "0.8em").split()
    rows = table.attrib.pop("rowspacing", "1ex").split()
    for row_number, row in enumerate(table.findall("mtr")):
        for number, cell in enumerate(row.findall("mtd")):
            left = _nth(gaps, number - 1) if number else "0"
            above = _nth(rows, row_number - 1) if row_number else "0"
            cell.set("style", f"text-align:{_nth(columns, number)};padding:{above} 0 0 {left}")


def _nth(values: list[str], number: int) -> str:
    """As MathML counts: the last value stands for all that follow."""
    return values[min(number, len(values) - 1)]
