"""AdamW against PyTorch's, and against its formula by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.model import ModelConfig, Transformer
from llm_reference.train.optimizer import AdamW, parameter_groups


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 2**31),
    st.floats(1e-4, 1e-1),
    st.floats(0, 0.99),
    st.floats(0.5, 0.9999),
    st.floats(0, 0.5),
)
def test_many_steps_equal_pytorchs_adamw(seed, lr, beta1, beta2, weight_decay):
    settings_ = {"lr": lr, "betas": (beta1, beta2), "eps": 1e-8, "weight_decay": weight_decay}
    draw = torch.Generator().manual_seed(seed)
    start = torch.randn(7, 5, generator=draw, dtype=torch.float64)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    optimizers = [AdamW([ours], **settings_), torch.optim.AdamW([theirs], **settings_)]
    for number in range(200):
        gradient = torch.randn(7, 5, generator=draw, dtype=torch.float64) * 10 ** (number % 5 - 2)
        for optimizer, parameter in zip(optimizers, (ours, theirs), strict=True):
            parameter.grad = gradient.clone()
            for group in optimizer.param_groups:
                group["lr"] = lr / (1 + number % 7)  # a schedule changes it under way
            optimizer.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_the_first_step_moves_every_weight_by_lr_whatever_the_gradients_size():
    weight = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    weight.grad = torch.tensor([1e-3, -5.0, 1e3], dtype=torch.float64)
    AdamW([weight], lr=0.01, eps=1e-12, weight_decay=0).step()
    torch.testing.assert_close(weight.data, torch.tensor([-0.01, 0.01, -0.01]).double())


def test_decay_shrinks_weights_apart_from_the_gradient():
    weight = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    weight.grad = torch.zeros(1, dtype=torch.float64)
    AdamW([weight], lr=0.1, weight_decay=0.5).step()
    assert weight.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5))


def test_a_parameter_without_gradient_does_not_move():
    used, unused = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    used.grad = torch.ones(2)
    AdamW([used, unused], lr=0.1).step()
    assert torch.equal(unused.data, torch.ones(2))
    assert not torch.equal(used.data, torch.ones(2))


def test_a_saved_state_goes_on_as_if_never_stopped():
    def run(stop_at: int | None) -> torch.Tensor:
        weight = torch.nn.Parameter(torch.ones(4))
        optimizer = AdamW([weight], lr=0.1)
        for number in range(10):
            if number == stop_at:
                state = optimizer.state_dict()
                optimizer = AdamW([weight], lr=0.1)
                optimizer.load_state_dict(state)
            weight.grad = torch.full((4,), math.sin(number + 1.0))
            optimizer.step()
        return weight.data

    assert torch.equal(run(None), run(5))


@pytest.mark.parametrize(
    "wrong", [{"lr": -1.0}, {"lr": 1.0, "betas": (1.0, 0.9)}, {"lr": 1.0, "eps": -1.0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        AdamW([torch.nn.Parameter(torch.ones(1))], **wrong)


@pytest.mark.parametrize("tied", [True, False])
def test_matrices_alone_decay_and_every_parameter_is_in_one_group(tied):
    model = Transformer(
        ModelConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, tie_embeddings=tied)
    )
    decayed, kept = parameter_groups(model, 0.1)
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.1, 0.0)
    ids = [id(p) for group in (decayed, kept) for p in group["params"]]
    assert sorted(ids) == sorted(id(p) for p in model.parameters())
    names = {id(p): name for name, p in model.named_parameters()}
    kept_names = {names[id(p)] for p in kept["params"]}
    assert kept_names == {
        "embedding.weight",
        "norm.weight",
        "blocks.0.attention_norm.weight",
        "blocks.0.mlp_norm.weight",
    }


def test_frozen_parameters_are_left_out():
    model = torch.nn.Linear(2, 2)
    model.weight.requires_grad = False
    assert sum(len(g["params"]) for g in parameter_groups(model, 0.1)) == 1
