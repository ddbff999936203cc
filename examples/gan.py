"""Teach a generator to draw the digit that it is asked for, against a critic, and let a third network judge.

    python examples/gan.py [--help]

A generative adversarial network (Goodfellow and others, 2014; conditional: Mirza and Osindero, 2014): the generator turns noise
and a digit's name into an image, the discriminator learns to tell these from the scans (scikit-learn's 1797 digits of 8 x 8
pixels), and the generator learns to pass.  A classifier that was trained on the scans alone reads the drawings at the end: of
untrained ones it reads a tenth as what was asked for, of trained ones nearly all.  That the drawings of a digit differ among
themselves is measured too: a generator that always draws the same one would pass the first test.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from pictures import GREY, image, tiles, write
    from sklearn.datasets import load_digits
except ImportError as error:
    needs(error)

NOISE = 32


def data(seed, dtype):
    """Training images (N, 64) with values of -1 to 1 and their labels, and those of the test."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = np.split(order, [len(order) // 5])
    return [TensorDataset(ct.tensor(images[part] / 8 - 1, dtype=dtype), ct.tensor(labels[part])) for part in (train, test)]


class Generator(nn.Module):
    """Noise (N, NOISE) and digits (N,) -> images (N, 64)."""

    def __init__(self, hidden=256):
        super().__init__()
        self.name = nn.Embedding(10, NOISE)
        self.layers = nn.Sequential(
            nn.Linear(2 * NOISE, hidden), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU(),
            nn.Linear(hidden, 64), nn.Tanh())

    def forward(self, noise, digits):
        return self.layers(ct.cat([noise, self.name(digits)], dim=1))


class Discriminator(nn.Module):
    """Images (N, 64) and what they are said to be (N,) -> scores (N,), high for scans.

    It also sees how much the images of the batch differ, which betrays a generator that repeats itself (Karras and others, 2018).
    """

    def __init__(self, hidden=256):
        super().__init__()
        self.name = nn.Embedding(10, 64)
        self.layers = nn.Sequential(
            nn.Linear(2 * 64 + 1, hidden), nn.LeakyReLU(0.2), nn.Dropout(0.2),
            nn.Linear(hidden, hidden), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(hidden, 1))

    def forward(self, images, digits):
        spread = images.std(0).mean().expand(len(images), 1)
        return self.layers(ct.cat([images, self.name(digits), spread], dim=1)).squeeze(1)


def classifier():
    """Images (N, 64) -> scores of the digits (N, 10)."""
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * 4 * 4, 10))


def judging_step(model, optimizer):
    """A function of images and labels that makes a step of the classifier, and returns the loss."""
    def step(images, labels):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def playing_step(generator, average, discriminator, drawing, telling):
    """A function of scans and labels that makes a step of each, and returns both losses.

    drawing and telling are the optimisers; average follows the weights of the generator, and draws more calmly.
    """
    def step(scans, labels):
        drawn = generator(ct.randn(len(scans), NOISE, dtype=scans.dtype), labels)
        real, false = discriminator(scans, labels), discriminator(drawn.detach(), labels)
        told = F.softplus(-real).mean() + F.softplus(false).mean()
        telling.zero_grad()
        told.backward()
        telling.step()
        passed = F.softplus(-discriminator(drawn, labels)).mean()
        drawing.zero_grad()
        passed.backward()
        drawing.step()
        average.update_parameters(generator)
        return ct.stack([passed.detach(), told.detach()])

    return step


@ct.no_grad()
def read(judge, images):
    """The digits that the classifier sees, and how sure it is, as NumPy arrays."""
    sure, digits = F.softmax(judge.eval()(images).float(), dim=1).max(1)
    return digits.numpy(), sure.numpy()


@ct.no_grad()
def draw(generator, digits, dtype):
    """A drawing of each digit."""
    return generator.eval()(ct.randn(len(digits), NOISE, dtype=dtype), digits)


def variety(images, digits):
    """The spread of the images of a digit, averaged over pixels and digits."""
    return np.mean([images[digits == digit].std(0).mean() for digit in range(10)])


def picture(figure, stages, scans, losses, shares):
    """Draw how drawings from the same noise came about, how the losses and the judgement went, and scans beside drawings."""
    figure.get_layout_engine().set(wspace=0.05)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.7))
    top, bottom = left.subplots(2, 1)
    top.plot(np.arange(len(losses)) + 1, losses, label=("generator", "discriminator"))
    top.set(title="losses of the two", ylim=(0, None))
    top.legend(loc="lower right")
    bottom.plot(*np.transpose(shares))
    bottom.axhline(10, color=GREY, linestyle="--", label="chance")
    bottom.set(title="drawings that are read as asked, in %", xlabel="epoch", ylim=(0, 103))
    bottom.legend(loc="lower right", bbox_to_anchor=(1, 0.1))
    shown = [*stages.items(), ("scans, for comparison", scans)]
    for axes, (title, images) in zip(right.subplots(2, 2).flat[:len(shown)], shown, strict=True):
        image(axes, tiles(images.reshape(-1, 8, 8), 10), title)


def main(arguments=None):
    chosen = options("gan", "Teach a generator to draw digits.", arguments, epochs=150)
    training, test = data(chosen.seed, chosen.dtype)
    loader = DataLoader(training, batch_size=64, shuffle=True, drop_last=True)
    eps = 1e-8 if chosen.dtype != ct.float16 else 1e-4

    judge = classifier().to(chosen.device, chosen.dtype)
    step = ct.compile(judging_step(judge, optim.Adam(judge.parameters(), lr=2e-3, eps=eps)), disable=not chosen.compile)
    for _ in range(min(chosen.epochs, 20)):
        for images, labels in loader:
            step(images, labels)
    reads = (read(judge, test.tensors[0])[0] == test.tensors[1].numpy()).mean()
    print(f"The judge reads {reads:.1%} of the test scans rightly.", flush=True)

    generator, discriminator = Generator().to(chosen.device, chosen.dtype), Discriminator().to(chosen.device, chosen.dtype)
    average = optim.swa_utils.AveragedModel(generator, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.995), use_buffers=True)
    drawing = optim.Adam(generator.parameters(), lr=5e-4, betas=(0.5, 0.99), eps=eps)
    telling = optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99), eps=eps)
    step = ct.compile(playing_step(generator, average, discriminator, drawing, telling), disable=not chosen.compile)
    asked = ct.arange(10).repeat(100)
    shown = {0, max(1, chosen.epochs // 10), chosen.epochs}
    stages, losses, shares = {}, [], []
    for epoch in range(chosen.epochs + 1):
        if epoch:
            losses.append(ct.stack([step(images, labels) for images, labels in loader]).mean(0))
        if epoch in shown or epoch % 5 == 0:
            drawn = draw(average, asked, chosen.dtype)
            digits, sure = read(judge, drawn)
            shares.append((epoch, 100 * np.mean(digits == asked.numpy())))
        if epoch in shown:
            stages[f"drawings after {epoch} epochs"] = drawn[:60].float().numpy()
            print(f"epoch {epoch:3}/{chosen.epochs}: {shares[-1][1]:5.1f} % of 1000 drawings are read as asked", flush=True)

    scans, labels = test.tensors[0].float().numpy(), test.tensors[1].numpy()
    ordered = np.stack([scans[labels == digit][row] for row in range(6) for digit in range(10)])
    losses = ct.stack(losses).float().numpy()
    write(lambda figure: picture(figure, stages, ordered, losses, shares), chosen.output / "gan.png", size=(12, 6))
    spread = variety(drawn.float().numpy(), asked.numpy()) / variety(scans, labels)
    print(f"The judge reads {shares[-1][1]:.1f} % of the drawings as asked (chance: 10 %); "
          f"of {np.mean(sure > 0.9):.0%} it is sure by more than 90 %.")
    print(f"Drawings of a digit differ among themselves by {spread:.0%} of what scans do.")
    return shares[-1][1] / 100


if __name__ == "__main__":
    run(main)
