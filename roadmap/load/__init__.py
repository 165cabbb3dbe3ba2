"""From files to a `Roadmap`, and to diagnostics with the place of every fault."""

from roadmap.load.book import load

__all__ = ["load"]
