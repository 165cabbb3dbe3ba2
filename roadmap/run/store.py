"""Where records live between builds: one JSON file per node, whole or not at all."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from roadmap.diagnostics import Diagnostic, Span
from roadmap.model import Outcome
from roadmap.run.record import decode, encode

# Raise it when a record's form changes; older records then count as absent.
SCHEMA = 1

_BODY = '"outcome":\n'


class Store:
    """The records in a folder, which is made when the first one is put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, node_id: str) -> Path:
        """The file of a node's record."""
        return self.folder / f"{node_id}.json"

    def get(self, node_id: str) -> Outcome | None:
        """The last record of a node; None if there is none that can be used."""
        return self.read(node_id)[0]

    def read(self, node_id: str) -> tuple[Outcome | None, Diagnostic | None]:
        """The last record of a node, and what is wrong with its file."""
        path = self.path(node_id)
        try:
            return _unpack(path.read_bytes(), node_id), None
        except FileNotFoundError:
            return None, None
        except (OSError, ValueError) as error:
            message = f"The record of `{node_id}` cannot be used: {error}."
            hint = "Nothing need be done; delete the file to be rid of this line."
            return None, Diagnostic("cache-corrupt", message, Span(path), hint)

    def put(self, outcome: Outcome) -> None:
        """Replace a node's record, in one step. Raises OSError."""
        from roadmap.files import write_atomically

        body = encode(outcome)
        digest = sha256(body.encode()).hexdigest()
        head = f'{{"schema": {SCHEMA}, "sha256": "{digest}", {_BODY}'
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path(outcome.node), f"{head}{body}\n}}\n")


def _unpack(raw: bytes, node_id: str) -> Outcome:
    """Raises ValueError with the reason why `raw` is no record of the node."""
    head, found, rest = raw.partition(_BODY.encode())
    if not found:
        raise ValueError("it is not a record of this program")
    if not head.startswith(f'{{"schema": {SCHEMA}, '.encode()):
        raise ValueError("another version of this program wrote it")
    body = rest.removesuffix(b"\n}\n")
    if sha256(body).hexdigest().encode() not in head:
        raise ValueError("its content does not have the checksum it states")
    outcome = decode(body)
    if outcome.node != node_id:
        raise ValueError(f"it belongs to `{outcome.node}`")
    return outcome
