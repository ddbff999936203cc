"""Repaint a cat's portrait with the colours and strokes of other pictures, without any trained network.

    python examples/style.py [--help]

A picture is a heap of small patches.  Two heaps are compared by filtering both pictures with random filters, sorting what comes
out, and taking the difference: the sliced Wasserstein distance of the distributions of patches (Rabin and others, Wasserstein
Barycenter and Its Application to Texture Mixing, 2011; Elnekave and Weiss, Generating Natural Images with Direct Patch
Distributions Matching, 2022).  Gradient descent on the pixels brings the portrait's patches near those of the style, with new
filters in each step, first in a tiny picture, then in larger ones that start with what the one before has left.  What keeps the
portrait recognisable is that its light and dark, coarsely seen, stay where they are.

The portrait (Chelsea, a cat) and the pictures of coffee and of stained tissue come with scikit-image, the flower
with scikit-learn.  What the distance of the patches was and what it becomes is measured with filters that were not used.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import optim
from cltensor.nn import functional as F

try:
    from pictures import image, write
    from skimage import data
    from sklearn.datasets import load_sample_image
except ImportError as error:
    needs(error)

SIZES, PATCH, FILTERS = (34, 68, 102, 136), 7, 16
RATES = 0.03, 0.02, 0.01, 0.01  # of the descent, in each size
MARGIN = 4  # pixels on each side that are painted, but not shown: few patches reach the edge
COARSE, KEPT = 4, 0.6  # how coarsely the light and dark of the portrait are kept, and how firmly


def photographs(dtype):
    """The portrait, and the styles by name: square pictures (1, 3, S, S), S the largest size, with values of 0 to 1."""
    def square(pixels, top, left, side):
        cut = ct.tensor(pixels[top:top + side, left:left + side].transpose(2, 0, 1)[None] / 255, dtype=dtype)
        return resized(cut, SIZES[-1])

    styles = {"flower": square(load_sample_image("flower.jpg"), 100, 170, 230), "coffee": square(data.coffee(), 0, 100, 400),
              "tissue": square(data.immunohistochemistry(), 100, 0, 400)}
    return F.pad(resized(square(data.chelsea(), 0, 60, 300), SIZES[-1] - 2 * MARGIN), (MARGIN,) * 4, mode="reflect"), styles


def resized(picture, size):
    """A square picture in another size."""
    return F.interpolate(picture, size=(size, size), mode="bicubic", antialias=picture.shape[-1] > size)


def distance(picture, style, count):
    """The sliced Wasserstein distance between the patches of two pictures of one size, along `count` random filters."""
    filters = ct.randn(count, 3, PATCH, PATCH, dtype=picture.dtype)
    filters = filters / filters.flatten(1).norm(dim=1)[:, None, None, None]
    ours, theirs = (F.conv2d(one, filters).flatten(2)[0].sort(dim=1).values for one in (picture, style))
    return (ours - theirs).abs().float().mean()


def tones(picture):
    """The light and dark of a picture, coarsely seen: (1, 1, S / COARSE, S / COARSE)."""
    return resized(picture.mean(1, keepdim=True), picture.shape[-1] // COARSE)


def tones_like(picture, style):
    """The tones of a picture, in the same order of brightness, but with the values that occur in the style."""
    places = tones(picture).flatten().argsort().argsort()
    return tones(style).flatten().sort().values[places].view_as(tones(picture))


def painting_step(picture, style, kept, optimizer):
    """A function that brings the patches of the picture nearer to those of the style, and returns their distance."""
    def step():
        loss = distance(picture, style, FILTERS)
        optimizer.zero_grad()
        (loss + KEPT * (tones(picture) - kept).abs().float().mean()).backward()
        optimizer.step()
        return loss.detach()

    return step


def paint(portrait, style, steps, compiled):
    """Repaint the portrait in all sizes, the smallest first: the picture, and the distances on the way."""
    picture, history = portrait, []
    for size, rate in zip(SIZES, RATES, strict=True):
        picture, example = resized(picture.detach(), size).requires_grad_(), resized(style, size)
        optimizer = optim.Adam([picture], lr=rate, eps=1e-8 if picture.dtype != ct.float16 else 1e-4)
        schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        kept = tones_like(resized(portrait, size), example)
        step = ct.compile(painting_step(picture, example, kept, optimizer), disable=not compiled)
        for _ in range(steps):
            history.append(step())
            schedule.step()
    return picture.detach().clamp(0, 1), ct.stack(history).numpy()


def shown(picture):
    """A picture without its margin, as a NumPy array (H, W, 3)."""
    return picture[0, :, MARGIN:-MARGIN, MARGIN:-MARGIN].float().clamp(0, 1).numpy().transpose(1, 2, 0)


@ct.no_grad()
def apart(picture, style):
    """The distance along 64 new filters, the same for all pictures."""
    ct.manual_seed(1)
    return distance(picture, style, 64).item()


def picture(figure, portrait, styles, painted, histories):
    """Draw the portrait, the styles and what became of it, and the distances on the way."""
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.9))
    top, bottom = left.subplots(2, 1, height_ratios=(1.3, 1))
    image(top, shown(portrait), "the portrait")
    for name, history in histories.items():
        bottom.plot(np.arange(len(history)) + 1, history, label=name, linewidth=1)
    bottom.set(title="distance of the patches, size by size", xlabel="step", yscale="log")
    bottom.legend(loc="upper right", ncols=3, fontsize=8)
    for column, name in zip(right.subplots(2, len(styles)).T, styles, strict=True):
        image(column[0], shown(styles[name]), f"style: {name}")
        image(column[1], shown(painted[name]), "the portrait, repainted")


def main(arguments=None):
    chosen = options("style", "Repaint a portrait in the style of other pictures; --epochs are the steps in each size.", arguments,
                     epochs=80)
    portrait, styles = photographs(chosen.dtype)
    painted, histories, ratios = {}, {}, []
    for name, style in styles.items():
        painted[name], histories[name] = paint(portrait, style, chosen.epochs, chosen.compile)
        before, after = apart(portrait, style), apart(painted[name], style)
        ratios.append(after / before)
        print(f"{name}: the patches of the portrait were {before:.4f} from those of the style, and are {after:.4f} now", flush=True)
    write(lambda figure: picture(figure, portrait, styles, painted, histories), chosen.output / "style.png", size=(12, 6))
    print(f"On average the distance fell to {np.mean(ratios):.0%}.")
    return np.mean(ratios)


if __name__ == "__main__":
    run(main)
