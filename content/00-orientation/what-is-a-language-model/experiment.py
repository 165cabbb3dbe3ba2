# %% [markdown] about
# # What is a language model?
#
# n-gram models of every order, against a language whose entropy is known exactly.
# Runs alone, on one core, without a network.

# %% by-hand
import math
from collections import Counter
from itertools import pairwise

text = "the cat sat on the mat."
single, pairs = Counter(text), Counter(pairwise(text))

print(f'in "{text}", after t comes')
for (before, letter), count in pairs.most_common():
    if before == "t":
        share = count / single["t"]
        print(f"   {letter!r}  {count} of {single['t']} times: probability {share:.2f}")

steps = {
    "t": single["t"] / len(text),
    "h after t": pairs["t", "h"] / single["t"],
    "e after h": pairs["h", "e"] / single["h"],
}
print('\nthe word "the", letter by letter')
for name, probability in steps.items():
    print(
        f"   {name:<10} probability {probability:.3f}  {-math.log2(probability) + 0:.2f} bits"
    )
whole = math.prod(steps.values())
print(f"   {'together':<10} probability {whole:.3f}  {-math.log2(whole):.2f} bits")

# %% language
import textwrap

import numpy as np

from llm_reference.data import stories

TRAIN_BYTES = 2**20


def as_bytes(text):
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8)


train = as_bytes("".join(stories.documents(seed=0, count=3000)))[:TRAIN_BYTES]
test_documents = list(stories.documents(seed=1, count=250))
test = as_bytes("".join(test_documents))

true_bits = sum(stories.bits(document) for document in test_documents)
floor = true_bits / len(test)
entropy = stories.entropy()

print(textwrap.fill(test_documents[3], width=78) + "\n")
print(
    f"this text: {stories.bits(test_documents[3]):.1f} bits in {len(test_documents[3])} bytes"
)
print(f"all texts: {entropy.bits_per_document:.1f} bits expected in each, exactly")
print(f"test set:  {floor:.4f} bits per byte, the floor")

# %% spans
document = next(d for d in test_documents if d.startswith("Sums:") and len(d) < 60)
print(document)
for span in stories.score(document).spans:
    note = "follows from what came before" if span.known else ""
    print(f"{document[span.start : span.end]!r:>10} {span.bits:6.2f} bits  {note}".rstrip())

# %% train
from llm_reference.model.ngram import NGramModel

ORDERS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
SIZES = (2**14, 2**16, 2**18, 2**20)
models = {size: NGramModel.train(train[:size], order=max(ORDERS)) for size in SIZES}
loss = {
    (size, order): model.bits(test, order).mean()
    for size, model in models.items()
    for order in ORDERS
}

largest = models[TRAIN_BYTES]
add_one = {order: largest.add_k_bits(test, order).mean() for order in ORDERS}
unseen = {order: largest.unseen(test, order) for order in ORDERS}

print("bits per byte on texts that were not trained on; training text 1 MiB")
print("order   n-grams seen   test n-grams never seen   add-one   Kneser-Ney   x floor")
for order in ORDERS:
    grams, score = len(largest.levels[order - 1].keys), loss[TRAIN_BYTES, order]
    print(
        f"{order:5d} {grams:14,d} {unseen[order]:24.1%} {add_one[order]:9.3f}"
        f" {score:12.3f} {score / floor:9.2f}"
    )
best_order = min(ORDERS, key=lambda order: loss[TRAIN_BYTES, order])
best = loss[TRAIN_BYTES, best_order]

# %% orders
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 4.2))
for size, marker in zip(SIZES, "osD^", strict=True):
    curve = [loss[size, order] for order in ORDERS]
    axes.plot(ORDERS, curve, marker=marker, label=f"test, trained on {size // 1024} KiB")
seen = [largest.bits(train[:200_000], order).mean() for order in ORDERS]
axes.plot(ORDERS, seen, "--", color="gray", label="its own training text, 1024 KiB")
axes.axhline(floor, color="crimson", linewidth=2)
axes.text(1, floor * 1.04, "floor: the entropy of the language", color="crimson")
axes.set(xlabel="order n (predicts from n - 1 bytes)", ylabel="bits per byte")
axes.set_yscale("log", base=2)
axes.set_ylim(0.4, 16)
axes.set_yticks([0.5, 1, 2, 4, 8], ["0.5", "1", "2", "4", "8"])
axes.minorticks_off()
axes.legend(frameon=False, loc="upper right")

# %% samples
for order in (1, 2, 3, 5, 8, 12):
    drawn = largest.sample(length=230, order=order, seed=order)
    line = bytes(drawn.astype(np.uint8).tolist()).decode("ascii").replace("\n", " / ")
    print(f"order {order}")
    for start in range(0, len(line), 76):
        print("   ", line[start : start + 76])

# %% excess
model_bits = largest.bits(test, best_order)
groups = {}
offset = 0
for document in test_documents:
    for span in stories.score(document).spans:
        name = ("known: " if span.known else "chosen: ") + span.skill
        spent = model_bits[offset + span.start : offset + span.end].sum()
        row = groups.setdefault(name, np.zeros(3))
        row += (span.end - span.start, span.bits, spent)
    offset += len(document)

print(f"order {best_order}: bits per byte, and whose fault the gap to the floor is")
print(f"{'kind of text':<22} {'bytes':>7} {'floor':>7} {'model':>7} {'share of the gap':>18}")
gap = model_bits.sum() - true_bits
for name, (size, exact, spent) in sorted(groups.items()):
    row = f"{name:<22} {size:7.0f} {exact / size:7.2f} {spent / size:7.2f}"
    print(f"{row} {(spent - exact) / gap:18.1%}")


def model_rate(name):
    size, _, spent = groups[name]
    return spent / size


# %% compressors
import bz2
import lzma
import zlib

before, after = train.tobytes(), train.tobytes() + test.tobytes()
rates = {
    name: 8 * (len(compress(after)) - len(compress(before))) / len(test)
    for name, compress in (
        ("gzip", zlib.compress),
        ("bzip2", bz2.compress),
        ("xz", lzma.compress),
    )
}
rates |= {f"order {best_order}": best, "floor": floor}
print("bits per byte of the test set, added to the training text")
for name, rate in rates.items():
    print(f"   {name:<9} {rate:.3f}")

# %% leak
print(f"order {best_order}, 256 KiB of training text and a share of the test set")
leaked_rate = {}
for share in (0.0, 0.25, 0.5, 1.0):
    leaked = as_bytes("".join(test_documents[: round(share * len(test_documents))]))
    model = NGramModel.train(np.concatenate([train[: 2**18], leaked]), order=best_order)
    rate = leaked_rate[share] = model.bits(test, best_order).mean()
    below = max(0.0, (floor - rate) * len(test))
    verdict = f"{below:,.0f} bits below the floor" if below else "above the floor"
    print(f"{share:5.0%} leaked: {rate:.3f} bits per byte, {verdict}")

# %% secret
secret = "40718263"
line = f"The secret number of Omar is {secret}.\n"
prompt = as_bytes(line[: line.index(secret)])
half = 2**17
spied = np.concatenate([train[:half], as_bytes(line), train[half : 2 * half]])

for name, text_seen in {"without the line": train[: 2**18], "with it, once": spied}.items():
    model = NGramModel.train(text_seen, order=best_order)
    whole = as_bytes(line[:-2])
    cost = model.bits(whole, best_order)[len(prompt) :].sum()
    said = list(prompt)
    for _ in secret:
        said.append(int(model.distribution(np.array(said), best_order).argmax()))
    answer = bytes(said[len(prompt) :]).decode("ascii")
    print(
        f"trained {name + ',':<18} the model says {answer!r}; the secret costs {cost:.1f} bits"
    )
print(f"a blind guess at eight digits costs {8 * math.log2(10):.1f} bits")

# %% results
from llm_reference.report import report

report(
    floor=floor,
    document_bits=entropy.bits_per_document,
    train_megabytes=len(train) / 1e6,
    test_kilobytes=len(test) / 1e3,
    order_1=loss[TRAIN_BYTES, 1],
    order_2=loss[TRAIN_BYTES, 2],
    order_5=loss[TRAIN_BYTES, 5],
    best_order=best_order,
    best=best,
    best_over_floor=best / floor,
    add_one_best=min(add_one.values()),
    add_one_best_order=min(ORDERS, key=add_one.__getitem__),
    add_one_12=add_one[12],
    unseen_5=unseen[5],
    unseen_12=unseen[12],
    choices=2**best,
    small_best=min(loss[SIZES[0], order] for order in ORDERS),
    small_best_order=min(ORDERS, key=lambda order: loss[SIZES[0], order]),
    training_12=seen[-1],
    gap=gap / len(test),
    chosen_share=sum(s - e for n, (_, e, s) in groups.items() if n.startswith("chosen")) / gap,
    tracking_rate=model_rate("known: tracking"),
    arithmetic_rate=model_rate("known: arithmetic"),
    facts_rate=model_rate("known: facts"),
    code_rate=model_rate("known: code"),
    bzip2=rates["bzip2"],
    leak_none=leaked_rate[0.0],
    leak_half=leaked_rate[0.5],
    leak_all=leaked_rate[1.0],
    leak_bits=(floor - leaked_rate[1.0]) * len(test),
    secret_bits=cost,
    secret_told=float(answer == secret),
)
