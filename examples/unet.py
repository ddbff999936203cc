"""Find the coins in a photograph with a U-Net, also where the light is so bad that thresholds fail.

    python examples/unet.py [--help]

The photograph of 24 Greek coins from Pompeii comes with scikit-image.  Which pixels are coin is found once by region growing
from two thresholds, chosen by hand for this picture, in good light.  A U-Net (Ronneberger, Fischer and Brox, 2015) learns from
the upper half: from crops that are turned, mirrored, lit from a random side, darkened and noisy, each made anew.  It is tested
on the lower half, in light that is new as well.  There Otsu's threshold and region growing take the table for a coin or miss
coins; the network finds nearly all of them.  The measure is the intersection over the union of found and true pixels (IoU).
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F

try:
    from matplotlib.colors import to_rgb
    from pictures import GREY, ORANGE, image, write
    from scipy import ndimage
    from skimage import data, filters, segmentation
except ImportError as error:
    needs(error)

SIDE, BATCH, STEPS = 64, 16, 20  # pixels of a crop, crops a step, steps an epoch
MIDDLE = 152  # the row between the second and the third row of coins


def grow(pixels):
    """Which pixels are coin, grown from those that are surely dark or bright: both thresholds are for this photograph."""
    seeds = np.zeros(pixels.shape, int)
    seeds[pixels < 30 / 255], seeds[pixels > 150 / 255] = 1, 2
    return ndimage.binary_fill_holes(segmentation.watershed(filters.sobel(pixels), seeds) == 2)


def otsu(pixels):
    """Which pixels are brighter than the threshold that splits their histogram best."""
    return pixels > filters.threshold_otsu(pixels)


def spoil(pixels, generator):
    """Images (N, H, W) in random light: dark towards a random side, with less contrast and with noise."""
    count, height, width = pixels.shape
    angle, depth = generator.uniform(0, 2 * np.pi, count), generator.uniform(0.2, 0.9, count)
    y, x = np.meshgrid(np.linspace(-0.5, 0.5, height), np.linspace(-0.5, 0.5, width), indexing="ij")
    slope = (np.cos(angle)[:, None, None] * y + np.sin(angle)[:, None, None] * x) / np.sqrt(0.5)
    light = 1 - depth[:, None, None] * (slope + 0.5)
    haze, noise = generator.uniform(0, 0.6, (2, count, 1, 1)) * [[[[1]]], [[[0.15]]]]
    lit = pixels * light + haze * light[:, ::-1, ::-1]
    return (lit + noise * generator.standard_normal(pixels.shape)).clip(0, 1)


def crops(pixels, coins, generator):
    """A batch of random crops, turned and mirrored: images (BATCH, SIDE, SIDE) in random light, and their coins."""
    tops, lefts = (generator.integers(0, size - SIDE + 1, BATCH) for size in pixels.shape)
    pairs = [np.stack([whole[top:top + SIDE, left:left + SIDE] for whole in (pixels, coins)])
             for top, left in zip(tops, lefts, strict=True)]
    turned = [np.rot90(pair, turns, (1, 2))[:, :, ::way]
              for pair, turns, way in zip(pairs, generator.integers(0, 4, BATCH), generator.choice([-1, 1], BATCH), strict=True)]
    images, masks = np.stack(turned, axis=1)
    return spoil(images, generator), masks


def standard(images, dtype):
    """Images as the network reads them (N, 1, H, W): each with mean 0 and spread 1."""
    centred = images - images.mean((1, 2), keepdims=True)
    return ct.tensor(centred / centred.std((1, 2), keepdims=True), dtype=dtype)[:, None]


def convolutions(channels, width):
    """Two convolutions with normalisation."""
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                         nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


class UNet(nn.Module):
    """Images (N, 1, H, W), H and W multiples of 8 -> a score for each pixel (N, 1, H, W), positive for coins.

    Down to an eighth of the size, and up again, each time with what was seen at that size on the way down.
    """

    def __init__(self, widths=(12, 24, 48, 64)):
        super().__init__()
        self.down = nn.ModuleList(convolutions(before, after) for before, after in zip((1, *widths), widths, strict=False))
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(low, high, 2, stride=2) for low, high in pairs)
        self.up = nn.ModuleList(convolutions(2 * high, high) for _, high in pairs)
        self.out = nn.Conv2d(widths[0], 1, 1)

    def forward(self, images):
        x, seen = images, []
        for layers in self.down:
            x = layers(F.max_pool2d(x, 2) if seen else x)
            seen.append(x)
        for enlarge, layers, high in zip(self.enlarge, self.up, seen[-2::-1], strict=True):
            x = layers(ct.cat([enlarge(x), high], dim=1))
        return self.out(x)


def training_step(model, optimizer):
    """A function of images and coins that makes one step, and returns the loss: cross entropy, and what Dice's measure misses."""
    def step(images, coins):
        scores, coins = model(images).float(), coins.float()
        chances = scores.sigmoid()
        dice = 2 * (chances * coins).sum() / (chances.sum() + coins.sum())
        loss = F.binary_cross_entropy_with_logits(scores, coins) + 1 - dice
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


@ct.no_grad()
def find(model, images, dtype):
    """Which pixels the network takes for coin (N, H, W), with the edges mirrored so that the sizes are multiples of 8."""
    height, width = images.shape[1:]
    padded = F.pad(standard(images, dtype), (0, -width % 8, 0, -height % 8), mode="reflect")
    return model.eval()(padded)[:, 0, :height, :width].float().numpy() > 0


def iou(found, true):
    """The intersection over the union, of all pixels together."""
    return (found & true).sum() / (found | true).sum()


def overlaid(pixels, found):
    """An image in grey (H, W) with what was found in colour, (H, W, 3)."""
    grey = np.repeat(pixels[:, :, None], 3, axis=2)
    return np.where(found[:, :, None], 0.55 * grey + 0.45 * np.array(to_rgb(ORANGE)), grey)


def picture(figure, history, shares, lit, found, true):
    """Draw the curve of training, the measures, and the three pictures that are hardest for a threshold, with what was found."""
    left, right = figure.subfigures(1, 2, width_ratios=(1, 2.4))
    top, bottom = left.subplots(2, 1)
    top.plot(np.arange(len(history)) + 1, history)
    top.set(title="training loss", xlabel="epoch", ylim=(0, None))
    bars = bottom.barh(list(shares), list(shares.values()), color=[GREY] * (len(shares) - 1) + [ORANGE])
    bottom.bar_label(bars, fmt="%.2f", padding=3)
    bottom.set(title=f"IoU of the test in {len(lit)} bad lights", xlim=(0, 1.1))
    bottom.grid(False)
    right.suptitle("coins that were not learned, in the three worst lights, and what was taken for coin", fontsize=11)
    worst = np.argsort([iou(one, true) for one in found["Otsu"]])[:3]
    for row, name in zip(right.subplots(len(found) + 1, 3), ("", *found), strict=True):
        for axes, light in zip(row, worst, strict=True):
            masks = found[name][light] if name else np.zeros_like(true)
            image(axes, overlaid(lit[light], masks), f"{name}: {iou(masks, true):.2f}" if name else "")


def main(arguments=None):
    chosen = options("unet", "Find coins with a U-Net.", arguments, epochs=25)
    generator = np.random.default_rng(chosen.seed)
    pixels = data.coins() / 255
    coins = grow(pixels)
    learned, test = slice(None, MIDDLE), slice(MIDDLE, None)

    model = UNet().to(chosen.device, chosen.dtype)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, eps=1e-8 if chosen.dtype != ct.float16 else 1e-4)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)
    history = []
    for epoch in range(1, chosen.epochs + 1):
        losses = []
        for _ in range(STEPS):
            images, masks = crops(pixels[learned], coins[learned], generator)
            losses.append(step(standard(images, chosen.dtype), ct.tensor(masks, dtype=chosen.dtype)[:, None]))
        schedule.step()
        history.append(ct.stack(losses).mean().item())
        if epoch % max(1, chosen.epochs // 5) == 0:
            print(f"epoch {epoch:2}/{chosen.epochs}: loss {history[-1]:.3f}", flush=True)

    true = coins[test]
    lit = spoil(np.repeat(pixels[test][None], 8, axis=0), generator)
    found = {"Otsu": np.stack([otsu(one) for one in lit]), "region growing": np.stack([grow(one) for one in lit]),
             "U-Net": find(model, lit, chosen.dtype)}
    shares = {name: iou(masks, np.broadcast_to(true, masks.shape)) for name, masks in found.items()}
    write(lambda figure: picture(figure, history, shares, lit, found, true), chosen.output / "unet.png", size=(14, 6.4))
    good = pixels[test][None]
    found = iou(otsu(good[0]), true), iou(find(model, good, chosen.dtype)[0], true)
    print(f"In good light: IoU {found[0]:.3f} by Otsu's threshold, {found[1]:.3f} by the U-Net.")
    print("In bad light: " + ", ".join(f"{share:.3f} by {name}" for name, share in shares.items()) + ".")
    return shares["U-Net"]


if __name__ == "__main__":
    run(main)
