"""The decoder-only transformer: embed, run through the blocks, score every next token."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from llm_reference.model.attention import Attention, CausalAttention, fused_causal_attention
from llm_reference.model.config import ModelConfig
from llm_reference.model.initialisation import initialise
from llm_reference.model.layers import RMSNorm, SwiGLU
from llm_reference.model.positions import rotary_angles


class Block(nn.Module):
    """Attention, then the MLP; each reads a normed copy of the stream and adds its answer.

    The norm stands before the layer ("pre-norm"), so the stream itself runs from embedding to head
    untouched by any norm. Source: Xiong et al. 2020.
    """

    def __init__(self, config: ModelConfig, attend: CausalAttention) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.d_model, config.norm_eps)
        self.attention = Attention(config, attend)
        self.mlp_norm = RMSNorm(config.d_model, config.norm_eps)
        self.mlp = SwiGLU(config.d_model, config.mlp_width)

    def forward(
        self,
        x: Float[Tensor, "batch seq d_model"],
        cos: Float[Tensor, "seq half"],
        sin: Float[Tensor, "seq half"],
    ) -> Float[Tensor, "batch seq d_model"]:
        """The stream after this block."""
        x = x + self.attention(self.attention_norm(x), cos, sin)
        return x + self.mlp(self.mlp_norm(x))


class Transformer(nn.Module):
    """A language model: token ids in, one score per vocabulary entry and position out.

    `logits[b, t]` scores the token that *follows* `ids[b, t]`; the model shifts nothing itself, so
    targets are the ids one place later. Weights are drawn from `generator`, or from torch's global
    one. `attend` computes the attention of every layer; the default is PyTorch's fused kernel.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        attend: CausalAttention = fused_causal_attention,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config, attend) for _ in range(config.n_layers))
        self.norm = RMSNorm(config.d_model, config.norm_eps)
        self.head = (
            None
            if config.tie_embeddings
            else nn.Linear(config.d_model, config.vocab_size, bias=False)
        )
        initialise(self, config.n_layers, generator)

    def forward(self, ids: Int[Tensor, "batch seq"]) -> Float[Tensor, "batch seq vocab"]:
        """Scores of every next token. Raises ValueError past `config.max_seq_len` tokens."""
        return self.logits(self.embedding(ids))

    def logits(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq vocab"]:
        """The same from vectors instead of ids: where gradients with respect to inputs begin."""
        seq_len = x.shape[1]
        if seq_len > self.config.max_seq_len:
            raise ValueError(
                f"{seq_len} tokens are more than max_seq_len = {self.config.max_seq_len}; "
                "shorten the input or raise max_seq_len"
            )
        # computed anew each time: a stored table would be rounded by model.to(torch.bfloat16)
        positions = torch.arange(seq_len, device=x.device)
        cos, sin = rotary_angles(positions, self.config.d_head, self.config.rope_theta)
        for block in self.blocks:
            x = block(x, cos, sin)
        table = self.embedding.weight if self.head is None else self.head.weight
        return F.linear(self.norm(x), table)
