"""A kernel template of your own, with its gradient: a photograph painted with coloured blobs.

    python examples/custom_kernel.py [--help]

Two kernels are written below as a Mako template of OpenCL C, as cltensor's own are: it is rendered once per dtype, with the number
of work-items and the repetitions over colours filled in.  They run on the buffers of tensors and in the order of everything else on
the device.  The first adds up blobs, Gaussians of any place, size, slant and colour, in each pixel.  The second adds up, for each
blob, the gradients of all pixels.  An `autograd.Function` joins them, so that an optimiser can move the blobs until they look like
the photograph: the flower that comes with scikit-learn (by dany13, Creative Commons Attribution 2.0).

`gradcheck` holds the gradient against finite differences first.  Then the picture gets sharper for some hundred steps, and should
end several dB better than the photograph shrunk to as many numbers as the blobs have.
"""

import sys

import numpy as np
import pyopencl as cl
from commandline import needs, options, run
from mako.template import Template

import cltensor as ct
from cltensor import nn, optim
from cltensor.autograd import Function, gradcheck

try:
    from pictures import image, write
    from sklearn.datasets import load_sample_image
except ImportError as error:
    needs(error)

# A blob is 8 numbers: x, y, the matrix (a b; 0 c) that takes the distance to units of its size, and red, green, blue.
SOURCE = Template("""
<%
numbers, colours = range(8), ("red", "green", "blue")
def literal(value):  # of the type that is computed in, so that nothing is widened
    return f"{value}f" if T == "float" else f"{value}"
%>
% if T == "double":
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
% endif

/* An item per pixel: image[pixel] = sum of colour * exp(-(u * u + v * v) / 2) over all blobs. */
__kernel void paint(__global const ${T} *blobs, int count, int height, int width, __global ${T} *image) {
    int column = get_global_id(0), row = get_global_id(1);
    if (column >= width || row >= height)
        return;
    ${T} px = (column + ${literal(0.5)}) / height, py = (row + ${literal(0.5)}) / height;
% for c in colours:
    ${T} ${c} = 0;
% endfor
    for (int i = 0; i < count; i++) {
        __global const ${T} *blob = blobs + 8 * i;
        ${T} dx = px - blob[0], dy = py - blob[1];
        ${T} u = blob[2] * dx + blob[3] * dy, v = blob[4] * dy;
        ${T} weight = exp(${literal(-0.5)} * (u * u + v * v));
% for k, c in enumerate(colours):
        ${c} += weight * blob[${5 + k}];
% endfor
    }
    __global ${T} *pixel = image + 3 * (row * width + column);
% for k, c in enumerate(colours):
    pixel[${k}] = ${c};
% endfor
}

/* A work-group per blob: its items share the pixels, then add up what they have found. */
__kernel __attribute__((reqd_work_group_size(${ITEMS}, 1, 1)))
void paint_backward(__global const ${T} *blobs, __global const ${T} *g, int height, int width, __global ${T} *gradient) {
    __local ${T} found[${ITEMS}][8];
    int item = get_local_id(0);
    __global const ${T} *blob = blobs + 8 * get_group_id(0);
    ${T} x = blob[0], y = blob[1], a = blob[2], b = blob[3], c = blob[4], red = blob[5], green = blob[6], blue = blob[7];
    ${T} ${", ".join(f"sum{k} = 0" for k in numbers)};
    for (int p = item; p < height * width; p += ${ITEMS}) {
        ${T} dx = (p % width + ${literal(0.5)}) / height - x, dy = (p / width + ${literal(0.5)}) / height - y;
        ${T} u = a * dx + b * dy, v = c * dy, square = u * u + v * v;
        if (square > 40)
            continue;  /* too far away to be seen: exp(-20) */
        ${T} weight = exp(${literal(-0.5)} * square);
        ${T} slope = weight * (${" + ".join(f"g[3 * p + {k}] * {c}" for k, c in enumerate(colours))});
        sum0 += slope * u * a;
        sum1 += slope * (u * b + v * c);
        sum2 -= slope * u * dx;
        sum3 -= slope * u * dy;
        sum4 -= slope * v * dy;
% for k in range(3):
        sum${5 + k} += weight * g[3 * p + ${k}];
% endfor
    }
% for k in numbers:
    found[item][${k}] = sum${k};
% endfor
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item < 8) {
        ${T} total = 0;
        for (int i = 0; i < ${ITEMS}; i++)
            total += found[i][item];
        gradient[8 * get_group_id(0) + item] = total;
    }
}
""", strict_undefined=True)
ITEMS = 32
TYPES = {ct.float32: "float", ct.float64: "double"}
kernels = {}  # by name, dtype and context


def kernel(name, dtype, queue):
    """A kernel of SOURCE, compiled when it is first needed."""
    key = name, dtype, queue.context
    if key not in kernels:
        text = SOURCE.render(T=TYPES[dtype], ITEMS=ITEMS)
        program = cl.Program(queue.context, text).build(devices=[queue.device])
        kernels[key] = cl.Kernel(program, name)
    return kernels[key]


def launch(name, like, global_size, local_size, *arguments):
    """Enqueue a kernel on the current stream of the tensor `like`.  Tensors become their buffers, ints the kernel's ints.

    Tensors must be contiguous and start where their buffer does; `fresh` makes them so.
    """
    queue = ct.opencl.current_stream(like.device).queue
    passed = [cl.Buffer.from_int_ptr(a.untyped_storage().data_ptr()) if isinstance(a, ct.Tensor) else np.int32(a)
              for a in arguments]
    kernel(name, like.dtype, queue)(queue, global_size, local_size, *passed)


def fresh(x):
    """x, or a copy of it where it isn't all that its buffer holds, in order."""
    return x if x.is_contiguous() and x.storage_offset() == 0 else x.clone(memory_format=ct.contiguous_format)


class Paint(Function):
    """Blobs (N, 8) -> an image (height, width, 3)."""

    @staticmethod
    def forward(ctx, blobs, height, width):
        blobs = fresh(blobs)
        ctx.save_for_backward(blobs)
        made = ct.empty(height, width, 3, dtype=blobs.dtype, device=blobs.device)
        launch("paint", blobs, (width, height), None, blobs, len(blobs), height, width, made)
        return made

    @staticmethod
    @ct.autograd.function.once_differentiable
    def backward(ctx, g):
        blobs, = ctx.saved_tensors
        g, gradient = fresh(g), ct.empty_like(blobs)
        launch("paint_backward", blobs, (ITEMS * len(blobs),), (ITEMS,), blobs, g, *g.shape[:2], gradient)
        return gradient, None, None


class Blobs(nn.Module):
    """Blobs, in places and colours taken from a photograph (height, width, 3) at first."""

    def __init__(self, photograph, count, rng):
        super().__init__()
        height, width, _ = photograph.shape
        rows, columns = rng.integers(height, size=count), rng.integers(width, size=count)
        size = 1.5 * np.sqrt(count / (width / height))  # they overlap a little
        blobs = np.zeros((count, 8))
        blobs[:, 0], blobs[:, 1] = (columns + 0.5) / height, (rows + 0.5) / height
        blobs[:, 2] = blobs[:, 4] = size
        blobs[:, 5:] = photograph[rows, columns] / 3
        self.scale = size
        blobs[:, 2:5] /= size
        self.place = nn.Parameter(ct.tensor(blobs[:, :2]))
        self.shape = nn.Parameter(ct.tensor(blobs[:, 2:5]))
        self.colour = nn.Parameter(ct.tensor(blobs[:, 5:]))

    def forward(self, height, width):
        return Paint.apply(ct.cat((self.place, self.shape * self.scale, self.colour), 1), height, width)


def decibels(made, photograph):
    """Peak signal-to-noise ratio of two arrays with values of 0 to 1."""
    return -10 * np.log10(np.mean((np.clip(made, 0, 1) - photograph) ** 2))


def shrunk(photograph, numbers):
    """The photograph shrunk to at most so many numbers, by means over rectangles, and enlarged again."""
    height, width, _ = photograph.shape
    rows = int(np.sqrt(numbers / 3 * height / width))
    bands = [np.arange(side) * parts // side for side, parts in ((height, rows), (width, int(numbers / 3 / rows)))]
    small = np.stack([photograph[bands[0] == i].mean(0) for i in range(bands[0][-1] + 1)])
    small = np.stack([small[:, bands[1] == i].mean(1) for i in range(bands[1][-1] + 1)], 1)
    return small[bands[0]][:, bands[1]]


def check(device):
    """Compare the gradient with finite differences.  Raises GradcheckError where they differ."""
    blobs = ct.randn(3, 8, dtype=ct.float64, device=device, requires_grad=True)
    gradcheck(lambda b: Paint.apply(b, 5, 7), (blobs,))
    print("The kernel's gradient agrees with finite differences.", flush=True)


def picture(figure, photograph, stages, history, count, other):
    """Draw the stages of the painting, and how close it came."""
    top, bottom = figure.subfigures(2, 1)
    for axes, (step, made) in zip(top.subplots(1, len(stages)), stages.items(), strict=True):
        image(axes, np.clip(made, 0, 1), f"after {step} steps" if step else "at the start")
    left, middle, right = bottom.subplots(1, 3)
    image(left, photograph, "the photograph")
    image(middle, np.clip(other, 0, 1), f"shrunk to as many numbers: {decibels(other, photograph):.1f} dB")
    right.plot(np.arange(len(history)) + 1, history, color="black")
    right.axhline(decibels(other, photograph), color="#777777", linestyle="--", linewidth=1)
    right.set(title=f"PSNR of {count} blobs in dB", xlabel="step")


def main(arguments=None):
    chosen = options("custom_kernel", "Paint a photograph with blobs.", arguments, epochs=250,
                     blobs={"type": int, "default": 200, "help": "how many"},
                     height={"type": int, "default": 64, "help": "of the picture, in pixels"})
    if chosen.dtype not in TYPES:
        sys.exit("custom_kernel: its kernels are written for --dtype float32 and float64")
    check(chosen.device)
    whole = load_sample_image("flower.jpg") / 255.0
    every = len(whole) // chosen.height
    photograph = whole[: chosen.height * every, : whole.shape[1] // every * every]
    photograph = photograph.reshape(chosen.height, every, -1, every, 3).mean((1, 3))
    height, width, _ = photograph.shape
    target = ct.tensor(photograph, dtype=chosen.dtype, device=chosen.device)

    model = Blobs(photograph, chosen.blobs, np.random.default_rng(chosen.seed)).to(chosen.device, chosen.dtype)
    optimizer = optim.Adam([{"params": [model.place], "lr": 3e-3}, {"params": [model.shape, model.colour], "lr": 2e-2}])
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs, 1e-4)

    def step():
        made = model(height, width)
        loss = nn.functional.mse_loss(made, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach(), made.detach()

    step, history, stages = ct.compile(step, disable=not chosen.compile), [], {}
    for number in range(chosen.epochs + 1):
        loss, made = step()
        schedule.step()
        history.append(-10 * np.log10(loss.item()))
        if number in (0, chosen.epochs // 10, chosen.epochs // 3, chosen.epochs):
            stages[number] = made.double().numpy()
            print(f"step {number:4}  {history[-1]:.2f} dB", flush=True)
    if chosen.compile:
        print(f"--compile has gained nothing: the step ran eagerly, since {step.explain().reasons[0]}.")
    other = shrunk(photograph, 8 * chosen.blobs)
    write(lambda figure: picture(figure, photograph, stages, history, chosen.blobs, other), chosen.output / "custom_kernel.png",
          size=(12, 5.2))
    gained = decibels(made.double().numpy(), photograph) - decibels(other, photograph)
    print(f"{chosen.blobs} blobs of 8 numbers are {gained:.1f} dB closer to the photograph of {photograph.size} numbers than "
          "as many numbers spent on fewer pixels.")
    return gained


if __name__ == "__main__":
    run(main)
