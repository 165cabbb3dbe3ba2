"""Rules that need more than one file: the graph, the tracks, and what chapters point to."""

from roadmap.check.book import check

__all__ = ["check"]
