"""Fixtures for all tests of the press."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_book import FixtureBook
from hypothesis import settings

# A busy machine is no fault of a program.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture
def book(tmp_path: Path) -> FixtureBook:
    """A small valid book in a folder of its own."""
    return FixtureBook(tmp_path)
