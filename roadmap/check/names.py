"""Resolves the ids by which chapters name one another."""

from __future__ import annotations

from roadmap.diagnostics import did_you_mean
from roadmap.model import Node, Roadmap


class Names:
    """The nodes of a book by id and by alias."""

    def __init__(self, roadmap: Roadmap) -> None:
        self._broken = roadmap.broken
        self._nodes = {alias: node for node in roadmap for alias in node.aliases}
        self._nodes |= {node.id: node for node in roadmap}

    def node(self, name: str) -> Node | None:
        """The node with this id or alias; None where it is unknown or could not be read."""
        return self._nodes.get(name)

    def knows(self, name: str) -> bool:
        """Whether there is such a node, be it one that could not be read."""
        return name in self._nodes or name in self._broken

    def nearest(self, name: str) -> str:
        """A hint for a name that no node has."""
        return did_you_mean(name, [*self._nodes, *self._broken]) or "`roadmap list` shows every id."
