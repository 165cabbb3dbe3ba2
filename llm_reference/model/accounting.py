"""How many parameters a model has, and how many floating-point operations a token costs.

Exact and from the config alone: no weights are made, torch is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from llm_reference.model.config import ModelConfig


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """Parameters by place. `head` is 0 when the embedding table is the head too."""

    embedding: int
    attention: int
    mlp: int
    norms: int
    head: int

    @property
    def total(self) -> int:
        """All parameters: what has to be stored and updated."""
        return self.embedding + self.attention + self.mlp + self.norms + self.head

    @property
    def non_embedding(self) -> int:
        """Parameters of blocks and norms: N of the scaling laws (Kaplan et al. 2020, 2.1)."""
        return self.attention + self.mlp + self.norms


def parameter_count(config: ModelConfig) -> ParameterCount:
    """Parameters of `Transformer(config)`, by place."""
    d, kv_width = config.d_model, config.kv_heads * config.d_head
    table = config.vocab_size * d
    return ParameterCount(
        embedding=table,
        attention=config.n_layers * 2 * d * (d + kv_width),  # q and o, k and v
        mlp=config.n_layers * 3 * d * config.mlp_width,  # gate, up, down
        norms=(2 * config.n_layers + 1) * d,  # two per block, one before the head
        head=0 if config.tie_embeddings else table,
    )


def forward_flops_per_token(config: ModelConfig, seq_len: int) -> int:
    """Floating-point operations of matrix products for one token of a `seq_len`-token input.

    2 · N + 4 · n_layers · d_model · seq_len, where N counts the weights of matrices that multiply
    the token. The second term is q kᵀ and the weighted sum of values; as is the custom, it counts
    the whole square, masked half included. Source: Chowdhery et al. 2022 (PaLM), appendix B.
    """
    count = parameter_count(config)
    matrices = count.attention + count.mlp + config.vocab_size * config.d_model
    return 2 * matrices + 4 * config.n_layers * config.d_model * seq_len


def training_flops_per_token(config: ModelConfig, seq_len: int) -> int:
    """Operations per trained token: one forward, and a backward that costs two.

    6 · N + 12 · n_layers · d_model · seq_len, PaLM's 6N + 12LHQT. PaLM's N counts norms and
    everything else too; here it is the matrices alone, because only they multiply.
    """
    return 3 * forward_flops_per_token(config, seq_len)
