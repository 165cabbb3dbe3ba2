# %% [markdown] about
# # Perplexity and bits per byte
#
# One small transformer, measured well, and measured wrongly in all the usual ways.
# Runs alone, on one core, without a network.

# %% by-hand
import math

steps = {"Mia": 1 / 8, " found": 1 / 4, " the": 1 / 2, " key": 1 / 16, ".": 1}
print("token    probability    bits    nats")
for token, p in steps.items():
    print(f"{token:<8} {p:11.4f} {-math.log2(p) + 0:7.2f} {-math.log(p) + 0:7.2f}")
n_bytes = len("".join(steps).encode())
nats = -math.log(math.prod(steps.values()))
print(f"sum      {'':11} {nats / math.log(2):7.2f} {nats:7.2f}")
mean = nats / len(steps)
print(f"mean     {'':11} {mean / math.log(2):7.2f} {mean:7.2f}")
print(f"\nperplexity    e^{mean:.4f} = 2^{mean / math.log(2):.0f} = {math.exp(mean):.0f}")
print(
    f"bits per byte {nats / math.log(2):.0f} / {n_bytes} = {nats / math.log(2) / n_bytes:.3f}"
)

# %% data
import torch

from llm_reference.data import stories
from llm_reference.tokenizer import Tokenizer

CONTEXT = 128
END = "<|endoftext|>"
train_texts = list(stories.documents(seed=1, count=4500))
test_texts = list(stories.documents(seed=2, count=240))
tokenizer = Tokenizer.train(train_texts[:800], vocab_size=1024)
end = tokenizer.special[END]


def stream(texts):
    """All texts as one row of ids, an end-of-text token before each and after the last."""
    ids = [i for text in texts for i in (end, *tokenizer.encode(text))]
    return torch.tensor([*ids, end])


train_ids, test_ids = stream(train_texts), stream(test_texts)
test_bytes = sum(len(text.encode()) for text in test_texts)
floor_bits = sum(stories.bits(text) for text in test_texts)
floor = floor_bits / test_bytes
print(f"{len(train_ids):,} tokens to train on")
print(f"{len(test_ids) - 1:,} tokens to test on: {len(test_texts)} texts, {test_bytes:,} bytes")
print(f"floor of the test texts: {floor:.4f} bits per byte")

# %% train
import copy

from llm_reference.model import ModelConfig, Transformer
from llm_reference.train import RandomWindows, TrainConfig, train

STEPS = 800  # of 4 windows with 128 tokens each: 409,600 tokens
config = ModelConfig(
    vocab_size=tokenizer.vocab_size, d_model=96, n_layers=2, n_heads=4, max_seq_len=CONTEXT
)
torch.manual_seed(0)
model = Transformer(config)
earlier = {}


def keep(step):
    if step.step == STEPS * 9 // 10:
        earlier["model"] = copy.deepcopy(model)


history = train(
    model,
    RandomWindows(train_ids, batch_size=4, seq_len=CONTEXT, seed=0),
    TrainConfig(steps=STEPS, learning_rate=4e-3, final_learning_rate=2e-4, warmup_steps=40),
    keep,
)
print(f"{history.tokens:,} tokens in {history.seconds:.0f} s")

# %% score
from llm_reference.evaluate.perplexity import score_stream

score = score_stream(model, test_ids, context=CONTEXT, stride=64, n_bytes=test_bytes)
bits_per_token = score.nats_per_token / math.log(2)
print(f"{score.nats_per_token:8.4f}  nats per token, the loss")
print(f"{bits_per_token:8.4f}  bits per token")
print(f"{score.perplexity:8.4f}  perplexity, of {config.vocab_size} possible tokens")
print(f"{score.bits_per_byte:8.4f}  bits per byte")
print(f"{floor:8.4f}  bits per byte, the floor")
print(f"{score.bits_per_byte / floor:8.4f}  times the floor")

# %% tokenizers
import matplotlib.pyplot as plt
import numpy as np

from llm_reference.model.ngram import NGramModel

ORDERS = {256: 9, 320: 6, 512: 5, 1024: 4, 4096: 3}  # each looks back about 8 bytes
learner = Tokenizer.train(train_texts[:1500], vocab_size=max(ORDERS))
sizes, perplexities, rates = [], [], []
print("vocabulary   tokens   order   nats/token   perplexity   bits/byte")
for size, order in ORDERS.items():
    cut = Tokenizer(learner.merges[: size - 256], learner.pattern)
    seen, unseen = (
        np.array([i for text in texts for i in cut.encode(text)])
        for texts in (train_texts[:1500], test_texts)
    )
    newline = cut.encode("\n")[0]
    counts = NGramModel.train(seen, order=order, vocab_size=cut.vocab_size, start=newline)
    bits = counts.bits(unseen, order)
    sizes.append(cut.vocab_size)
    perplexities.append(2 ** bits.mean())
    rates.append(bits.sum() / test_bytes)
    print(
        f"{sizes[-1]:10d} {len(unseen):8,d} {order:7d} {bits.mean() * math.log(2):12.3f}"
        f" {perplexities[-1]:12.2f} {rates[-1]:11.3f}"
    )
perplexity_spread = max(perplexities) / min(perplexities)
rate_spread = max(rates) / min(rates)
print(f"largest over smallest {perplexity_spread:37.1f} {rate_spread:11.2f}")

figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
labels = [str(size) for size in sizes]
for axis, values, name in zip(
    axes, (perplexities, rates), ("perplexity", "bits per byte"), strict=True
):
    axis.bar_label(axis.bar(labels, values), fmt="%.2f")
    axis.set(xlabel="vocabulary", title=name, ylim=(0, 1.15 * max(values)))
axes[1].axhline(floor, color="crimson", linestyle="--")

# %% skills
from torch.nn.functional import cross_entropy


def nats_of(model, ids):
    """-ln p of ids[1:], each given all ids before it."""
    with torch.inference_mode():
        return cross_entropy(model(ids[None, :-1])[0], ids[1:], reduction="none").double()


def stream_nats(model, ids, stride=64):
    """-ln p of ids[1:], by the windows of `score_stream`."""
    parts = [nats_of(model, ids[: CONTEXT + 1])]
    for end_at in range(CONTEXT + stride, len(ids) - 1 + stride, stride):
        last = min(end_at, len(ids) - 1)
        fresh = last - sum(map(len, parts))
        parts.append(nats_of(model, ids[last - CONTEXT : last + 1])[-fresh:])
    return torch.cat(parts)


token_bits = stream_nats(model, test_ids).numpy() / math.log(2)
assert math.isclose(token_bits.sum() * math.log(2), score.nats, rel_tol=1e-4)

table = {}  # skill: tokens, bits of the floor, bits of the model
at = 0
for text in test_texts:
    spans = stories.score(text).spans
    skill_at = [span.skill for span in spans for _ in range(span.end - span.start)]
    for span in spans:
        table.setdefault(span.skill, np.zeros(3))[1] += span.bits
    read = 0
    for token in tokenizer.encode(text):
        read += len(tokenizer.decode_bytes([token]))
        table[skill_at[read - 1]] += (1, 0, token_bits[at])  # its last byte tells its skill
        at += 1
    table.setdefault("end of text", np.zeros(3))[:] += (1, 0, token_bits[at])
    at += 1
excess_total = sum(spent - least for _, least, spent in table.values())
print("bits per token    tokens    floor    model   excess   share of all excess")
for skill in sorted(table, key=lambda s: table[s][1] - table[s][2]):
    n, least, spent = table[skill]
    print(
        f"{skill:<14} {n:9,.0f} {least / n:8.2f} {spent / n:8.2f} {(spent - least) / n:8.2f}"
        f" {(spent - least) / excess_total:21.1%}"
    )


def excess(skill):
    """Bits per token above the floor."""
    n, least, spent = table[skill]
    return (spent - least) / n


# %% skill-chart
figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
names = sorted(table, key=excess)
floors = [table[name][1] / table[name][0] for name in names]
axes.barh(names, floors, color="0.65", label="floor: no model can know")
extra = axes.barh(names, [excess(n) for n in names], left=floors, hatch="//", edgecolor="w")
extra.set_label("excess: what this model does not know")
axes.set(xlabel="bits per token")
axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.45, 1), ncols=2)

# %% stride
from itertools import pairwise

STRIDES = (128, 112, 96, 64, 32, 16)
part = test_ids[:10_001]
curve = {
    s: score_stream(model, part, context=CONTEXT, stride=s).nats_per_token for s in STRIDES
}
lowest = min(curve.values())
print("stride   least context    cost   nats per token   perplexity   too high by")
for s, nats in curve.items():
    print(
        f"{s:6d} {CONTEXT - s + 1:15d} {CONTEXT / s:6.1f}x {nats:16.4f}"
        f" {math.exp(nats):12.3f} {nats / lowest - 1:13.2%}"
    )

whole = (len(test_ids) - 1) // CONTEXT * CONTEXT  # windows without overlap, in one row each
inputs, targets = test_ids[:whole].view(-1, CONTEXT), test_ids[1 : whole + 1].view(-1, CONTEXT)
with torch.inference_mode():
    losses = cross_entropy(model(inputs).transpose(1, 2), targets, reduction="none").double()
edges = (0, 1, 2, 4, 8, 16, 32, 64, 128)
by_place = [losses[:, a:b].mean().item() for a, b in pairwise(edges)]

figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
left.stairs(by_place, [e + 1 for e in edges], linewidth=2, baseline=None)
left.set_xscale("log", base=2)
left.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
left.set(xlabel="tokens read in the window", ylabel="nats per token", ylim=(0, None))
right.plot([CONTEXT / s for s in STRIDES], list(curve.values()), "o-")
right.set_xscale("log", base=2)
right.set_xticks([1, 2, 4, 8], ["1x", "2x", "4x", "8x"])
right.set(xlabel="cost: context / stride", ylabel="nats per token")
for axis in (left, right):
    axis.minorticks_off()

# %% mistakes
short = [t for t in test_texts if len(tokenizer.encode(t)) < CONTEXT]
rows = [torch.tensor([end, *tokenizer.encode(t), end]) for t in short]
per_text = [nats_of(model, row) for row in rows]  # each text from its own beginning
right_loss = torch.cat(per_text).mean().item()
text_means = [nats.mean().item() for nats in per_text]

scored_pads, n_places = 0.0, 0
for first in range(0, len(rows), 8):
    batch = rows[first : first + 8]
    block = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=end)
    with torch.inference_mode():
        logits = model(block[:, :-1]).transpose(1, 2)
    scored_pads += cross_entropy(logits, block[:, 1:], reduction="sum").item()
    n_places += block[:, 1:].numel()


def careless_windows(stride, skip):
    """Windows every `stride` tokens; each scores all of its tokens but the first `skip`."""
    starts = range(0, len(test_ids) - CONTEXT, stride)
    parts = [nats_of(model, test_ids[s : s + CONTEXT + 1])[skip:] for s in starts]
    return torch.cat(parts).mean().item()


def show(title, right, wrong):
    """One table: the right value, and how far the wrong ones are from it."""
    print(f"{right:8.4f}           {title}")
    for name, value in wrong.items():
        print(f"{value:8.4f} {value / right - 1:+8.1%}     {name}")
    print()


of_texts = {
    "mean of the texts' means": sum(text_means) / len(text_means),
    "padding scored as if it were text": scored_pads / n_places,
    "padding counted in the denominator": torch.cat(per_text).sum().item() / n_places,
}
show(f"loss, {len(short)} texts, each on its own", right_loss, of_texts)
of_stream = {
    "stride 64, overlaps scored twice": careless_windows(64, 0),
    "no overlap at all": careless_windows(128, 0),
    "no overlap, first token of each dropped": careless_windows(128, 1),
}
show("loss, stream, stride 64, every token once", score.nats_per_token, of_stream)
of_ratios = {
    "mean of the texts' perplexities": sum(map(math.exp, text_means)) / len(text_means),
    "mean of 1/p over all tokens": torch.cat(per_text).exp().mean().item(),
}
show("perplexity, texts", math.exp(right_loss), of_ratios)
per_byte = score.bits_per_byte
marker_bytes = len(test_texts) * len(END)
of_bytes = {
    "bytes of the end-of-text marker counted": per_byte
    * test_bytes
    / (test_bytes + marker_bytes),
    "first of every 128 tokens not scored": per_byte
    * (losses[:, 1:].sum() / losses.sum()).item(),
}
show("bits per byte, stream", per_byte, of_bytes)

# %% compare
LENGTHS = np.array([len(text.encode()) for text in test_texts])
owner = ((test_ids[:-1] == end).cumsum(0) - 1).numpy()  # of each scored token: its text


def bits_by_text(model):
    """The bits of every text in the stream, its end included."""
    nats = stream_nats(model, test_ids).numpy()
    return np.bincount(owner, weights=nats) / math.log(2)


def rate(bits):
    return bits.sum() / LENGTHS.sum()


def standard_error(bits):
    """Of `rate`, for texts drawn independently: a ratio of two means."""
    residual = bits - rate(bits) * LENGTHS
    return math.sqrt(len(bits) / (len(bits) - 1) * (residual**2).sum()) / LENGTHS.sum()


def p_value(z):
    return math.erfc(abs(z) / math.sqrt(2))  # two-sided, normal


a, b = bits_by_text(earlier["model"]), bits_by_text(model)
gap, own, paired = rate(a - b), standard_error(b), standard_error(a - b)
unpaired = math.hypot(standard_error(a), own)
as_tokens = token_bits.std() * math.sqrt(len(token_bits)) / test_bytes
print(f"{rate(a):.4f} +- {standard_error(a):.4f} bits per byte: A, at 90 % of the steps")
print(f"{rate(b):.4f} +- {own:.4f} bits per byte: B, at the end")
print(f"{gap:.4f}: A - B, that is {gap / rate(b):.2%}; n = {len(a)} texts")
for name, error in {"unpaired": unpaired, "paired": paired}.items():
    z = gap / error
    print(f"       +- {error:.4f} {name}: z = {z:.2f}, p = {p_value(z):.2g}")

draw = np.random.default_rng(0)
picks = draw.integers(len(a), size=(4000, len(a)))
low, high = np.quantile((a - b)[picks].sum(1) / LENGTHS[picks].sum(1), (0.025, 0.975))
print(f"{low:.4f} to {high:.4f}: A - B by a bootstrap of texts, 95 % of 4000")
print(f"       +- {as_tokens:.4f} for B, if tokens were independent")

# %% power
ONE_PERCENT = 0.01 * rate(b)
Z = 1.960 + 0.842  # two-sided 5 %, found four times in five
n_tokens = len(test_ids) - 1
needed, seen_at = {}, np.logspace(2.5, 6.5, 40)
figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
for (name, error), style in zip(
    {"unpaired": unpaired, "paired": paired}.items(), ("--", "-"), strict=True
):
    needed[name] = n_tokens * (Z * error / ONE_PERCENT) ** 2
    print(f"{needed[name]:10,.0f} tokens to see a difference of 1 %, {name}")
    visible = Z * error * np.sqrt(n_tokens / seen_at) / ONE_PERCENT
    axes.loglog(seen_at, visible, style, label=name)
axes.axhline(1, color="0.6", linewidth=1)
axes.set(xlabel="tokens of held-out text", ylabel="smallest difference\nlikely to be seen (%)")
axes.legend(frameon=False)

# %% leak
leaked = short[:12]
spied = copy.deepcopy(model)
train(
    spied,
    RandomWindows(stream([*train_texts[:30], *leaked]), batch_size=4, seq_len=CONTEXT, seed=1),
    TrainConfig(steps=200, learning_rate=3e-3, final_learning_rate=3e-4, warmup_steps=10),
)


def bits_alone(model, texts):
    """The bits of each text read from its own beginning, without its end."""
    ids = [torch.tensor([end, *tokenizer.encode(text)]) for text in texts]
    return np.array([nats_of(model, row).sum().item() for row in ids]) / math.log(2)


exact = np.array([stories.bits(text) for text in short])
was_leaked = np.array([text in leaked for text in short])
threshold = math.log2(len(short) / 0.001)  # less than one false alarm in 1000 such tests
verdicts = {}
print(f"{len(short)} texts, {was_leaked.sum()} leaked; guilty if {threshold:.1f} bits below")
for name, judged in {"honest": model, "with the leak": spied}.items():
    needs = bits_alone(judged, short)
    guilty = exact - needs > threshold
    verdicts[name] = needs.sum() / exact.sum(), guilty & was_leaked, guilty & ~was_leaked
    times, caught, wrongly = verdicts[name]
    print(
        f"   {name:<14} {times:.2f} times the floor in all;"
        f" guilty: {caught.sum()} leaked texts, {wrongly.sum()} others"
    )

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
axes.plot(exact[~was_leaked], needs[~was_leaked], "o", alpha=0.6, label="not leaked")
axes.plot(exact[was_leaked], needs[was_leaked], "s", color="crimson", label="leaked")
axes.plot([0, exact.max()], [0, exact.max()], color="0.5", label="floor")
axes.set(xlabel="bits in the text", ylabel="bits that the model needs", ylim=(0, None))
axes.legend(frameon=False, loc="upper left")

# %% compress
import textwrap
import zlib
from fractions import Fraction

TOTAL = 2**30


def shares(model, ids):
    """The model's distribution after `ids` in whole numbers above 0 that add up to TOTAL."""
    with torch.inference_mode():
        p = torch.softmax(model(torch.tensor([ids]))[0, -1].double(), -1).numpy()
    counts = np.floor(p * (TOTAL - len(p))).astype(np.int64) + 1
    counts[counts.argmax()] += TOTAL - counts.sum()
    return counts


def compress(model, text):
    """A number in the interval that belongs to the text, with as few bits as will do."""
    low, width, ids = Fraction(0), Fraction(1), [end]
    for token in (*tokenizer.encode(text), end):
        counts = shares(model, ids)
        low += width * Fraction(int(counts[:token].sum()), TOTAL)
        width *= Fraction(int(counts[token]), TOTAL)
        ids.append(token)
    n_bits = 0
    while math.ceil(low * 2**n_bits) >= (low + width) * 2**n_bits:
        n_bits += 1
    return format(math.ceil(low * 2**n_bits), f"0{n_bits}b")


def decompress(model, code):
    """The text again: at every step, the token in whose share the number lies."""
    number, ids = Fraction(int(code, 2), 2 ** len(code)), [end]
    while len(ids) == 1 or ids[-1] != end:
        counts = shares(model, ids)
        above = np.cumsum(counts)
        token = int(np.searchsorted(above, math.floor(number * TOTAL), side="right"))
        number = (number * TOTAL - int(above[token] - counts[token])) / int(counts[token])
        ids.append(token)
    return tokenizer.decode(ids[1:-1])


text = next(t for t in short[12:] if t.startswith("Dear ") or len(t) > 300)
code = compress(model, text)
assert decompress(model, code) == text
ids = torch.tensor([end, *tokenizer.encode(text), end])
surprise = nats_of(model, ids).sum().item() / math.log(2)
for line in text.splitlines():
    print(textwrap.fill(line, width=76))
print(f"\nthe text       {8 * len(text):6d} bits")
print(f"zlib           {8 * len(zlib.compress(text.encode(), 9)):6d} bits")
print(f"this model     {len(code):6d} bits, for a surprise of {surprise:.2f}")
print(f"the floor      {stories.bits(text):8.1f} bits")
print("\nall that has to be stored, in hex")
print(textwrap.fill(f"{int(code, 2):x}", width=76))

# %% results
from llm_reference.report import report

report(
    floor=floor,
    test_tokens=n_tokens,
    test_kilobytes=test_bytes / 1e3,
    nats_per_token=score.nats_per_token,
    perplexity=score.perplexity,
    bits_per_byte=score.bits_per_byte,
    times_the_floor=score.bits_per_byte / floor,
    small_vocabulary_perplexity=perplexities[0],
    large_vocabulary_perplexity=perplexities[-1],
    perplexity_spread=perplexity_spread,
    rate_spread=rate_spread,
    form_share=(table["form"][2] - table["form"][1]) / excess_total,
    form_excess=excess("form"),
    tracking_excess=excess("tracking"),
    first_token_loss=by_place[0],
    late_token_loss=by_place[-1],
    no_overlap_too_high=curve[128] / lowest - 1,
    half_overlap_too_high=curve[64] / lowest - 1,
    mean_of_means=of_texts["mean of the texts' means"] / right_loss - 1,
    padding_scored=scored_pads / n_places / right_loss - 1,
    padding_divided=of_texts["padding counted in the denominator"] / right_loss - 1,
    overlap_twice=of_stream["stride 64, overlaps scored twice"] / score.nats_per_token - 1,
    no_overlap=of_stream["no overlap at all"] / score.nats_per_token - 1,
    mean_of_exp=of_ratios["mean of the texts' perplexities"]
    / math.exp(of_texts["mean of the texts' means"])
    - 1,
    mean_of_inverse=of_ratios["mean of 1/p over all tokens"],
    text_perplexity=math.exp(right_loss),
    marker_bytes=of_bytes["bytes of the end-of-text marker counted"] / score.bits_per_byte - 1,
    first_dropped=of_bytes["first of every 128 tokens not scored"] / score.bits_per_byte - 1,
    gap_share=gap / rate(b),
    own_error=own,
    error_as_tokens=as_tokens,
    unpaired_error=unpaired,
    paired_error=paired,
    paired_z=gap / paired,
    unpaired_p=p_value(gap / unpaired),
    unpaired_kilotokens=needed["unpaired"] / 1e3,
    paired_kilotokens=needed["paired"] / 1e3,
    leak_texts=len(short),
    leak_times=verdicts["with the leak"][0],
    leak_caught=verdicts["with the leak"][1].sum(),
    leak_false=verdicts["with the leak"][2].sum(),
    honest_guilty=verdicts["honest"][1].sum() + verdicts["honest"][2].sum(),
    code_bits=len(code),
    code_over_surprise=len(code) - surprise,
    zlib_bits=8 * len(zlib.compress(text.encode(), 9)),
    text_bits=8 * len(text),
)
