"""Draw digits out of noise, step by step, with a denoising diffusion model.

    python examples/diffusion.py [--help]

Scans of digits (scikit-learn's 1797 of 8 x 8 pixels) are mixed with more and more noise, and a small network of convolutions
learns to tell the noise in the mixture (Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, 2020).  From pure noise,
by taking away a little of what it tells in each of 100 steps, digits appear that nobody wrote.  The network is told which digit
is meant, except in a tenth of the training; what the name changes in its answer is exaggerated while it draws (Ho and Salimans,
Classifier-Free Diffusion Guidance, 2022).  A support vector machine that was trained on scans reads at the end what was asked
for, in nearly all drawings.
"""

import math
import sys

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from pictures import GREY, image, tiles, write
    from sklearn.datasets import load_digits
    from sklearn.svm import SVC
except ImportError as error:
    needs(error)

STEPS = 100
NOBODY = 10  # the name that says nothing


def data(seed):
    """Training images (N, 64) with values of -1 to 1 and their labels, and those of the test."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = np.split(order, [len(order) // 5])
    return images[train] / 8 - 1, labels[train], images[test] / 8 - 1, labels[test]


class Schedule:
    """How much of the image is left after each step: kept (STEPS + 1,), from 1 to nearly 0 as a squared cosine."""

    def __init__(self, dtype):
        angle = (np.arange(STEPS + 1) / STEPS + 0.008) / 1.008 * math.pi / 2
        kept = np.cos(angle) ** 2
        kept = np.cumprod(np.append(1, np.maximum(kept[1:] / kept[:-1], 0.05)))
        self.image, self.noise = (ct.tensor(np.sqrt(part), dtype=dtype)[:, None, None, None] for part in (kept, 1 - kept))
        self.kept = kept

    def mix(self, images, noise, at):
        """The images after `at` steps (N,)."""
        return self.image[at] * images + self.noise[at] * noise


class Block(nn.Module):
    """Two convolutions, told the step and the name, added to what came in."""

    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width)
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.told = nn.Linear(width, width)

    def forward(self, x, told):
        y = self.conv1(F.silu(self.norm1(x))) + self.told(told)[:, :, None, None]
        return x + self.conv2(F.silu(self.norm2(y)))


class Denoiser(nn.Module):
    """Mixtures (N, 1, 8, 8), their steps and names (N,) -> the noise in them (N, 1, 8, 8).

    Blocks at 8 x 8 pixels, at 4 x 4, and at 8 x 8 again with what was there before.
    """

    def __init__(self, width=48):
        super().__init__()
        self.step, self.name = nn.Embedding(STEPS + 1, width), nn.Embedding(11, width)
        self.told = nn.Sequential(nn.Linear(width, width), nn.SiLU())
        self.into = nn.Conv2d(1, width, 3, padding=1)
        self.down, self.low1, self.low2, self.up = (Block(width) for _ in range(4))
        self.out = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, mixtures, at, names):
        told = self.told(self.step(at) + self.name(names))
        high = self.down(self.into(mixtures), told)
        low = self.low2(self.low1(F.avg_pool2d(high, 2), told), told)
        return self.out(self.up(high + F.interpolate(low, scale_factor=2), told))


def training_step(model, average, optimizer, schedule):
    """A function of images and names that makes one step, and returns the loss; average follows the weights of the model."""
    def step(images, names):
        at = ct.randint(1, STEPS + 1, (len(images),))
        names = ct.where(ct.rand(len(images)) < 0.1, NOBODY, names)
        noise = ct.randn_like(images)
        loss = F.mse_loss(model(schedule.mix(images, noise, at), at, names).float(), noise.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update_parameters(model)
        return loss.detach()

    return step


@ct.no_grad()
def draw(model, schedule, names, dtype, guidance):
    """Draw an image for each name: the images (N, 8, 8) and the stages on the way, all as NumPy arrays.

    Each step tells what the finished image would be, and mixes it with what there is and with new noise, as the mixture of one step
    less is distributed, given both.
    """
    count, kept = len(names), schedule.kept

    both = ct.cat([names, ct.full_like(names, NOBODY)])
    mixture, stages = ct.randn(count, 1, 8, 8, dtype=dtype), []
    for at in range(STEPS, 0, -1):
        told = model(ct.cat([mixture, mixture]), ct.full((2 * count,), at), both).float()
        noise = told[count:] + guidance * (told[:count] - told[count:])
        clean = ((mixture.float() - math.sqrt(1 - kept[at]) * noise) / math.sqrt(kept[at])).clamp(-1, 1)
        share = kept[at] / kept[at - 1]
        mean = (math.sqrt(kept[at - 1]) * (1 - share) * clean + math.sqrt(share) * (1 - kept[at - 1]) * mixture.float())
        spread = math.sqrt((1 - share) * (1 - kept[at - 1]) / (1 - kept[at]))
        stages.append(mixture[:, 0].float().numpy())
        mixture = (mean / (1 - kept[at]) + spread * ct.randn(count, 1, 8, 8)).to(dtype)
    drawn = mixture[:, 0].float().clamp(-1, 1).numpy()
    return drawn, [*stages, drawn]


def variety(images, labels):
    """The spread of the images of a digit, averaged over pixels and digits."""
    return np.mean([images[labels == digit].std(0).mean() for digit in range(10)])


def picture(figure, history, drawn, scans, stages):
    """Draw the curve of training, drawings beside scans, and how ten drawings came out of the noise."""
    figure.get_layout_engine().set(wspace=0.05)
    top, bottom = figure.subfigures(2, 1)
    curve, left, right = top.subplots(1, 3, width_ratios=(1, 1.3, 1.3))
    curve.plot(np.arange(len(history)) + 1, history)
    curve.axhline(1, color=GREY, linestyle="--", label="telling nothing")
    curve.set(title="square error of the noise", xlabel="epoch", ylim=(0, 1.05))
    curve.legend(loc="upper right", bbox_to_anchor=(1, 0.93))
    image(left, tiles(drawn, 10), "drawings")
    image(right, tiles(scans, 10), "scans, for comparison")
    axes = bottom.subplots()
    shown = np.linspace(0, len(stages) - 1, 21).astype(int)
    path = np.stack([stages[at][digit] for digit in range(0, 10, 2) for at in shown])
    image(axes, tiles(path.clip(-1, 1), len(shown)), f"from noise to digits, in {len(stages) - 1} steps")


def main(arguments=None):
    chosen = options("diffusion", "Draw digits out of noise.", arguments, epochs=60,
                     guidance={"type": float, "default": 2.0, "help": "how much the digit's name is exaggerated; 1 is not at all"},
                     drawings={"type": int, "default": 40, "help": "of each digit, at least 6"})
    if chosen.drawings < 6:
        sys.exit("diffusion: --drawings must be at least 6")
    train, train_labels, test, labels = data(chosen.seed)
    images = ct.tensor(train, dtype=chosen.dtype).view(-1, 1, 8, 8)
    loader = DataLoader(TensorDataset(images, ct.tensor(train_labels)), batch_size=128, shuffle=True, drop_last=True)
    schedule, model = Schedule(chosen.dtype), Denoiser().to(chosen.device, chosen.dtype)
    average = optim.swa_utils.AveragedModel(model, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.97))
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, eps=1e-8 if chosen.dtype != ct.float16 else 1e-4)
    rate = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)
    step = ct.compile(training_step(model, average, optimizer, schedule), disable=not chosen.compile)
    history = []
    for epoch in range(1, chosen.epochs + 1):
        history.append(ct.stack([step(*batch) for batch in loader]).mean().item())
        rate.step()
        if epoch % max(1, chosen.epochs // 6) == 0:
            print(f"epoch {epoch:2}/{chosen.epochs}: square error of the noise {history[-1]:.3f} (telling nothing: 1)", flush=True)

    asked = ct.arange(10).repeat(chosen.drawings)
    drawn, stages = draw(average.eval(), schedule, asked, chosen.dtype, chosen.guidance)
    judge = SVC(gamma=0.01, C=10).fit(train, train_labels)
    read = np.mean(judge.predict(drawn.reshape(-1, 64)) == asked.numpy())
    scans = np.stack([test[labels == digit][row] for row in range(6) for digit in range(10)]).reshape(-1, 8, 8)
    write(lambda figure: picture(figure, history, drawn[:60], scans, stages), chosen.output / "diffusion.png", size=(12, 7))
    spread = variety(drawn.reshape(-1, 64), asked.numpy()) / variety(test, labels)
    print(f"A support vector machine reads {read:.1%} of the drawings as asked (chance: 10 %), "
          f"and {judge.score(test, labels):.1%} of the test scans.")
    print(f"Drawings of a digit differ among themselves by {spread:.0%} of what scans do.")
    return read


if __name__ == "__main__":
    run(main)
