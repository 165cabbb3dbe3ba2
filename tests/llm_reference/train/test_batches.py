"""Windows: shifted by one, within the stream, drawn evenly, the same again."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_reference.train.batches import RandomWindows


@settings(deadline=None)
@given(st.integers(2, 60), st.data())
def test_targets_are_the_inputs_one_place_later_in_the_stream(n, data):
    seq_len = data.draw(st.integers(1, n - 1))
    windows = RandomWindows(torch.arange(n) * 10, batch_size=5, seq_len=seq_len)
    inputs, targets = windows[data.draw(st.integers(0, 9))]
    assert inputs.shape == targets.shape == (5, seq_len)
    assert torch.equal(targets, inputs + 10)
    assert torch.equal(inputs, inputs[:, :1] + 10 * torch.arange(seq_len))


def test_every_start_is_as_likely_as_any_other_first_and_last_included():
    windows = RandomWindows(torch.arange(13), batch_size=2000, seq_len=3)
    starts = torch.cat([windows[i].inputs[:, 0] for i in range(10)])
    counts = starts.bincount(minlength=10)
    assert len(counts) == 10
    expected, sigma = 2000.0, (20_000 * 0.1 * 0.9) ** 0.5
    assert ((counts - expected).abs() < 5 * sigma).all()


def test_a_batch_depends_on_seed_and_number_alone():
    tokens = torch.arange(1000)
    windows = RandomWindows(tokens, batch_size=4, seq_len=8, seed=3)
    in_order = [batch.inputs for batch in islice(windows, 5)]
    torch.manual_seed(99)
    again = RandomWindows(tokens, batch_size=4, seq_len=8, seed=3)
    assert all(torch.equal(again[i].inputs, in_order[i]) for i in (4, 2, 0))
    other = RandomWindows(tokens, batch_size=4, seq_len=8, seed=4)
    assert not torch.equal(other[0].inputs, in_order[0])
    assert not torch.equal(in_order[0], in_order[1])


def test_a_stream_stored_small_comes_out_as_int64():
    windows = RandomWindows(torch.arange(9, dtype=torch.int16), batch_size=1, seq_len=2)
    assert windows[0].inputs.dtype == torch.int64


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.zeros(8), "needs 9 tokens, but the stream has 8"),
        (torch.zeros(3, 9), "one dimension"),
    ],
)
def test_a_stream_that_holds_no_window_is_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        RandomWindows(tokens, batch_size=1, seq_len=8)
