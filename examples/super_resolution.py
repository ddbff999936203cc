"""Double the resolution of photographs with a network that adds the details which bicubic interpolation cannot.

    python examples/super_resolution.py [--help]

The two photographs that come with scikit-learn (china.jpg and flower.jpg, 640 x 427 pixels; their licences lie beside them in
the package, sklearn/datasets/images/README.txt) are halved in size, and a network learns what was lost.  It reads the small
image alone: five convolutions there, whose last gives the four pixels of each one (Shi and others, Real-Time Single Image
Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network, 2016), are added to the bicubic enlargement.  A
quarter of both photographs, which it has not seen, tells what it is worth: the signal-to-noise ratio of its pixels (PSNR) is
above that of bicubic interpolation, and edges are visibly sharper.
"""

import math

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from pictures import GREY, image, write
    from sklearn.datasets import load_sample_image
except ImportError as error:
    needs(error)

SIDE = 48  # of the pieces that are learned from, in pixels of the large image
TEST = slice(128, 288)  # the columns of the test
DETAILS = {"china.jpg": (100, 150), "flower.jpg": (170, 185)}  # what the picture shows: row and column of 96 x 96 pixels


def photograph(name, dtype):
    """A photograph (1, 3, H, W) of even height and width with values of 0 to 1."""
    pixels = load_sample_image(name).transpose(2, 0, 1)[None, :, :426] / 255
    return ct.tensor(pixels, dtype=dtype)


def halve(images):
    """Images of half the height and width."""
    return F.interpolate(images, scale_factor=0.5, mode="bicubic", antialias=True).clamp(0, 1)


def double(images):
    """The bicubic enlargement."""
    return F.interpolate(images, scale_factor=2, mode="bicubic")


def pieces(photographs):
    """Squares beside the test, overlapping by half, and as in a mirror: (N, 3, SIDE, SIDE)."""
    parts = [whole[0, :, :, columns] for whole in photographs for columns in (slice(TEST.start), slice(TEST.stop, None))]
    squares = [part.unfold(1, SIDE, SIDE // 2).unfold(2, SIDE, SIDE // 2).permute(1, 2, 0, 3, 4).flatten(0, 1) for part in parts]
    return ct.cat([*squares, *(one.flip(3) for one in squares)])


class Doubler(nn.Module):
    """Images (N, 3, H, W) -> (N, 3, 2 H, 2 W)."""

    def __init__(self, width=32):
        super().__init__()
        self.details = nn.Sequential(
            nn.Conv2d(3, width, 5, padding=2), nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.PReLU(), nn.Conv2d(width, width, 3, padding=1), nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.PReLU(),
            nn.Conv2d(width, 12, 3, padding=1), nn.PixelShuffle(2))
        nn.init.zeros_(self.details[-2].weight)
        nn.init.zeros_(self.details[-2].bias)

    def forward(self, images):
        return double(images) + self.details(images)


def training_step(model, optimizer):
    """A function of small and large images that makes one step, and returns the square error."""
    def step(small, large):
        loss = F.mse_loss(model(small), large)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def psnr(images, true):
    """The ratio of the largest value to the error, in decibels."""
    return -10 * math.log10(F.mse_loss(images.float().clamp(0, 1), true.float()).item())


@ct.no_grad()
def enlarge(model, photographs):
    """For each photograph: its test when it was halved and doubled again (bicubic, network), and as it was."""
    for whole in photographs:
        small = halve(whole)
        yield {"bicubic": double(small)[..., TEST].clamp(0, 1), "network": model(small)[..., TEST].clamp(0, 1),
               "original": whole[..., TEST]}


def picture(figure, history, baseline, results):
    """Draw the curve of the test, and a detail of both photographs in all versions."""
    left, right = figure.subfigures(1, 2, width_ratios=(1, 2.1))
    axes = left.subplots()
    axes.plot(np.arange(len(history)), history, "o-", label=f"network: {history[-1]:.2f} dB")
    axes.axhline(baseline, color=GREY, linestyle="--", label=f"bicubic: {baseline:.2f} dB")
    axes.set(title="PSNR of the test in dB", xlabel="epoch")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.1))
    right.suptitle("details of what was not learned, 96 pixels wide", fontsize=11)
    for row, (name, versions) in zip(right.subplots(2, 3), results.items(), strict=True):
        top, left = DETAILS[name]
        for axes, (title, pixels) in zip(row, versions.items(), strict=True):
            detail = pixels[0, :, top:top + 96, left - TEST.start:left - TEST.start + 96].float().numpy().transpose(1, 2, 0)
            worth = "" if title == "original" else f", {psnr(pixels, versions['original']):.2f} dB"
            image(axes, detail, title + worth)


def main(arguments=None):
    chosen = options("super_resolution", "Double the resolution of photographs.", arguments, epochs=16)
    photographs = [photograph(name, chosen.dtype) for name in DETAILS]
    large = pieces(photographs)
    loader = DataLoader(TensorDataset(halve(large), large), batch_size=16, shuffle=True, drop_last=True)
    model = Doubler().to(chosen.device, chosen.dtype)
    optimizer = optim.Adam(model.parameters(), lr=2e-3, eps=1e-8 if chosen.dtype != ct.float16 else 1e-4)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs, eta_min=1e-5)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)

    def test(version):
        return np.mean([psnr(found[version], found["original"]) for found in enlarge(model, photographs)])

    baseline, history = test("bicubic"), [test("network")]
    print(f"{len(large)} pieces to learn from.  Bicubic interpolation reaches {baseline:.2f} dB in the test.", flush=True)
    for epoch in range(1, chosen.epochs + 1):
        losses = ct.stack([step(*batch) for batch in loader]).mean().item()
        schedule.step()
        history.append(test("network"))
        print(f"epoch {epoch:2}/{chosen.epochs}: {-10 * math.log10(losses):.2f} dB in training, {history[-1]:.2f} in the test",
              flush=True)

    results = dict(zip(DETAILS, enlarge(model, photographs), strict=True))
    write(lambda figure: picture(figure, history, baseline, results), chosen.output / "super_resolution.png", size=(13, 5.6))
    for name, found in results.items():
        bicubic, network = (psnr(found[version], found["original"]) for version in ("bicubic", "network"))
        print(f"{name:10}: bicubic {bicubic:.2f} dB, network {network:.2f} dB")
    print(f"The network gains {history[-1] - baseline:.2f} dB.")
    return history[-1] - baseline


if __name__ == "__main__":
    run(main)
