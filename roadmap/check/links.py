"""Links and images: each leads to a page, an anchor, a file of the book, or a web address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from roadmap.check.images import IMAGES, check_image
from roadmap.check.names import Names
from roadmap.diagnostics import Diagnostic, did_you_mean
from roadmap.load.cache import Cache
from roadmap.load.files import relative_path
from roadmap.model import Link, Node, Roadmap

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WEB = re.compile(r"https?://[^\s/?#]+\S*$")
_MAIL = re.compile(r"mailto:[^\s@]+@[^\s@]+$")


def check_links(roadmap: Roadmap, names: Names, cache: Cache) -> Iterator[Diagnostic]:
    """Dead links and anchors, paths that leave the book, and files that are no images."""
    for node in roadmap:
        for link in node.chapter.links:
            target = link.target.partition("#")[0]
            if target and not _SCHEME.match(target):
                yield from _file(unquote(target), link, node, roadmap, cache)
            else:
                yield from _link(link, node, roadmap, names)


def _link(link: Link, node: Node, roadmap: Roadmap, names: Names) -> Iterator[Diagnostic]:
    target, _, anchor = link.target.partition("#")
    if not link.target:
        yield _dead(link, "The link has no target.")
        return
    scheme = _SCHEME.match(target)
    if scheme is None:
        yield from _anchor(unquote(anchor), node, link)
        return
    name = target[scheme.end() :]
    match scheme[1]:
        case "node":
            if not names.knows(name):
                yield _dead(link, f"There is no node `{name}`.", names.nearest(name))
            elif (other := names.node(name)) and "#" in link.target:
                yield from _anchor(unquote(anchor), other, link)
        case "stage":
            yield from _page(link, "stage", name, [stage.id for stage in roadmap.stages])
        case "track":
            yield from _page(link, "track", name, [track.id for track in roadmap.tracks])
        case "http" | "https":
            if not _WEB.match(target):
                yield _dead(link, f"`{link.target}` is not a web address.")
        case "mailto":
            if not _MAIL.match(target):
                yield _dead(link, f"`{link.target}` is not a mail address.")
        case other:
            hint = "A link is node:, stage:, track:, https:, mailto:, an #anchor or a file."
            yield _dead(link, f"Links do not begin with `{other}:` here.", hint)


def _dead(link: Link, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic("link-dead", message, link.span, hint)


def _page(link: Link, kind: str, name: str, known: Iterable[str]) -> Iterator[Diagnostic]:
    if name not in known:
        hint = did_you_mean(name, known) or f"Known: {', '.join(known)}."
        yield _dead(link, f"There is no {kind} `{name}`.", hint)
    elif "#" in link.target:
        message = f"The page of a {kind} has no anchors."
        yield Diagnostic("anchor-dead", message, link.span, f"Write `{kind}:{name}`.")


def _anchor(anchor: str, page: Node, link: Link) -> Iterator[Diagnostic]:
    anchors = [heading.anchor for heading in page.chapter.headings]
    if anchor not in anchors:
        message = f"The page of `{page.id}` has no anchor `#{anchor}`."
        hint = did_you_mean(anchor, anchors, "`#{}`") or "Anchors are made of headings' words."
        yield Diagnostic("anchor-dead", message, link.span, hint)


def _file(
    target: str, link: Link, node: Node, roadmap: Roadmap, cache: Cache
) -> Iterator[Diagnostic]:
    path = relative_path(target, node.folder, roadmap.root)
    if path is None:
        message = f"`{target}` leads outside the book."
        hint = "Copy the file into this node's folder, or link to a web address."
        yield Diagnostic("path-escapes-book", message, link.span, hint)
    elif path.name == "chapter.md":
        message = "A chapter is linked by its id."
        yield _dead(link, message, f"Write `node:{path.parent.name}`.")
    elif not path.is_file():
        near = did_you_mean(target, [p.name for p in node.folder.iterdir() if p.is_file()])
        yield _dead(link, f"There is no file `{target}`.", near)
    elif path.suffix not in IMAGES:
        hint = f"Show an image ({', '.join(IMAGES)}), or link to a web address."
        yield _dead(link, f"The site holds no file `{target}`.", hint)
    else:
        yield from check_image(path, link.span, cache)
