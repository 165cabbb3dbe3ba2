"""The training loop: a small transformer learns the story language from one million tokens."""

# %% data
import math

import torch

from llm_reference.data import stories
from llm_reference.report import report
from llm_reference.tokenizer import Tokenizer

END = "<|endoftext|>"
train_texts = list(stories.documents(seed=1, count=9000))
held_out_texts = list(stories.documents(seed=2, count=150))
tokenizer = Tokenizer.train(train_texts[:1000], vocab_size=1024)
end = tokenizer.special[END]


def stream(texts):
    """All texts as one row of ids, an end-of-text token before each."""
    ids = [i for text in texts for i in [end, *tokenizer.encode(text)]]
    return torch.tensor([*ids, end])


train_ids, held_out_ids = stream(train_texts), stream(held_out_texts)
held_out_bytes = sum(len(text.encode()) for text in held_out_texts)
floor_bits = sum(stories.bits(text) for text in held_out_texts)
floor = floor_bits * math.log(2) / (len(held_out_ids) - 1)
print(f"{len(train_ids):,} tokens to learn from, {len(held_out_ids):,} held out")
report(
    held_out_tokens=len(held_out_ids) - 1,
    bytes_per_token=held_out_bytes / (len(held_out_ids) - 1),
    floor_nats_per_token=floor,
    floor_bits_per_byte=floor_bits / held_out_bytes,
)

# %% model
from llm_reference.model import ModelConfig, Transformer
from llm_reference.model.accounting import parameter_count, training_flops_per_token

config = ModelConfig(
    vocab_size=tokenizer.vocab_size, d_model=96, n_layers=3, n_heads=3, max_seq_len=128
)
torch.manual_seed(0)
model = Transformer(config)
count = parameter_count(config)
flops = training_flops_per_token(config, config.max_seq_len)
print(f"{count.total:,} parameters, {count.embedding:,} of them embeddings")
print(f"{flops / 1e6:.2f} million floating-point operations to learn from one token")
report(parameters=count.total, megaflops_per_token=flops / 1e6)

# %% first-loss
from llm_reference.evaluate.perplexity import score_stream


def held_out_loss(model):
    """Nats per token on text that training never sees."""
    return score_stream(model, held_out_ids, context=128).nats_per_token


print(f"ln(vocabulary) = {math.log(config.vocab_size):.3f}")
report(first_loss=held_out_loss(model), uniform_loss=math.log(config.vocab_size))

# %% by-hand
from torch.nn.functional import cross_entropy

from llm_reference.train import RandomWindows
from llm_reference.train.optimizer import AdamW

tiny = ModelConfig(
    vocab_size=tokenizer.vocab_size, d_model=64, n_layers=2, n_heads=2, max_seq_len=64
)
windows = RandomWindows(train_ids, batch_size=16, seq_len=64, seed=0)


def by_hand(steps, learning_rate=3e-3, shift=1, zero_grad=True):
    """The loop in its shortest form; `shift` and `zero_grad` are there to be got wrong."""
    torch.manual_seed(0)
    model = Transformer(tiny)
    optimizer = AdamW(model.parameters(), lr=learning_rate)
    losses = []
    for number in range(steps):
        inputs, targets = windows[number]
        if shift == 0:
            targets = inputs
        if shift == 2:
            inputs, targets = inputs[:, :-1], targets[:, 1:]
        logits = model(inputs)
        loss = cross_entropy(logits.flatten(0, 1), targets.flatten())
        if zero_grad:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


right = by_hand(steps=120)
print([f"{loss:.2f}" for loss in right[::15]])
report(by_hand_loss=sum(right[-10:]) / 10)

# %% mistakes
mistakes = {
    "right": right,
    "targets not shifted": by_hand(120, shift=0),
    "targets shifted twice": by_hand(120, shift=2),
    "gradients never cleared": by_hand(120, zero_grad=False),
    "learning rate 100 times too high": by_hand(120, learning_rate=0.3),
}
for name, losses in mistakes.items():
    end_loss = sum(losses[-10:]) / 10
    print(f"{name:<34} {end_loss:6.2f} nats per token")
report(
    unshifted_loss=sum(mistakes["targets not shifted"][-10:]) / 10,
    double_shift_loss=sum(mistakes["targets shifted twice"][-10:]) / 10,
    uncleared_loss=sum(mistakes["gradients never cleared"][-10:]) / 10,
    high_rate_loss=sum(mistakes["learning rate 100 times too high"][-10:]) / 10,
)

# %% mistakes-plot
import matplotlib.pyplot as plt

fig, ax = plt.subplots()
for (name, losses), style in zip(mistakes.items(), ["-", "--", "-.", ":", "-"], strict=True):
    ax.plot(losses, style, lw=1.4, label=name)
ax.axhline(floor, ls="--", lw=0.8, color="#6f7a86", label="floor")
ax.set(xlabel="step", ylabel="nats per token", ylim=(0, 9))
ax.legend(fontsize=8, ncols=2)

# %% one-batch
from llm_reference.train import TrainConfig, train

torch.manual_seed(0)
memorised = train(
    Transformer(tiny),
    [windows[0]] * 150,
    TrainConfig(steps=150, learning_rate=5e-3, warmup_steps=5),
)
print([f"{loss:.2f}" for loss in memorised.losses[::25]])
report(one_batch_loss=memorised.losses[-1])

# %% train
from llm_reference.inference import generate

batches = RandomWindows(train_ids, batch_size=32, seq_len=128, seed=0)
STEPS = 256  # of 32 windows with 128 tokens each: 1,048,576 tokens
CHECKS = (15, 31, 63, 127, 191, 255)
curve, writing = [(0, held_out_loss(model))], {}


def write(model, texts, seed=0):
    """Texts from nothing but the end-of-text token, drawn at temperature 1."""
    start = torch.full((texts, 1), end)
    drawn = torch.Generator().manual_seed(seed)
    rows = generate(model, start, 160, generator=drawn, context=128, stop=(end,)).tolist()
    return [tokenizer.decode([i for i in row if i != end]) for row in rows]


def on_step(step):
    if step.step in CHECKS:
        curve.append((step.tokens, held_out_loss(model)))
        if step.step in (15, 63, 255):
            writing[step.tokens] = write(model, texts=24)


settings = TrainConfig(
    steps=STEPS,
    learning_rate=4e-3,
    final_learning_rate=2e-4,
    warmup_steps=20,
    weight_decay=0.05,
)
history = train(model, batches, settings, on_step)
final = score_stream(model, held_out_ids, context=128, stride=64, n_bytes=held_out_bytes)
print(f"{history.tokens:,} tokens in {history.seconds:.0f} s")
report(
    tokens=history.tokens,
    tokens_per_second=history.tokens_per_second,
    final_loss=final.nats_per_token,
    final_bits_per_byte=final.bits_per_byte,
    times_the_floor=final.nats_per_token / floor,
)

# %% curve
fig, ax = plt.subplots()
tokens = [step.tokens / 1e6 for step in history.steps]
ax.plot(tokens, history.losses, lw=0.8, alpha=0.6, label="training batch")
ax.plot([t / 1e6 for t, _ in curve], [loss for _, loss in curve], "o-", label="held out")
ax.axhline(floor, ls="--", color="C2", label="floor")
ax.set(xlabel="million tokens seen", ylabel="nats per token", ylim=(0, 7.2))
ax.legend()

# %% samples
import textwrap

for seen, texts in writing.items():
    print(f"--- after {seen:,} tokens\n{textwrap.fill(texts[0].strip()[:300], 84)}\n")


# %% words
import re

WORD = re.compile(r"[A-Za-z]+")
known = {word for text in train_texts for word in WORD.findall(text)}


def is_story(text):
    """Whether the grammar of the story language can produce the text."""
    try:
        stories.bits(text)
    except ValueError:
        return False
    return True


shares = []
for seen, texts in writing.items():
    words = [word for text in texts for word in WORD.findall(text)]
    shares.append(sum(word in known for word in words) / len(words))
    valid = sum(map(is_story, texts))
    print(f"after {seen:>9,} tokens: {shares[-1]:4.0%} real words, {valid} of 24 all correct")
report(real_words_early=shares[0], real_words_late=shares[-1], all_correct=valid)

# %% slope
import numpy as np

seen, excess = np.array([(t, loss - floor) for t, loss in curve[3:]]).T
slope = np.polyfit(np.log(seen), np.log(excess), 1)[0]
for t, e in zip(seen, excess, strict=True):
    print(f"{t:>10,.0f} tokens: {e:.3f} nats above the floor")
report(excess_slope=slope)
