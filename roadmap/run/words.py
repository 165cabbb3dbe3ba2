"""Results and their bands as a person would write them, the same on pages and in messages."""

from __future__ import annotations

from roadmap.model import Band


def band_text(band: Band) -> str:
    """A band in words: `1.62 ± 0.05`, `exactly 3`, `at least 3`, `at most 4`, `2 to 4`."""
    if band.value is not None:
        value = number(band.value)
        return f"{value} ± {number(band.slack)}" if band.slack else f"exactly {value}"
    if band.low is not None and band.high is not None:
        return f"{number(band.low)} to {number(band.high)}"
    low, high = band.limits
    return f"at most {number(high)}" if band.low is None else f"at least {number(low)}"


def number(quantity: float) -> str:
    """A quantity with at most five significant digits and a true minus sign."""
    whole = abs(quantity) < 1e9 and quantity == int(quantity)
    text = f"{int(quantity):,}" if whole else f"{quantity:.5g}"
    return text.replace("-", "−", 1) if text.startswith("-") else text
