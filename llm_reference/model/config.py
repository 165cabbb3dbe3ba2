"""The shape of a model: every number that decides its parameters, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The shape of a decoder-only transformer with RoPE, RMSNorm and SwiGLU.

    Attributes:
        vocab_size: number of token ids; ids run from 0 to `vocab_size - 1`.
        d_model: width of the residual stream, in numbers per token.
        n_layers: number of blocks.
        n_heads: query heads per block; divides `d_model`, and leaves an even width per head.
        n_kv_heads: key and value heads per block; divides `n_heads`. None: as many as `n_heads`
            (multi-head attention). 1 is multi-query, anything between is grouped-query attention.
        d_ff: inner width of the MLP. None: 8/3 of `d_model`, to the nearest multiple of 64, which
            gives SwiGLU's three matrices the parameters of a classic MLP's two (Shazeer 2020).
        max_seq_len: longest input, in tokens.
        rope_theta: base of the rotation's wavelengths (Su et al. 2021, section 3.2.2).
        norm_eps: added to the mean square in RMSNorm.
        tie_embeddings: use the embedding table as output head as well (Press and Wolf 2017).

    Raises ValueError where the numbers do not fit one another.
    """

    vocab_size: int
    d_model: int = 128
    n_layers: int = 4
    n_heads: int = 4
    n_kv_heads: int | None = None
    d_ff: int | None = None
    max_seq_len: int = 256
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5
    tie_embeddings: bool = True

    def __post_init__(self) -> None:
        for name in ("vocab_size", "d_model", "n_layers", "n_heads", "kv_heads", "max_seq_len"):
            _require(getattr(self, name) >= 1, f"{name} must be at least 1", getattr(self, name))
        _require(self.d_ff is None or self.d_ff >= 1, "d_ff must be at least 1", self.d_ff)
        _require(self.rope_theta > 0, "rope_theta must be above 0", self.rope_theta)
        _require(self.norm_eps > 0, "norm_eps must be above 0", self.norm_eps)
        _require(
            self.d_model % self.n_heads == 0,
            f"n_heads must divide d_model = {self.d_model}",
            self.n_heads,
        )
        _require(
            self.d_head % 2 == 0,
            "d_model / n_heads must be even, because RoPE rotates pairs",
            self.d_head,
        )
        _require(
            self.n_heads % self.kv_heads == 0,
            f"n_kv_heads must divide n_heads = {self.n_heads}",
            self.kv_heads,
        )

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.d_model // self.n_heads

    @property
    def kv_heads(self) -> int:
        """Key and value heads per block, with the default resolved."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def mlp_width(self) -> int:
        """Inner width of the MLP, with the default resolved."""
        if self.d_ff is not None:
            return self.d_ff
        return max(64, 64 * round(8 * self.d_model / 3 / 64))


def _require(fits: bool, rule: str, got: object) -> None:
    if not fits:
        raise ValueError(f"{rule}, but it is {got}")
