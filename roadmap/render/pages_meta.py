"""What machines read of the site: JSON-LD, `llms.txt` and `sitemap.xml`.

schema.org LearningResource (https://schema.org/LearningResource), llms.txt
(https://llmstxt.org), the sitemaps protocol (https://www.sitemaps.org/protocol.html).
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from roadmap.model import Node, Track
from roadmap.render.pages_site import Site

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def book(site: Site) -> dict[str, Any]:
    """The first page as a schema.org Book with a part per track."""
    roadmap = site.roadmap
    return {
        "@context": "https://schema.org",
        "@type": ["Book", "LearningResource"],
        "name": roadmap.title,
        "description": roadmap.summary,
        "url": site.url("index.html"),
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "license": LICENCE,
        "hasPart": [
            {"@type": "Course", "name": t.title, "url": site.url(f"track/{t.id}.html")}
            for t in roadmap.tracks
        ],
    }


def learning_resource(site: Site, node: Node, path: str) -> dict[str, Any]:
    """The page of a step as a schema.org Chapter that is a LearningResource."""
    roadmap = site.roadmap
    minutes = max(node.minutes.values(), default=0)
    kind = "planned chapter" if node.status == "planned" else "chapter"
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": ["Chapter", "LearningResource"],
        "name": node.title,
        "description": node.summary,
        "url": site.url(path),
        "inLanguage": "en",
        "learningResourceType": ["experiment", kind] if node.experiment else kind,
        "educationalLevel": [t.title for t in roadmap.tracks if t.id in node.minutes],
        "teaches": list(node.teaches),
        "competencyRequired": [roadmap.node(other).title for other in node.requires],
        "isAccessibleForFree": True,
        "license": LICENCE,
        "isPartOf": {"@type": "Book", "name": roadmap.title, "url": site.url("index.html")},
    }
    if minutes:
        found["timeRequired"] = iso_duration(minutes)
    return {key: value for key, value in found.items() if value != []}


def track_course(site: Site, track: Track, nodes: Iterable[Node], path: str) -> dict[str, Any]:
    """The page of a track as a schema.org Course made of its steps."""
    nodes = tuple(nodes)
    return {
        "@context": "https://schema.org",
        "@type": ["Course", "LearningResource"],
        "name": f"{site.roadmap.title}: {track.title}",
        "description": track.summary,
        "url": site.url(path),
        "inLanguage": "en",
        "educationalLevel": track.title,
        "timeRequired": iso_duration(sum(node.minutes[track.id] for node in nodes)),
        "license": LICENCE,
        "provider": {"@type": "Organization", "name": site.roadmap.title},
        "hasPart": [
            {"@type": "Chapter", "name": n.title, "url": site.url(f"node/{n.id}.html")}
            for n in nodes
        ],
    }


def breadcrumbs(site: Site, pages: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The way from the map to a page: `pages` are (title, path) below the map."""
    way = [(site.roadmap.title, "index.html"), *pages]
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": title, "item": site.url(path)}
            for place, (title, path) in enumerate(way, start=1)
        ],
    }


def iso_duration(minutes: int) -> str:
    """`95` -> `PT1H35M` (ISO 8601)."""
    hours, rest = divmod(minutes, 60)
    return "PT" + f"{hours}H" * (hours > 0) + f"{rest}M" * (rest > 0 or hours == 0)


def llms_txt(site: Site) -> str:
    """`llms.txt`: the book in one page of Markdown, with a link to every page's twin."""
    roadmap = site.roadmap
    lines = [f"# {roadmap.title}", "", f"> {roadmap.summary}", ""]
    lines += [
        "Each step is a page with prose, code that ran when the book was built, and measured "
        "numbers. Steps marked (planned) are not written yet.",
    ]
    for stage in roadmap.stages:
        lines += ["", f"## {stage.title}", ""]
        for node in roadmap.in_stage(stage.id):
            mark = " (planned)" if node.status == "planned" else ""
            url = site.url(f"node/{node.id}.md")
            lines.append(f"- [{node.title}]({url}): {node.summary}{mark}")
    lines += ["", "## Optional", ""]
    pages = [
        *((f"track/{t.id}.md", f"{t.title} track", t.summary) for t in roadmap.tracks),
        *((f"stage/{s.id}.md", f"{s.title} stage", s.summary) for s in roadmap.stages),
    ]
    lines += [f"- [{title}]({site.url(path)}): {summary}" for path, title, summary in pages]
    return "\n".join(lines) + "\n"


def sitemap_xml(site: Site) -> str:
    """`sitemap.xml`: every HTML page, in reading order."""
    roadmap = site.roadmap
    paths = [
        "index.html",
        *(f"track/{track.id}.html" for track in roadmap.tracks),
        *(f"stage/{stage.id}.html" for stage in roadmap.stages),
        *(f"node/{node.id}.html" for node in roadmap),
        "progress.html",
    ]
    urls = "".join(f"<url><loc>{escape(site.url(path))}</loc></url>\n" for path in paths)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{urls}</urlset>\n"
    )
