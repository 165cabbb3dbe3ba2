"""The map as HTML: every box is a link, and the edges are a drawing behind them.

The same markup serves the browser and the PDF. Links inside SVG are dead in the PDF, so boxes are
`<a>` elements placed over the edges. A label is bare text in its link, with line breaks kept by
CSS: any element inside would give the PDF a second link annotation for the same box.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Collection
from html import escape
from math import hypot

from roadmap.model import Node, Roadmap
from roadmap.render.layout import Box, Curve, Layout, Point
from roadmap.render.links import Medium

PRINT_WIDTH, PRINT_HEIGHT = 496.0, 680.0
"""The room for a map on an A4 page with heading and legend, in points. Small maps do not grow."""
HALF_TIP = 2.4
"""Half the width of an arrow's tip, in points."""
SOFT_INK = "#767676"


def map_html(
    roadmap: Roadmap,
    layout: Layout,
    href: Callable[[Node], str],
    medium: Medium,
    nodes: Collection[str] | None = None,
    *,
    focus: Collection[str] | None = None,
    label: str = "Map of the steps",
) -> str:
    """The map with its legend. `href` says where a node's link leads.

    `nodes`, if given, are the only ones that are links. `focus`, if given, are the nodes that a
    map is about, such as the steps of one stage; the others are drawn as their surroundings.
    """
    size = f"width:{_em(layout, layout.width)};height:{_em(layout, layout.height)}"
    if medium == "print":
        scale = min(1.0, PRINT_WIDTH / layout.width, PRINT_HEIGHT / layout.height)
        drawing = b64encode(_edges(layout, medium).encode()).decode()
        size += f";font-size:{layout.font_size * scale:.2f}pt"
        size += f";background-image:url(data:image/svg+xml;base64,{drawing})"
        edges = ""
    else:
        edges = _edges(layout, medium)
    boxes = [
        _box(
            roadmap,
            layout,
            box,
            href if nodes is None or box.node in nodes else None,
            outside=focus is not None and box.node not in focus,
        )
        for box in layout.boxes
    ]
    nav = f'<nav class="map" aria-label="{escape(label)}" style="{size}">'
    return "\n".join([nav + edges, *boxes, "</nav>", _legend(roadmap, layout, focus)])


def map_list(
    roadmap: Roadmap, href: Callable[[Node], str], nodes: Collection[str] | None = None
) -> str:
    """The map as a nested list with all its edges in words: for screen readers, small screens."""
    stages = []
    for stage in roadmap.stages:
        items = [
            _item(roadmap, node, href)
            for node in roadmap.in_stage(stage.id)
            if nodes is None or node.id in nodes
        ]
        if items:
            stages.append(
                f'<li class="stage-{stage.id}">{stage.number} {escape(stage.title)}'
                f"<ul>\n{chr(10).join(items)}\n</ul></li>"
            )
    return '<ul class="road">\n' + "\n".join(stages) + "\n</ul>"


def _legend(roadmap: Roadmap, layout: Layout, focus: Collection[str] | None) -> str:
    """What the colours, borders and lines that occur on the map mean."""
    shown = [roadmap.node(box.node) for box in layout.boxes]
    used = {node.stage for node in shown}
    entries = [
        f'<li class="key stage-{stage.id}" data-stage-colour="{stage.number % 9}">'
        f"{stage.number} {escape(stage.title)}</li>"
        for stage in roadmap.stages
        if stage.id in used
    ]
    if focus is not None and any(node.id not in focus for node in shown):
        entries.append('<li class="key">no colour: in another stage</li>')
    if any(node.status == "planned" for node in shown):
        entries.append('<li class="key planned">dotted bar: planned, not yet written</li>')
    if any(node.optional for node in shown):
        entries.append('<li class="key optional">dashed border: optional</li>')
    if any(curve.kind == "recommends" for curve in layout.curves):
        entries.append('<li class="key">dashed line: recommended, not required</li>')
    return '<ul class="legend" aria-label="Legend">' + "".join(entries) + "</ul>"


def _item(roadmap: Roadmap, node: Node, href: Callable[[Node], str]) -> str:
    said = [word for word, holds in _marks(node) if holds]
    for words, others in (("needs", node.requires), ("recommended before", node.recommends)):
        if others:
            said.append(f"{words}: " + ", ".join(roadmap.node(other).title for other in others))
    link = f'<a href="{escape(href(node))}" data-node="{node.id}">{escape(node.title)}</a>'
    return f"<li>{link}" + (f" ({escape('; '.join(said))})" if said else "") + "</li>"


def _marks(node: Node) -> tuple[tuple[str, bool], ...]:
    return ("planned", node.status == "planned"), ("optional", node.optional)


def _box(
    roadmap: Roadmap,
    layout: Layout,
    box: Box,
    href: Callable[[Node], str] | None,
    *,
    outside: bool,
) -> str:
    node = roadmap.node(box.node)
    stage = roadmap.stage(node.stage)
    marks = [word for word, holds in _marks(node) if holds]
    classes = " ".join(["node", f"stage-{stage.id}", *marks, *(["outside"] if outside else [])])
    said = ", ".join([node.title, f"stage {stage.number}, {stage.title}", *marks])
    place = (
        f"left:{100 * box.left / layout.width:.3f}%;top:{100 * box.top / layout.height:.3f}%;"
        f"width:{100 * box.width / layout.width:.3f}%;"
        f"height:{100 * box.height / layout.height:.3f}%"
    )
    tag, target = ("span", "") if href is None else ("a", f' href="{escape(href(node))}"')
    name = "" if href is None else f' aria-label="{escape(said)}"'
    return (
        f'<{tag} class="{classes}" data-node="{node.id}" data-stage-colour="{stage.number % 9}"'
        f'{target}{name} style="{place}">{escape(chr(10).join(box.lines))}</{tag}>'
    )


def _em(layout: Layout, points: float) -> str:
    return f"{points / layout.font_size:.3f}em"


def _edges(layout: Layout, medium: Medium) -> str:
    """The drawing of the edges. On the site CSS may restyle it, and scripts find it by its ends."""
    size = f"{layout.width:.2f}", f"{layout.height:.2f}"
    if medium == "site":
        ink, head = "currentColor", 'class="edges" aria-hidden="true" focusable="false"'
    else:
        ink = "#3d3d3d"
        head = f'xmlns="http://www.w3.org/2000/svg" width="{size[0]}pt" height="{size[1]}pt"'
    lines, tips = [], []
    for curve in layout.curves:
        data = f' data-from="{curve.source}" data-to="{curve.target}" data-kind="{curve.kind}"'
        data = data if medium == "site" else ""
        soft = curve.kind == "recommends"
        dash = f' stroke="{SOFT_INK}" stroke-dasharray="3 2.2"' if soft else ""
        fill = f' fill="{SOFT_INK}"' if soft else ""
        lines.append(f'<path{data}{dash} d="{_line(curve)}"/>')
        tips.append(f'<polygon{data}{fill} points="{_tip(curve)}"/>')
    return (
        f'<svg {head} viewBox="0 0 {" ".join(size)}">'
        f'<g fill="none" stroke="{ink}" stroke-width="0.9">{"".join(lines)}</g>'
        f'<g fill="{ink}">{"".join(tips)}</g></svg>'
    )


def _line(curve: Curve) -> str:
    start, *rest = (_xy(p) for p in curve.points)
    return f"M{start}C{' '.join(rest)}"


def _tip(curve: Curve) -> str:
    (x, y), (tip_x, tip_y) = curve.points[-1], curve.tip
    length = hypot(tip_x - x, tip_y - y) or 1.0
    across_x, across_y = HALF_TIP * (y - tip_y) / length, HALF_TIP * (tip_x - x) / length
    base = (x + across_x, y + across_y), (x - across_x, y - across_y)
    return " ".join(map(_xy, (curve.tip, *base)))


def _xy(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
