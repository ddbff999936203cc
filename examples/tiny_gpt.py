"""Train a small GPT to write, and let it write with and without a cache of keys and values.

    python examples/tiny_gpt.py [--help]

The network is a transformer of three blocks that sees up to 128 characters of Python's help topics (see characters.py) and
learns to foretell the next one.  When it writes, the keys and values of the letters before are kept, so that each new letter
costs one row instead of the whole text again: the same letters come, in a fraction of the time.
"""

import math
import sys
import time

import numpy as np
from characters import Text, draw
from commandline import options, run
from pictures import BLUE, GREY, ORANGE, write

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F

BATCH, CONTEXT, TEXTS = 16, 128, 8


class Attention(nn.Module):
    """Causal attention of several heads, to the letters up to now; with a cache it is given one letter of each text at a time.

    What a head sees is weakened with the distance, by another factor for each head, and this is all that tells it where a letter
    stands (Press, Smith and Lewis, Train Short, Test Long, 2022).
    """

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.into, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, seen, cache=None):
        query, key, value = self.into(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if cache is not None:
            key, value = cache.put(self, key, value)
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return self.out(found.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a network of two layers for each letter, each added to what came in."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, seen, cache=None):
        x = x + self.dropout(self.attention(self.norm1(x), seen, cache))
        return x + self.dropout(self.network(self.norm2(x)))


class GPT(nn.Module):
    """Letters (N, T) -> scores of the letters after them (N, T, letters)."""

    def __init__(self, letters, width=96, heads=4, blocks=3, dropout=0.05):
        super().__init__()
        self.letter = nn.Embedding(letters, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(blocks))
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, letters)
        places = ct.arange(CONTEXT)
        distance = places[:, None] - places
        slopes = 2.0 ** (-2 * ct.arange(1, heads + 1))[:, None, None]
        self.register_buffer("seen", ct.where(distance < 0, -1e4, -slopes * distance), persistent=False)

    def forward(self, letters, cache=None):
        x = self.letter(letters)
        seen = self.seen[:, :x.shape[1], :x.shape[1]] if cache is None else self.seen.index_select(1, cache.at)
        for block in self.blocks:
            x = block(x, seen, cache)
        return self.output(self.norm(x))


class Cache:
    """The keys and values of the letters so far, of some texts, and the place `at` of the letters that are read now.

    The place is a tensor, so that a compiled function is captured once for all places.
    """

    def __init__(self, model, texts):
        heads = model.blocks[0].attention.heads
        shape = texts, heads, CONTEXT, model.letter.embedding_dim // heads
        zeros = model.letter.weight.new_zeros
        self.kept = {block.attention: (zeros(shape), zeros(shape)) for block in model.blocks}
        self.at = ct.zeros(1, dtype=ct.int64)

    def put(self, layer, key, value):
        """Keep the keys and values of a letter, and return those of all places."""
        for kept, new in zip(self.kept[layer], (key, value), strict=True):
            kept.index_copy_(2, self.at, new)
        return self.kept[layer]


def batches(places, count):
    """As many random batches of CONTEXT letters and the letters after them."""
    rows = ct.tensor(places).unfold(0, CONTEXT + 1, 1)
    for chosen in ct.randint(len(rows), (count, BATCH)):
        windows = rows[chosen]
        yield windows[:, :-1], windows[:, 1:]


def loss_of(model, letters, after):
    return F.cross_entropy(model(letters).flatten(0, 1).float(), after.flatten())


def training_step(model, optimizer):
    """A function of letters and the letters after them that makes one step, and returns the loss."""
    def step(letters, after):
        loss = loss_of(model, letters, after)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        return loss.detach()

    return step


@ct.no_grad()
def bits(model, places):
    """Bits a character of a text, cut into pieces of CONTEXT letters."""
    model.eval()
    count = (len(places) - 1) // CONTEXT
    letters, after = (ct.tensor(places[shift:][:count * CONTEXT].reshape(count, CONTEXT)) for shift in (0, 1))
    losses = [loss_of(model, *pair) for pair in zip(letters.split(BATCH), after.split(BATCH), strict=True)][:-1]
    model.train()
    return ct.stack(losses).mean().item() / math.log(2)


def choose(scores, noise):
    """Draw a letter for each text (N, 1): the highest of scores and Gumbel noise is distributed as softmax(scores) says."""
    return (scores.float() + noise).argmax(-1, keepdim=True)


@ct.no_grad()
def write_plainly(model, start, noise):
    """Go on from `start`, a text for each row of noise (TEXTS, CONTEXT, letters), reading all of it for each letter: (TEXTS, T)."""
    letters = ct.tensor(start).expand(TEXTS, -1)
    for at in range(len(start), CONTEXT):
        letters = ct.cat([letters, choose(model(letters)[:, -1], noise[:, at])], dim=1)
    return letters.tolist()


@ct.no_grad()
def write_cached(model, start, noise, compiled):
    """The same with a cache: each letter is read once."""
    cache = Cache(model, TEXTS)

    def read(letters, noise):
        chosen = choose(model(letters, cache)[:, -1], noise)
        cache.at += 1
        return chosen

    read = ct.compile(read, disable=not compiled)
    letters = list(ct.tensor(start).expand(TEXTS, -1).split(1, dim=1))
    for at in range(1, CONTEXT):
        chosen = read(letters[at - 1], noise[:, at])
        if at == len(letters):
            letters.append(chosen)
    return ct.cat(letters, dim=1).tolist()


def timed(function, *arguments):
    """What the function returns the second time, and the seconds it took: the first time kernels are compiled."""
    function(*arguments)
    start = time.perf_counter()
    return function(*arguments), time.perf_counter() - start


def picture(figure, history, test, baseline, texts, times):
    """Draw the curve of training, what was written, and how long it took."""
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.5))
    top, bottom = left.subplots(2, 1, height_ratios=(2.6, 1))
    smooth = np.convolve(history, np.ones(10) / 10, "valid")
    top.plot(np.arange(len(smooth)) + 10, smooth, label="GPT, training")
    top.axhline(test, color=ORANGE, label=f"GPT, test: {test:.2f}")
    top.axhline(baseline, color=GREY, linestyle="--", label=f"pairs of letters: {baseline:.2f}")
    top.set(title="bits a character", xlabel="training step", ylim=(0, None))
    top.legend(loc="lower left")
    bars = bottom.barh(list(times), list(times.values()), color=(GREY, BLUE))
    bottom.bar_label(bars, fmt="%.1f", padding=3)
    bottom.set(title=f"milliseconds for a letter of {TEXTS} texts")
    bottom.grid(False)
    bottom.spines["bottom"].set_visible(False)
    bottom.set_xticks([])
    right.suptitle("what the GPT writes, from the same first words", fontsize=11)
    for axes, text in zip(right.subplots(4, 2).flat, texts, strict=True):
        draw(axes, "", text, width=44, lines=7)


def main(arguments=None):
    chosen = options("tiny_gpt", "Train a small GPT to write.", arguments, epochs=4,
                     temperature={"type": float, "default": 0.7, "help": "of what is written: low is safe, high is bold"})
    if chosen.temperature <= 0:
        sys.exit("tiny_gpt: --temperature must be above 0")
    text = Text()
    model = GPT(len(text.letters)).to(chosen.device, chosen.dtype)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{parameters} parameters; {len(text.training)} characters to learn from, {len(text.test)} to test with.")

    count = len(text.training) // (BATCH * CONTEXT)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1, eps=1e-8 if chosen.dtype != ct.float16 else 1e-4)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, chosen.epochs * count, pct_start=0.1)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)
    history = []
    for epoch in range(1, chosen.epochs + 1):
        losses = []
        for letters, after in batches(text.training, count):
            losses.append(step(letters, after))
            schedule.step()
        history.extend(ct.stack(losses).numpy() / math.log(2))
        test = bits(model, text.test)
        print(f"epoch {epoch}/{chosen.epochs}: {np.mean(history[-20:]):.2f} bits a character in training, {test:.2f} in the test",
              flush=True)

    model.eval()
    start = text.encode('The "for" statement')
    noise = chosen.temperature * -ct.log(-ct.log(ct.rand(TEXTS, CONTEXT, len(text.letters)).clamp(1e-6, 1 - 1e-6)))
    plain, slow = timed(write_plainly, model, start, noise)
    cached, fast = timed(write_cached, model, start, noise, chosen.compile)
    if plain != cached and chosen.dtype in (ct.float32, ct.float64):
        sys.exit("The GPT does not write the same with the cache as without.")
    slow, fast = (1000 * seconds / (CONTEXT - len(start)) for seconds in (slow, fast))
    texts = [text.decode(letters) for letters in cached]
    print("\n" + "\n\n".join(texts[:4]) + "\n")
    baseline = text.bigram_bits()
    write(lambda figure: picture(figure, history, test, baseline, texts, {"without a cache": slow, "with a cache": fast}),
          chosen.output / "tiny_gpt.png")
    print(f"A letter more of {TEXTS} texts takes {slow:.1f} ms without a cache of keys and values, {fast:.1f} ms with it.")
    print(f"Bits a character of the test: {test:.2f} by the GPT, {baseline:.2f} by pairs of letters.")
    return test


if __name__ == "__main__":
    run(main)
