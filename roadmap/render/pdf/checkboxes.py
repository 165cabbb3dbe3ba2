"""Checkboxes that every viewer draws, and that are one field when they bear one name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pikepdf import Pdf


def make_tickable(pdf: Pdf) -> None:
    """Give checkboxes both appearances, and make boxes of one name one field.

    WeasyPrint leaves the drawing to the viewer (NeedAppearances); poppler then draws ticked boxes
    empty. A field with several boxes shows its tick in all of them (ISO 32000-1, 12.7.4.2.3).
    """
    from pikepdf import Array, Dictionary, Name, String

    form = pdf.Root.get("/AcroForm")
    if form is None:
        return
    if "/NeedAppearances" in form:
        del form["/NeedAppearances"]
    if "/DR" in form:
        del form["/DR"]
    boxes: dict[str, list[Any]] = {}
    for box in form.Fields:
        _draw_box(pdf, box)
        boxes.setdefault(str(box.T), []).append(box)
    fields = Array()
    for name, same in boxes.items():
        field = same[0]
        if len(same) > 1:
            field = pdf.make_indirect(
                Dictionary(
                    FT=Name.Btn, T=String(name), TU=same[0].TU, V=same[0].V, Kids=Array(same)
                )
            )
            for box in same:
                box.Parent = field
                for key in ("/T", "/FT", "/V"):
                    del box[key]
        fields.append(field)
    form.Fields = fields


def rectangle(annotation: Any) -> list[float]:
    """Left, bottom, right and top in points, in this order whatever the file says."""
    x1, y1, x2, y2 = (float(v) for v in annotation.Rect)
    return [min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]


def _draw_box(pdf: Pdf, box: Any) -> None:
    from pikepdf import Array, Dictionary, Name

    left, bottom, right, top = rectangle(box)
    width, height = right - left, top - bottom
    box.Rect = Array([round(v, 3) for v in (left, bottom, right, top)])
    states = {"/Off": _frame(width, height), "/on": _frame(width, height) + _tick(width, height)}
    box.AP = Dictionary(N=Dictionary())
    for state, drawing in states.items():
        box.AP.N[state] = pdf.make_stream(
            drawing.encode(),
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=Array([0, 0, round(width, 3), round(height, 3)]),
            Resources=Dictionary(),
        )
    box.MK = Dictionary()
    box.H = Name.P


def _frame(width: float, height: float) -> str:
    line = 0.08 * width
    return (
        f"q 1 g 0.35 G {line:.2f} w {line / 2:.2f} {line / 2:.2f} "
        f"{width - line:.2f} {height - line:.2f} re B Q\n"
    )


def _tick(width: float, height: float) -> str:
    points = ((0.2, 0.52), (0.42, 0.27), (0.82, 0.77))
    path = " ".join(
        f"{x * width:.2f} {y * height:.2f} {'l' if i else 'm'}" for i, (x, y) in enumerate(points)
    )
    return f"q 0.05 0.38 0.18 RG {0.14 * width:.2f} w 1 J 1 j {path} S Q\n"
