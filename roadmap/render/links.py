"""Where a link of a chapter leads, on the site and on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from roadmap.model import Node, Roadmap

Medium = Literal["site", "print"]


@dataclass(frozen=True, slots=True)
class Target:
    """An address, and the title that stands in for an empty link text."""

    href: str
    title: str
    external: bool = False


def site_href(kind: str, name: str) -> str:
    """The address of a node, stage or track page, seen from another page one folder down."""
    return f"../{kind}/{name}.html"


def anchor_id(node: Node, anchor: str, medium: Medium) -> str:
    """The HTML id of a heading. All chapters of a PDF are one document, so there it is longer."""
    return anchor if medium == "site" else f"{node.id}--{anchor}"


def resolve(
    target: str, node: Node, roadmap: Roadmap, medium: Medium, track: str | None
) -> Target | None:
    """Resolve a checked link of `node`; None when it leads nowhere.

    On paper a link to something that the track leaves out goes to its page on the site.
    """
    scheme, _, rest = target.partition(":")
    name, _, anchor = rest.partition("#")
    if target.startswith("#"):
        heading = next((h for h in node.chapter.headings if h.anchor == target[1:]), None)
        title = heading.text if heading else target[1:]
        return Target("#" + anchor_id(node, target[1:], medium), title)
    if scheme == "node":
        found = next((n for n in roadmap if name == n.id or name in n.aliases), None)
        return None if found is None else _to_node(found, anchor, roadmap, medium, track)
    if scheme in ("stage", "track"):
        pages = roadmap.stages if scheme == "stage" else roadmap.tracks
        page = next((p for p in pages if p.id == name), None)
        if page is None:
            return None
        if medium == "site":
            return Target(site_href(scheme, name), page.title)
        if scheme == "stage" and any(
            track is None or track in n.minutes for n in roadmap.in_stage(name)
        ):
            return Target(f"#stage-{name}", page.title)
        return Target(f"{roadmap.url}{scheme}/{name}.html", page.title, external=True)
    if scheme in ("http", "https", "mailto"):
        return Target(target, target, external=True)
    return None


def _to_node(
    found: Node, anchor: str, roadmap: Roadmap, medium: Medium, track: str | None
) -> Target:
    heading = next((h for h in found.chapter.headings if h.anchor == anchor), None)
    title = heading.text if heading else found.title
    suffix = f"#{anchor}" if anchor else ""
    if medium == "site":
        return Target(site_href("node", found.id) + suffix, title)
    if track is not None and track not in found.minutes:
        return Target(f"{roadmap.url}node/{found.id}.html{suffix}", title, external=True)
    # Paper has the bodies of written chapters alone, down to the track's depth.
    if heading is not None and found.status == "ready":
        depth = heading.depth
        if track is None or not depth or roadmap.depth(depth) <= roadmap.depth(track):
            return Target("#" + anchor_id(found, anchor, medium), title)
    return Target(f"#node-{found.id}", title)
