"""The learning rate's shape, from its definition."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.train.schedule import warmup_cosine

runs = st.tuples(st.integers(0, 50), st.integers(1, 500)).map(lambda r: (r[0], r[0] + r[1]))


@settings(deadline=None)
@given(runs)
def test_rises_to_the_peak_then_falls_to_the_floor_on_the_last_step(run):
    warmup, total = run
    rates = [
        warmup_cosine(s, peak=3.0, floor=0.5, warmup_steps=warmup, total_steps=total)
        for s in range(total)
    ]
    assert all(0 < rate <= 3.0 for rate in rates)
    assert rates[:warmup] == pytest.approx([3.0 * (s + 1) / warmup for s in range(warmup)])
    after = rates[max(0, warmup - 1) :]
    assert after == sorted(after, reverse=True)
    assert rates[-1] == pytest.approx(0.5)


def test_the_decay_is_pytorchs_cosine():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=3.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20, eta_min=0.5)
    for step in range(20):
        optimizer.step()
        theirs.step()
        ours = warmup_cosine(step, peak=3.0, floor=0.5, warmup_steps=0, total_steps=20)
        assert ours == pytest.approx(theirs.get_last_lr()[0])


def test_stays_at_the_floor_past_the_end():
    assert warmup_cosine(99, peak=1.0, floor=0.1, warmup_steps=2, total_steps=10) == 0.1
