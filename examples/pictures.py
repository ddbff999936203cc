"""How the pictures of all examples look."""

import numpy as np
from commandline import needs

try:
    from matplotlib import rc_context, rcsetup
    from matplotlib.figure import Figure
except ImportError as error:
    needs(error)

BLUE, ORANGE, GREEN, RED, GREY = "#2a6f97", "#e07a1f", "#4c956c", "#c1121f", "#777777"
STYLE = {"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "axes.titlesize": 11,
         "axes.grid": True, "axes.axisbelow": True, "axes.grid.axis": "y", "grid.color": "#dddddd", "lines.linewidth": 2,
         "legend.frameon": False, "axes.prop_cycle": rcsetup.cycler(color=[BLUE, ORANGE, GREEN, RED, GREY])}


def write(draw, path, size=(11, 5.2)):
    """Let draw(figure) draw a picture of `size` inches, and write it to a file."""
    with rc_context(STYLE):
        figure = Figure(figsize=size, dpi=130, layout="constrained")
        draw(figure)
        figure.savefig(path)
    print(f"Picture: {path}", flush=True)


def image(axes, pixels, title=""):
    """Show an image, (H, W) in grey or (H, W, 3) with values of 0 to 1, without axes."""
    axes.imshow(pixels, cmap="gray_r" if pixels.ndim == 2 else None, interpolation="nearest")
    axes.set_title(title, loc="center", fontsize=9)
    axes.axis("off")


def tiles(images, columns, gap=1):
    """One image out of many, (N, H, W) or (N, H, W, 3), in rows of `columns`, `gap` pixels apart, their least value between."""
    count, height, width = images.shape[:3]
    rows = -(-count // columns)
    shape = rows * (height + gap) - gap, columns * (width + gap) - gap, *images.shape[3:]
    whole = np.full(shape, images.min())
    for at, one in enumerate(images):
        top, left = at // columns * (height + gap), at % columns * (width + gap)
        whole[top:top + height, left:left + width] = one
    return whole
