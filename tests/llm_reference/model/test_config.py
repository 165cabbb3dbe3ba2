"""A configuration that cannot be built is refused at once, in words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from llm_reference.model import ModelConfig


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 0}, "vocab_size must be at least 1, but it is 0"),
        ({"n_heads": 3}, "n_heads must divide d_model = 128, but it is 3"),
        ({"d_model": 12, "n_heads": 4}, "must be even, because RoPE rotates pairs, but it is 3"),
        ({"n_kv_heads": 3}, "n_kv_heads must divide n_heads = 4, but it is 3"),
        ({"n_kv_heads": 8}, "n_kv_heads must divide n_heads = 4, but it is 8"),
        ({"n_kv_heads": 0}, "kv_heads must be at least 1"),
        ({"d_ff": 0}, "d_ff must be at least 1"),
        ({"norm_eps": 0.0}, "norm_eps must be above 0"),
        ({"rope_theta": -1.0}, "rope_theta must be above 0"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**{"vocab_size": 10, **changes})


def test_the_default_mlp_has_about_the_parameters_of_a_classic_one():
    for d_model in (128, 256, 512, 768, 1024, 4096):
        width = ModelConfig(vocab_size=1, d_model=d_model).mlp_width
        assert width % 64 == 0
        assert 3 * width == pytest.approx(2 * 4 * d_model, rel=0.07)
    assert ModelConfig(vocab_size=1, d_model=512).mlp_width == 1344


def test_a_planner_can_price_a_model_without_torch():
    code = (
        "import sys; from llm_reference.model.accounting import parameter_count;"
        "from llm_reference.model import ModelConfig;"
        "assert parameter_count(ModelConfig(vocab_size=9)).total; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
