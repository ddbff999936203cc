"""Hear keywords: short-time Fourier transforms and a small convolutional network.

    python examples/keywords.py [--help]

The eight "words" are made by formulas, in the way vowels are: a tone with overtones, whose two resonances glide from one place to
another within a third of a second.  Each is spoken by a voice of its own height, size and speed, starts at any time within the
second, and is covered by noise of its own loudness or twice that.  Some words are others spoken backwards.

The network sees the spectrogram, the logarithm of the STFT's magnitudes, as a picture.  It should know nearly all words it hasn't
heard. A logistic regression on the mean spectrum, which can't tell forwards from backwards, knows about half.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from pictures import BLUE, RED, write
    from sklearn.linear_model import LogisticRegression
except ImportError as error:
    needs(error)

RATE, WINDOW, HOP = 4000, 128, 96  # samples a second, samples a window, samples from window to window
# The two resonances in Hz, at the beginning and at the end.
WORDS = {"ya": ((300, 700), (1700, 1100)), "ay": ((700, 300), (1100, 1700)), "wa": ((350, 750), (650, 1200)),
         "aw": ((750, 350), (1200, 650)), "yu": ((300, 350), (1700, 700)), "wee": ((350, 300), (700, 1700)),
         "ah": ((720, 720), (1150, 1150)), "ee": ((300, 300), (1700, 1700))}


def spoken(rng, word):
    """One second of a word (RATE,), by a voice at random."""
    length = int(rng.uniform(0.25, 0.45) * RATE)
    t = np.linspace(0, 1, length)
    pitch = rng.uniform(90, 220) * (1 + rng.uniform(-0.15, 0.15) * t)
    phase, size = 2 * np.pi * np.cumsum(pitch) / RATE, rng.uniform(0.9, 1.1)
    sound = np.zeros(length)
    for overtone in range(1, 20):
        loudness = sum(np.exp(-((overtone * pitch - size * (low + (high - low) * t)) / 130) ** 2) for low, high in WORDS[word])
        sound += loudness * (overtone * pitch < RATE / 2) * np.sin(overtone * phase)
    sound *= np.sin(np.pi * t) ** 0.5
    second, start = np.zeros(RATE), rng.integers(RATE - length)
    second[start : start + length] = sound / sound.std()
    return second + rng.uniform(0.8, 2.0) * rng.standard_normal(RATE)


def sounds(rng, count):
    """Sounds (count, RATE) and the numbers of their words (count,)."""
    labels = rng.integers(len(WORDS), size=count)
    return np.stack([spoken(rng, list(WORDS)[label]) for label in labels]), labels


class Spectrogram(nn.Module):
    """Sounds (N, samples) -> the logarithm of their STFT's magnitudes, as pictures (N, 1, frequencies, times)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("window", ct.hann_window(WINDOW))

    def forward(self, sound):
        spectrum = ct.stft(sound, WINDOW, HOP, window=self.window, return_complex=True)
        return (spectrum.abs() + 1e-2).log()[:, None]


def network():
    """Scores (N, words) for spectrograms (N, 1, frequencies, times)."""
    return nn.Sequential(
        nn.BatchNorm2d(1),
        nn.Conv2d(1, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.AdaptiveMaxPool2d((4, 1)), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4 * 32, len(WORDS)))


def training_step(model, optimizer):
    """A function of spectrograms and labels that makes one step and returns the loss."""
    def step(pictures, labels):
        loss = F.cross_entropy(model(pictures), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def by_mean_spectrum(training, test):
    """The share of test words that a logistic regression on spectra without time knows."""
    sets = (training.tensors, test.tensors)
    (heard, labels), (new, asked) = ((pictures.double().numpy().mean((1, 3)), y.numpy()) for pictures, y in sets)
    mean, std = heard.mean(0), heard.std(0)
    return LogisticRegression(max_iter=2000).fit((heard - mean) / std, labels).score((new - mean) / std, asked)


def picture(figure, spectrograms, labels, guesses, history):
    """Draw a spectrogram of each word, the accuracy, and which words were taken for which."""
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.3))
    top.suptitle("a spectrogram of each word: time to the right, frequency upwards", fontsize=11)
    names = list(WORDS)
    for word, axes in enumerate(top.subplots(1, len(names))):
        axes.imshow(spectrograms[np.argmax(labels == word)], origin="lower", aspect="auto", cmap="magma")
        axes.set_title(names[word], loc="center")
        axes.axis("off")
    left, right = bottom.subplots(1, 2)
    left.plot(np.arange(len(history)) + 1, 100 * np.array(history), color=BLUE, label=f"network, {history[-1]:.1%} at the end")
    left.set(title="test words known, in %", xlabel="epoch", ylim=(0, 102))
    table = np.zeros((len(names), len(names)), int)
    np.add.at(table, (labels, guesses), 1)
    right.imshow(table, cmap="Blues")
    for (row, column), count in np.ndenumerate(table):
        if count:
            right.annotate(count, (column, row), ha="center", va="center", fontsize=8,
                           color=("white" if count > table.max() / 2 else "black") if row == column else RED)
    right.set(title="spoken (rows), heard (columns)", xticks=range(len(names)), yticks=range(len(names)))
    right.set_xticklabels(names)
    right.set_yticklabels(names)
    right.grid(False)
    return left


def main(arguments=None):
    chosen = options("keywords", "Learn spoken words.", arguments, epochs=8,
                     sounds={"type": int, "default": 1200, "help": "words to learn from"})
    rng = np.random.default_rng(chosen.seed)
    spectrogram, sets = Spectrogram().to(chosen.device), []
    for count in (chosen.sounds, 400):
        sound, labels = sounds(rng, count)
        seen = spectrogram(ct.tensor(sound, dtype=ct.float32, device=chosen.device)).to(chosen.dtype)
        sets.append(TensorDataset(seen, ct.tensor(labels, device=chosen.device)))
    training, test = sets
    print(f"{len(training)} words to learn from and {len(test)} for the test, each a picture of {list(seen.shape[2:])}.")

    model = network().to(chosen.device, chosen.dtype)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)
    loader, history, labels = DataLoader(training, batch_size=64, shuffle=True, drop_last=True), [], test.tensors[1].numpy()
    for epoch in range(1, chosen.epochs + 1):
        model.train()
        losses = [step(*batch) for batch in loader]
        schedule.step()
        model.eval()
        with ct.no_grad():
            guesses = model(test.tensors[0]).argmax(1).numpy()
        history.append(np.mean(guesses == labels))
        print(f"epoch {epoch:2}/{chosen.epochs}  loss {ct.stack(losses).mean().item():.3f}  test {history[-1]:.1%}", flush=True)
    other = by_mean_spectrum(training, test)

    def draw(figure):
        axes = picture(figure, test.tensors[0][:, 0].float().numpy(), labels, guesses, history)
        axes.axhline(100 * other, color=RED, linewidth=1, linestyle="--", label=f"mean spectrum, {other:.1%}")
        axes.axhline(100 / len(WORDS), color="black", linewidth=1, linestyle=":", label="chance")
        axes.legend(loc="center right")

    write(draw, chosen.output / "keywords.png", size=(12, 7))
    print(f"The network knows {history[-1]:.1%} of the test words; a logistic regression on the mean spectrum knows {other:.1%}.")
    return history[-1]


if __name__ == "__main__":
    run(main)
