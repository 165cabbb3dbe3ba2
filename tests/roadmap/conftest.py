"""Fixtures for all tests of the press."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_book import FixtureBook


@pytest.fixture
def book(tmp_path: Path) -> FixtureBook:
    """A small valid book in a folder of its own."""
    return FixtureBook(tmp_path)
