"""Teach an LSTM to write, letter by letter, and let it write at several temperatures.

    python examples/char_lstm.py [--help]

The network reads the help topics of Python, which come with Python (see characters.py), and learns to foretell the next
character.  How well it does is measured in bits a character: what a perfect packing program would need with its forecasts.
Guessing evenly takes 6.7 bits, counting pairs of letters 3.4; the LSTM comes below 1.9 in six passes.  What it writes at a low
temperature repeats itself, at 1 it resembles the text, and above it invents words.
"""

import math

import numpy as np
from characters import Text, draw
from commandline import options, run
from pictures import GREY, ORANGE, write

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F

TEMPERATURES = (0.3, 0.6, 1.0, 1.4)
BATCH, STEPS = 32, 64


class CharacterModel(nn.Module):
    """Letters (N, T) and a state -> scores of the letters after them (N, T, letters), and the state after them."""

    def __init__(self, letters, embedding=32, hidden=192):
        super().__init__()
        self.embedding = nn.Embedding(letters, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.output = nn.Linear(hidden, letters)

    def forward(self, letters, state):
        hidden, state = self.lstm(self.embedding(letters), state)
        return self.output(hidden), state

    def start(self, rows):
        """The state before the first letter."""
        weight = self.output.weight
        return tuple(weight.new_zeros(1, rows, self.lstm.hidden_size) for _ in range(2))


def pieces(places):
    """Cut a text into BATCH long rows, and these into pieces of STEPS letters: pairs (letters, letters after them).

    Each piece goes on where the one before it ended, so that the state may be carried on.
    """
    length = (len(places) - 1) // BATCH
    rows, after = (ct.tensor(places[shift:][:BATCH * length].reshape(BATCH, length)) for shift in (0, 1))
    for start in range(0, length - STEPS + 1, STEPS):
        yield rows[:, start:start + STEPS], after[:, start:start + STEPS]


def loss_of(model, letters, after, state):
    """The mean cross entropy, and the state, cut off from the past."""
    scores, state = model(letters, state)
    return F.cross_entropy(scores.flatten(0, 1).float(), after.flatten()), tuple(part.detach() for part in state)


def training_step(model, optimizer):
    """A function of letters, the letters after them and the state that makes one step, and returns the loss and the state."""
    def step(letters, after, state):
        loss, state = loss_of(model, letters, after, state)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        return loss.detach(), state

    return step


@ct.no_grad()
def bits(model, places):
    """Bits a character of a text."""
    state, losses = model.start(BATCH), []
    for letters, after in pieces(places):
        loss, state = loss_of(model, letters, after, state)
        losses.append(loss)
    return ct.stack(losses).mean().item() / math.log(2)


@ct.no_grad()
def generate(model, start, length, temperatures):
    """Go on from the letters `start`, once for each temperature: `start` and what follows (temperatures, T)."""
    temperature = ct.tensor(temperatures)[:, None]
    letters = ct.tensor(start).expand(len(temperatures), -1)
    state, found = model.start(len(temperatures)), [letters]
    for _ in range(length):
        scores, state = model(letters, state)
        letters = ct.multinomial(F.softmax(scores[:, -1].float() / temperature, dim=1), 1)
        found.append(letters)
    return ct.cat(found, dim=1).numpy()


def picture(figure, history, baselines, texts):
    """Draw the curves of training, and what was written."""
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.7))
    axes = left.subplots()
    steps, values = np.transpose(history["training"])
    axes.plot(steps, values, label="LSTM, training", linewidth=1)
    axes.plot(*np.transpose(history["test"]), "o-", label=f"LSTM, test: {history['test'][-1][1]:.2f}")
    for (name, value), style in zip(baselines.items(), (":", "--"), strict=True):
        axes.axhline(value, color=GREY, linestyle=style, label=f"{name}: {value:.2f}")
    axes.set(title="bits a character", xlabel="training step", ylim=(0, None))
    axes.legend(loc="lower left")
    right.suptitle("what the LSTM writes", fontsize=11)
    for axes, (temperature, text) in zip(right.subplots(2, 2).flat, texts.items(), strict=True):
        draw(axes, f"temperature {temperature}", text, width=46, lines=17)
        axes.title.set_color(ORANGE)


def main(arguments=None):
    chosen = options("char_lstm", "Teach an LSTM to write.", arguments, epochs=6,
                     length={"type": int, "default": 600, "help": "characters to write"})
    text = Text()
    baselines = {"even guess": math.log2(len(text.letters)), "pairs of letters": text.bigram_bits()}
    print(f"{len(text.training)} characters to learn from, {len(text.test)} to test with, {len(text.letters)} different ones.")

    model = CharacterModel(len(text.letters)).to(chosen.device, chosen.dtype)
    optimizer = optim.AdamW(model.parameters(), lr=5e-3, eps=1e-8 if chosen.dtype != ct.float16 else 1e-4)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)
    history, steps = {"training": [], "test": []}, 0
    for epoch in range(1, chosen.epochs + 1):
        state, losses = model.start(BATCH), []
        for letters, after in pieces(text.training):
            loss, state = step(letters, after, state)
            losses.append(loss)
        values = ct.stack(losses).numpy() / math.log(2)
        schedule.step()
        history["training"] += [(steps + at, value) for at, value in enumerate(values)][::5]
        steps += len(values)
        history["test"].append((steps, bits(model, text.test)))
        print(f"epoch {epoch}/{chosen.epochs}: {values[-20:].mean():.2f} bits a character in training, "
              f"{history['test'][-1][1]:.2f} in the test", flush=True)

    written = generate(model, text.encode('The "for" statement'), chosen.length, TEMPERATURES)
    texts = {temperature: text.decode(places) for temperature, places in zip(TEMPERATURES, written, strict=True)}
    for temperature, words in texts.items():
        print(f"\n--- written at temperature {temperature} ---\n{words[:250]}")
    print()
    write(lambda figure: picture(figure, history, baselines, texts), chosen.output / "char_lstm.png")
    found = history["test"][-1][1]
    print(f"Bits a character of the test: {found:.2f} by the LSTM, " +
          ", ".join(f"{value:.2f} by {name}" for name, value in baselines.items()) + ".")
    return found


if __name__ == "__main__":
    run(main)
