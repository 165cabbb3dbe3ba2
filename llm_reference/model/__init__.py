"""The decoder-only transformer, one idea per file.

`config` and `accounting` need no torch, so a planner can price a model without importing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_reference.model.config import ModelConfig

if TYPE_CHECKING:
    from llm_reference.model.transformer import Transformer

__all__ = ["ModelConfig", "Transformer"]


def __getattr__(name: str) -> Any:
    if name == "Transformer":
        from llm_reference.model.transformer import Transformer

        return Transformer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
