"""The loop against the same run written out with PyTorch's own parts, and what it refuses."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch.nn.functional import cross_entropy

from llm_reference.model import ModelConfig, Transformer
from llm_reference.train import Batch, RandomWindows, TrainConfig, TrainingDiverged, train

TOKENS = torch.randint(20, (400,), generator=torch.Generator().manual_seed(0))


def small() -> Transformer:
    config = ModelConfig(vocab_size=20, d_model=16, n_layers=1, n_heads=2, max_seq_len=8)
    return Transformer(config, generator=torch.Generator().manual_seed(0))


def windows() -> RandomWindows:
    return RandomWindows(TOKENS, batch_size=4, seq_len=8, seed=1)


def test_a_run_equals_pytorchs_optimizer_schedule_and_clipping():
    config = TrainConfig(
        steps=12, learning_rate=0.02, final_learning_rate=0.002, warmup_steps=4, max_grad_norm=0.3
    )
    ours, theirs = small(), small()
    history = train(ours, windows(), config)

    matrices = [p for n, p in theirs.named_parameters() if "proj" in n]
    others = [p for n, p in theirs.named_parameters() if "proj" not in n]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=0.02,
        betas=(0.9, 0.95),
    )
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 0.25, 1.0, total_iters=3)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8, eta_min=0.002)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[3])
    clipped = 0
    for step, batch in zip(history.steps, windows(), strict=False):
        loss = cross_entropy(theirs(batch.inputs).flatten(0, 1), batch.targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.3)
        clipped += bool(norm > 0.3)
        assert step.loss == pytest.approx(loss.item(), rel=1e-4)
        assert step.grad_norm == pytest.approx(norm.item(), rel=1e-3)
        assert step.learning_rate == pytest.approx(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert clipped, "the limit was low enough to matter"
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


def test_a_gradient_below_the_limit_is_left_alone():
    free, loose = small(), small()
    for model, limit in ((free, float("inf")), (loose, 1e6)):
        train(model, windows(), TrainConfig(steps=3, max_grad_norm=limit))
    for a, b in zip(free.parameters(), loose.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_same_run_twice_gives_the_same_weights_and_losses():
    runs = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        model = small()
        runs.append((train(model, windows(), TrainConfig(steps=5)).losses, model.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(runs[0][1][name], runs[1][1][name]) for name in runs[0][1])


def test_history_counts_steps_tokens_and_time():
    seen = []
    history = train(small(), windows(), TrainConfig(steps=3), seen.append)
    assert history.steps == tuple(seen)
    assert [s.step for s in seen] == [0, 1, 2]
    assert [s.tokens for s in seen] == [32, 64, 96]
    assert history.tokens == 96
    assert all(s.seconds > 0 for s in seen)
    assert history.tokens_per_second == pytest.approx(96 / sum(s.seconds for s in seen))


def test_a_repeating_text_is_learned_to_nothing():
    tokens = torch.arange(400) % 7
    history = train(
        small(),
        RandomWindows(tokens, batch_size=4, seq_len=8),
        TrainConfig(steps=120, learning_rate=2e-2, final_learning_rate=0.0, warmup_steps=5),
    )
    assert history.losses[0] == pytest.approx(torch.tensor(20.0).log().item(), abs=0.2)
    assert history.losses[-1] < 0.01


def test_shuffled_targets_cannot_be_learned_below_their_entropy():
    draw = torch.Generator().manual_seed(0)
    noise = (
        Batch(*torch.randint(20, (2, 16, 8), generator=draw)) for _ in itertools.count()
    )  # fresh noise on every step: nothing to learn, nothing to memorise
    history = train(small(), noise, TrainConfig(steps=60, learning_rate=3e-3))
    assert sum(history.losses[-20:]) / 20 > torch.tensor(20.0).log().item() - 0.05


def test_evaluation_within_on_step_does_not_leave_the_model_in_eval_mode():
    model = small()
    modes = []
    model.register_forward_pre_hook(lambda module, _: modes.append(module.training))
    train(model, windows(), TrainConfig(steps=3), lambda _: model.eval())
    assert modes == [True, True, True]


def test_a_bad_loss_stops_before_the_weights_and_names_the_module():
    model = small()
    good = copy.deepcopy(model.state_dict())

    def break_later(step):
        if step.step == 1:
            good.update(copy.deepcopy(model.state_dict()))
            model.blocks[0].mlp.up_proj.register_forward_hook(
                lambda _m, _i, out: torch.full_like(out, float("inf"))
            )

    with pytest.raises(TrainingDiverged, match=r"step 2: .*output of blocks\.0\.mlp\.\w+ is not"):
        train(model, windows(), TrainConfig(steps=5), break_later)
    assert all(torch.equal(good[name], value) for name, value in model.state_dict().items())


def test_a_bad_gradient_is_named():
    model = small()
    model.blocks[0].attention.k_proj.weight.register_hook(lambda grad: grad * float("nan"))
    with pytest.raises(TrainingDiverged, match=r"gradient of blocks\.0\.attention\.k_proj\.weight"):
        train(model, windows(), TrainConfig(steps=1))


def test_bad_weights_are_named():
    model = small()
    with torch.no_grad():
        model.norm.weight[3] = float("nan")
    with pytest.raises(TrainingDiverged, match=r"the weights norm\.weight are not finite"):
        train(model, windows(), TrainConfig(steps=1))


def test_batches_that_run_out_are_reported():
    few = list(itertools.islice(windows(), 2))
    with pytest.raises(ValueError, match="batches ran out after 2 of 3 steps"):
        train(small(), few, TrainConfig(steps=3))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": 5, "warmup_steps": 6}, "warmup_steps must lie in 0..steps = 5"),
        ({"steps": 5, "learning_rate": 1e-5}, "final_learning_rate must lie in"),
        ({"steps": 5, "max_grad_norm": 0.0}, "max_grad_norm must be above 0"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**wrong)
