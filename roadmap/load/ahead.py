"""Reads many new chapters faster: front matter in one process, bodies in another.

What it finds goes into the cache and the memory of `markdown.parse`, where reading node by node
finds it. It reports nothing: a file with a fault is read again, in its turn.
"""

from __future__ import annotations

from pathlib import Path

from roadmap.load.cache import Cache
from roadmap.load.chapter import read_yaml_cached, split
from roadmap.load.files import read_text
from roadmap.parallel import start

_MANY = 16


def read_ahead(listing: Path, listed: str, cache: Cache) -> None:
    """Parse roadmap.yaml and the chapters beside it, if they are many and the cache is empty.

    `listed` is the text of roadmap.yaml, the file `listing`.
    """
    book = listing.parent
    paths = [] if len(cache) else sorted(book.glob("*/*/chapter.md"))
    if len(paths) < _MANY:
        return
    found = [(path, read_text(path, book)) for path in paths]
    texts = [(path, text) for path, text in found if isinstance(text, str)]

    def fronts() -> dict[str, str]:
        read_yaml_cached("book", listed, listing, 1, cache)
        for path, text in texts:
            head = split(text)[0]
            if head is not None:
                read_yaml_cached("front", head, path, 2, cache)
        return cache.news()

    news = start(fronts)

    from roadmap.load.markdown import parse

    for path, text in texts:
        _, body, first_line = split(text)
        parse(body, path, first_line)
    cache.learn(news())
