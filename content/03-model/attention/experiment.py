# %% [markdown] intro
# # Scaled dot-product attention
#
# Every number in the chapter comes from this script. It runs alone: `python experiment.py`.
# It needs `llm_reference`, PyTorch, NumPy and matplotlib, one core and under a minute.

# %% setup
import math
import textwrap
import time

import matplotlib.pyplot as plt
import numpy as np
import torch

from llm_reference.model import ModelConfig, Transformer
from llm_reference.model.attention import (
    attention_weights,
    causal_attention,
    causal_mask,
    fused_causal_attention,
    scaled_dot_product_attention,
    softmax,
)
from llm_reference.report import report
from llm_reference.train import Batch, TrainConfig, TrainingDiverged, train

torch.manual_seed(0)

# %% three-tokens
words = ["the", "cat", "sat"]
Q = torch.tensor([[1.0, 1, 1, 1], [3, 1, 0, 0], [1, 3, 1, 1]])
K = torch.tensor([[2.0, 0, 0, 0], [0, 2, 0, 2], [0, 0, 2, 0]])
V = torch.tensor([[10.0, 0], [0, 10], [10, 10]])

dots = Q @ K.T
scores = dots / math.sqrt(4)
exps = scores.exp() * causal_mask(3, 3)
weights = exps / exps.sum(dim=1, keepdim=True)
output = weights @ V

# %% three-tokens-printed
print("query · key, for each query (row) and key (column)")
for word, row in zip(words, dots.tolist(), strict=True):
    print(f"  {word}:", *(f"{x:5.0f}" for x in row))
print("weights: divided by √4, later tokens hidden, softmax along the row")
for word, row in zip(words, weights.tolist(), strict=True):
    print(f"  {word}:", *(f"{x:6.3f}" for x in row), f"  sum {sum(row):.3f}")
print("output: weighted sum of the values (10, 0), (0, 10), (10, 10)")
for word, row in zip(words, output.tolist(), strict=True):
    print(f"  {word}:", *(f"{x:6.3f}" for x in row))

# %% three-tokens-results
library = torch.nn.functional.scaled_dot_product_attention(
    Q[None], K[None], V[None], is_causal=True
)[0]
assert torch.allclose(output, library)
assert torch.allclose(output, scaled_dot_product_attention(Q, K, V, causal_mask(3, 3)))
# the picture three-tokens.svg shows these two numbers
assert [f"{w:.2f}" for w in weights[2].tolist()] == ["0.05", "0.91", "0.05"]
assert [f"{x:.1f}" for x in output[2].tolist()] == ["0.9", "9.5"]
report(
    sat_on_the=weights[2, 0],
    sat_on_cat=weights[2, 1],
    sat_out_first=output[2, 0],
    sat_out_second=output[2, 1],
    cat_on_the=weights[1, 0],
)

# %% scale
widths = [4, 16, 64, 256, 1024]
n_keys = 64
spread, largest, slope = {}, {}, {}
for scaled in (True, False):
    for d in widths:
        draw = torch.Generator().manual_seed(d)
        q, k = (torch.randn(256, n, d, generator=draw) for n in (1, n_keys))
        s = (q @ k.mT).squeeze(1) / (math.sqrt(d) if scaled else 1.0)
        w = softmax(s)
        # how the weights answer to the scores: d w_i / d s_j = w_i (1[i = j] - w_j)
        jacobian = torch.diag_embed(w) - w[:, :, None] * w[:, None, :]
        spread[scaled, d] = s.std().item()
        largest[scaled, d] = w.amax(1).mean().item()
        slope[scaled, d] = jacobian.flatten(1).norm(dim=1).median().item()

print("            std of scores     largest weight      slope (median norm)")
print("    d    raw      / √d       raw      / √d       raw        / √d")
for d in widths:
    print(
        f"{d:5d} {spread[False, d]:6.1f} {spread[True, d]:9.2f}"
        f" {largest[False, d]:9.2f} {largest[True, d]:9.2f}"
        f" {slope[False, d]:11.1e} {slope[True, d]:9.1e}"
    )

figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained")
panels = {"std of the scores": spread, "largest weight": largest, "slope of softmax": slope}
for axis, (title, series) in zip(axes, panels.items(), strict=True):
    axis.plot(widths, [series[False, d] for d in widths], "o-", label="raw")
    axis.plot(widths, [series[True, d] for d in widths], "s--", label="divided by √d")
    axis.set(xscale="log", title=title, xlabel="width of a head, d")
axes[0].plot(widths, np.sqrt(widths), ":", color="gray", label="√d")
axes[0].set_yscale("log")
axes[2].set_yscale("log")
axes[0].legend()

# %% scale-results
report(
    raw_std_64=spread[False, 64],
    scaled_std_64=spread[True, 64],
    raw_largest_64=largest[False, 64],
    scaled_largest_64=largest[True, 64],
    raw_slope_1024=slope[False, 1024],
    scaled_slope_1024=slope[True, 1024],
)

# %% overflow
for name, dtype in [("float16", torch.float16), ("float32", torch.float32)]:
    largest_number = torch.finfo(dtype).max
    limit = math.log(largest_number)
    print(f"{name}: largest number {largest_number:.4g}, exp overflows past {limit:.2f}")

s = torch.tensor([10.0, 11.0, 12.0], dtype=torch.float16)
bare = s.exp() / s.exp().sum()
stable = (s - s.max()).exp() / (s - s.max()).exp().sum()
print("scores            ", s.tolist())
print("exp               ", s.exp().tolist())
print("bare softmax      ", bare.tolist())
print("highest taken off ", [round(w, 3) for w in stable.tolist()])

# %% overflow-results
report(
    float16_exp_limit=math.log(torch.finfo(torch.float16).max),
    float32_exp_limit=math.log(torch.finfo(torch.float32).max),
    bare_nans=bare.isnan().sum(),
    stable_first=stable[0],
    stable_last=stable[2],
)


# %% gallery-weights
def scores_of(q, k):
    return q @ k.mT / math.sqrt(q.shape[-1])


def triangle(q, shift=0):
    """True on and below the diagonal, moved `shift` keys into the future."""
    return torch.ones(q.shape[-2], q.shape[-2], dtype=torch.bool).tril(shift)


def hide(scores, visible):
    return scores.masked_fill(~visible, -math.inf)


gallery = {
    "right": lambda q, k: torch.softmax(hide(scores_of(q, k), triangle(q)), -1),
    "no scale": lambda q, k: torch.softmax(hide(q @ k.mT, triangle(q)), -1),
    "no mask": lambda q, k: torch.softmax(scores_of(q, k), -1),
    "mask transposed": lambda q, k: torch.softmax(hide(scores_of(q, k), triangle(q).mT), -1),
    "one token ahead": lambda q, k: torch.softmax(hide(scores_of(q, k), triangle(q, 1)), -1),
    "blind to itself": lambda q, k: torch.softmax(hide(scores_of(q, k), triangle(q, -1)), -1),
    "zero, not -inf": lambda q, k: torch.softmax(scores_of(q, k) * triangle(q), -1),
    "mask after softmax": lambda q, k: torch.softmax(scores_of(q, k), -1) * triangle(q),
    "wrong axis": lambda q, k: torch.softmax(hide(scores_of(q, k), triangle(q)), -2),
}

draw = torch.Generator().manual_seed(3)
q, k, v = (torch.randn(8, 16, generator=draw, dtype=torch.float64) for _ in range(3))
checks = {}
for name, weigh in gallery.items():
    inputs = [x.clone().requires_grad_() for x in (q, k, v)]
    w = weigh(inputs[0], inputs[1])
    ahead = 0.0
    for t in range(7):
        slopes = torch.autograd.grad((w @ inputs[2])[t].sum(), inputs, retain_graph=True)
        ahead = max(ahead, *(s[t + 1 :].abs().max().item() for s in slopes))
    w = w.detach()
    checks[name] = {
        "weights": w,
        "sum": (w.sum(-1) - 1).abs().nan_to_num(0).max().item(),
        "future": w.masked_fill(triangle(q), 0).sum(-1).mean().item(),
        "gradient": ahead,
        "nan": int(w.isnan().any(-1).sum()),
    }

print(f"{'':20}{'row sum':>9}{'weight on':>12}{'gradient from':>16}{'rows':>7}")
print(f"{'':20}{'off by':>9}{'the future':>12}{'the future':>16}{'of NaN':>7}")
for name, c in checks.items():
    print(f"{name:20}{c['sum']:9.2f}{c['future']:12.2f}{c['gradient']:16.2f}{c['nan']:7d}")

figure, axes = plt.subplots(3, 3, figsize=(6.2, 6.6), layout="constrained")
for axis, (name, c) in zip(axes.flat, checks.items(), strict=True):
    axis.imshow(c["weights"], vmin=0, vmax=1, cmap="viridis")
    axis.set(title=name, xticks=[], yticks=[])
axes[2, 0].set(xlabel="key", ylabel="query")

# %% gallery-weights-results
report(
    right_gradient=checks["right"]["gradient"],
    after_future=checks["mask after softmax"]["future"],
    after_gradient=checks["mask after softmax"]["gradient"],
    axis_gradient=checks["wrong axis"]["gradient"],
    axis_sum=checks["wrong axis"]["sum"],
    blind_nan=checks["blind to itself"]["nan"],
)

# %% task
LETTERS, BAR, SHORTEST, LONGEST, LENGTH = 26, 26, 6, 10, 32


def lists(n, seed):
    """`n` rows of 33 tokens: a list of 6 to 10 different letters, a bar, the same again."""
    draw = np.random.default_rng(seed)
    rows, periods = [], draw.integers(SHORTEST, LONGEST + 1, size=n) + 1
    for period in periods:
        once = np.append(draw.permutation(LETTERS)[: period - 1], BAR)
        rows.append(np.resize(once, LENGTH + 1))
    return torch.tensor(np.stack(rows)), torch.tensor(periods)


class Lists:
    """Endless fresh batches: a row is never seen twice, so training loss is held-out loss."""

    def __iter__(self):
        step = 0
        while True:
            rows, _ = lists(32, seed=[1, step])
            yield Batch(rows[:, :-1], rows[:, 1:])
            step += 1


# What no honest model can know: the letters of the first list, and where it ends.
sizes = range(SHORTEST, LONGEST + 1)
unknown = np.mean([sum(math.log(LETTERS - i) for i in range(1, n)) for n in sizes])
FLOOR = (unknown + math.log(len(sizes))) / np.mean(sizes)

rows, periods = lists(256, seed=[2])
in_first = torch.arange(1, LENGTH + 1) < periods[:, None]  # is the target in the first list?
print("".join("abcdefghijklmnopqrstuvwxyz|"[i] for i in rows[0].tolist()))
print(f"first list: at least {FLOOR:.4f} nats per token; everything after it: 0")

# %% task-results
report(floor=FLOOR)


# %% gallery-train
def through(weigh):
    return lambda q, k, v: weigh(q, k) @ v


def tiny(attend, layers, width, theta=10_000.0):
    config = ModelConfig(
        vocab_size=27,
        d_model=width,
        n_layers=layers,
        n_heads=1,
        max_seq_len=LENGTH,
        rope_theta=theta,
    )
    return Transformer(config, attend=attend, generator=torch.Generator().manual_seed(0))


def losses(logits, targets):
    return torch.nn.functional.cross_entropy(logits.mT, targets, reduction="none")


@torch.no_grad()
def in_one_pass(model):
    """Loss on the first list, all tokens read at once: what a training log shows."""
    return losses(model(rows[:, :-1]), rows[:, 1:])[in_first].mean().item()


@torch.no_grad()
def one_by_one(model):
    """The same tokens, each predicted from a text that ends before it: as in generation."""
    ends = range(1, LONGEST + 1)
    last = torch.stack([model(rows[:, :t])[:, -1] for t in ends], dim=1)
    return losses(last, rows[:, 1 : LONGEST + 1])[in_first[:, :LONGEST]].mean().item()


recipe = TrainConfig(steps=120, learning_rate=1e-2, final_learning_rate=1e-3, warmup_steps=10)
logged, alone = {}, {}
for name, weigh in gallery.items():
    model = tiny(through(weigh), layers=1, width=32)
    try:
        train(model, Lists(), recipe)
    except TrainingDiverged as stopped:
        print(textwrap.fill(f"{name}: {stopped}", 84, subsequent_indent="  "))
        continue
    logged[name], alone[name] = in_one_pass(model), one_by_one(model)

print(f"{'floor':20}{FLOOR:10.2f} nats per token")
print(f"{'':20}{'one pass':>10}{'one by one':>12}")
for name in logged:
    verdict = "below the floor: it cheats" if logged[name] < FLOOR else ""
    print(f"{name:20}{logged[name]:10.2f}{alone[name]:12.2f}  {verdict}")

figure, axis = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
place = np.arange(len(logged))
axis.barh(place - 0.2, list(logged.values()), 0.4, label="all tokens in one pass")
axis.barh(place + 0.2, list(alone.values()), 0.4, label="one by one, as in generation")
axis.axvline(FLOOR, color="gray", linestyle="--", label="floor")
axis.set_yticks(place, list(logged))
axis.invert_yaxis()
axis.set_xlabel("loss on the first list, nats per token")
figure.legend(loc="outside upper center", ncols=3)

# %% gallery-train-results
report(
    right_logged=logged["right"],
    right_alone=alone["right"],
    no_scale_logged=logged["no scale"],
    no_scale_alone=alone["no scale"],
    zero_logged=logged["zero, not -inf"],
    zero_alone=alone["zero, not -inf"],
    no_mask_logged=logged["no mask"],
    no_mask_alone=alone["no mask"],
    transposed_logged=logged["mask transposed"],
    transposed_alone=alone["mask transposed"],
    ahead_logged=logged["one token ahead"],
    ahead_alone=alone["one token ahead"],
    after_logged=logged["mask after softmax"],
    after_alone=alone["mask after softmax"],
    axis_logged=logged["wrong axis"],
    axis_alone=alone["wrong axis"],
)


# %% induction
@torch.no_grad()
def after_first(model):
    """Loss on everything after the first list, where the right answer is always known."""
    return losses(model(rows[:, :-1]), rows[:, 1:])[~in_first].mean().item()


recipe = TrainConfig(
    steps=350, learning_rate=6e-3, final_learning_rate=6e-4, warmup_steps=20, weight_decay=0.0
)
copying = {}
for layers in (1, 2):
    # theta 30: positions are to differ clearly within 32 tokens, not within 10,000
    model = tiny(fused_causal_attention, layers, width=64, theta=30.0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(5)  # 0.02 suits wide models; 0.1 is about 1/√64
    train(model, Lists(), recipe)
    copying[layers] = after_first(model)
    print(f"{layers} layer(s): loss after the first list {copying[layers]:.2f} nats per token")

one, two = (block.attention for block in model.blocks)
one.attend = lambda q, _k, _v: torch.zeros_like(q)
cut = after_first(model)
print(f"2 layers, attention of layer 1 cut out: {cut:.2f}")

# %% induction-map
seen = []


def watched(q, k, v):
    w = attention_weights(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    seen.append(w[:, 0])
    return w @ v


one.attend = two.attend = watched
with torch.no_grad():
    model(rows[:, :-1])
again = [(r, i, i - p + 1) for r, p in enumerate(periods.tolist()) for i in range(p, 2 * p - 1)]
r, here, successor = (torch.tensor(x) for x in zip(*again, strict=True))
to_successor = seen[1][r, here, successor].mean().item()
by_chance = (1 / (here + 1)).mean().item()
print("second list, layer 2: weight on the token that followed last time")
print(f"  learned {to_successor:.2f}, if spread evenly {by_chance:.2f}")

resting = seen[1][:, :, 0][in_first].mean().item()
print(f"first list, layer 2: weight on the very first token {resting:.2f}")

labels = ["abcdefghijklmnopqrstuvwxyz|"[i] for i in rows[0, :-1].tolist()]
figure, axes = plt.subplots(1, 2, figsize=(9, 4.9), layout="constrained")
for axis, w, title in zip(axes, seen, ["layer 1", "layer 2"], strict=True):
    axis.imshow(w[0], cmap="viridis", vmin=0, vmax=1)
    axis.set(title=title, xlabel="key: the token looked at", ylabel="query: the token looking")
    axis.set_xticks(range(LENGTH), labels, fontsize=7)
    axis.set_yticks(range(LENGTH), labels, fontsize=7)

# %% induction-map-results
report(
    one_layer_loss=copying[1],
    two_layer_loss=copying[2],
    cut_loss=cut,
    to_successor=to_successor,
    by_chance=by_chance,
    resting=resting,
)


# %% cost
def seconds(attend, *inputs):
    """Processor time of the fastest of nine runs: the one that was disturbed least."""
    times = []
    for _ in range(9):
        began = time.process_time()
        attend(*inputs)
        times.append(time.process_time() - began)
    return min(times)


def kept(attend, *inputs):
    """Bytes that the forward pass keeps for the backward pass."""
    storages = {}

    def note(x):
        storages[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        out = attend(*(x.requires_grad_() for x in inputs))
    del out
    return sum(storages.values())


lengths = [256, 512, 1024, 2048]
attends = {"plain": causal_attention, "fused": fused_causal_attention}
took, held = {}, {}
print(f"{'tokens':>7}{'plain ms':>10}{'fused ms':>10}{'plain MiB':>11}{'fused MiB':>11}")
for n in lengths:
    for name, attend in attends.items():
        inputs = [torch.randn(1, 1, n, 64) for _ in range(3)]
        took[name, n] = seconds(attend, *inputs)
        held[name, n] = kept(attend, *inputs)
    times = (1e3 * took[name, n] for name in attends)
    sizes = (held[name, n] / 2**20 for name in attends)
    print(f"{n:7d}", *(f"{x:9.2f}" for x in times), *(f"{x:10.2f}" for x in sizes))

figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for name, mark in zip(attends, ["o-", "s--"], strict=True):
    axes[0].plot(lengths, [1e3 * took[name, n] for n in lengths], mark, label=name)
    axes[1].plot(lengths, [held[name, n] / 2**20 for n in lengths], mark, label=name)
axes[0].set(title="time of one forward pass", ylabel="milliseconds")
axes[1].set(title="kept for the backward pass", ylabel="MiB")
for axis in axes:
    axis.set(xscale="log", yscale="log", xlabel="tokens")
    axis.set_xticks(lengths, lengths)
    axis.minorticks_off()
axes[0].legend()

# %% cost-results
report(
    plain_memory_growth=held["plain", 2048] / held["plain", 1024],
    fused_memory_growth=held["fused", 2048] / held["fused", 1024],
    plain_time_growth=took["plain", 2048] / took["plain", 512],
    fused_time_growth=took["fused", 2048] / took["fused", 512],
    plain_mib_2048=held["plain", 2048] / 2**20,
    fused_mib_2048=held["fused", 2048] / 2**20,
    fused_speedup_2048=took["plain", 2048] / took["fused", 2048],
)


# %% online
def streamed(q, k, v, block):
    """Causal attention that never sees more than `block` keys at once."""
    n, d = q.shape
    highest = torch.full((n, 1), -math.inf, dtype=q.dtype)
    total = torch.zeros(n, 1, dtype=q.dtype)
    mixed = torch.zeros(n, v.shape[1], dtype=q.dtype)
    for start in range(0, n, block):
        keys = torch.arange(start, min(start + block, n))
        scores = q @ k[keys].T / math.sqrt(d)
        scores = scores.masked_fill(keys > torch.arange(n)[:, None], -math.inf)
        higher = torch.maximum(highest, scores.amax(1, keepdim=True))
        shrink = (highest - higher).exp()  # what was summed so far was too large by this
        exps = (scores - higher).exp()
        total = total * shrink + exps.sum(1, keepdim=True)
        mixed = mixed * shrink + exps @ v[keys]
        highest = higher
    return mixed / total


draw = torch.Generator().manual_seed(0)
q, k, v = (torch.randn(1024, 64, generator=draw) for _ in range(3))
exact = causal_attention(q.double(), k.double(), v.double())
streamed_error = (streamed(q, k, v, 32) - exact).abs().max().item()
plain_error = (causal_attention(q, k, v) - exact).abs().max().item()
print(f"largest error against float64: streamed {streamed_error:.1e}, plain {plain_error:.1e}")
print(f"scores held at once: {1024 * 32:,} instead of {1024 * 1024:,}")

# %% online-results
report(streamed_error=streamed_error, plain_error=plain_error)

# %% precision
draw = torch.Generator().manual_seed(0)
unit = torch.randn(256, 256, generator=draw, dtype=torch.float64)
print("std of scores    relative error of the weights when scores are rounded to bfloat16")
wrong = {}
for std in (1, 4, 16):
    s = std * unit
    w, rounded = softmax(s), softmax(s.bfloat16().double())
    wrong[std] = ((rounded - w).abs() / w).amax(1).median().item()
    print(f"{std:13d}    {wrong[std]:.1%}")

# %% precision-results
report(rounding_1=wrong[1], rounding_16=wrong[16])

# %% not-unique
draw = torch.Generator().manual_seed(0)
v = torch.randn(12, 4, generator=draw, dtype=torch.float64)
w = softmax(0.3 * torch.randn(12, generator=draw, dtype=torch.float64))
# a direction that changes neither the sum of the weights nor the mix of the values
constraints = torch.cat([v.T, torch.ones(1, 12, dtype=torch.float64)])
direction = torch.linalg.svd(constraints).Vh[-1]
step = (w / direction.abs()).min()
other = w + step * direction
print("weights          ", " ".join(f"{x:.2f}" for x in w.tolist()))
print("other weights    ", " ".join(f"{x:.2f}" for x in other.clamp(0).tolist()))
same = (w @ v - other @ v).abs().max().item()
print(f"outputs differ by {same:.0e}; the weights by up to {(w - other).abs().max():.2f}")
assert (other >= -1e-12).all()
assert abs(other.sum() - 1) < 1e-12

# %% not-unique-results
report(same_output=same, weights_moved=(w - other).abs().sum() / 2)
