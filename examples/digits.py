"""Train a convolutional network on handwritten digits, on whatever OpenCL device there is.

    python examples/digits.py [--help]

The data are the 1797 scanned digits of 8 x 8 pixels that come with scikit-learn; a fifth of them is kept for the test.
At the end the model is saved, loaded again and compared, and a picture of how it went is written beside it.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from matplotlib import rc_context, rcsetup
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
    from sklearn.datasets import load_digits
except ImportError as error:
    sys.exit(f'{error}.  The command that brings what the examples need: pip install "cltensor[examples]"')

START_OF_LINE = "\r" if sys.stdout.isatty() else ""
STYLE = {"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "axes.titlesize": 11,
         "axes.grid": True, "axes.grid.axis": "y", "grid.color": "#dddddd", "lines.linewidth": 2,
         "legend.frameon": False, "axes.prop_cycle": rcsetup.cycler(color=["#2a6f97", "#e07a1f"])}


def parse(arguments):
    parser = argparse.ArgumentParser(description="Train a network on handwritten digits.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--device", default="opencl", help="gpu, cpu, opencl:1, or opencl for the best one")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the training images")
    parser.add_argument("--batch-size", type=int, default=64, help="images a step")
    parser.add_argument("--seed", type=int, default=0, help="of the split, the weights, the order and dropout")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64", "float16", "bfloat16"],
                        help="of the images and the weights")
    parser.add_argument("--output", type=Path, default="digits-output", help="folder for the model and the picture")
    options = parser.parse_args(arguments)
    if min(options.epochs, options.batch_size) < 1:
        parser.error("--epochs and --batch-size must be at least 1")
    return options


def datasets(seed, device, dtype):
    """Training and test set of standardised images (N, 1, 8, 8) and labels (N,)."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    test, train = np.split(order, [len(order) // 5])
    images = (digits.images[:, None] - digits.images[train].mean()) / digits.images[train].std()
    return [TensorDataset(ct.tensor(images[part], dtype=dtype, device=device),
                          ct.tensor(digits.target[part], device=device)) for part in (train, test)]


def network():
    """A small convolutional network: images (N, 1, 8, 8) -> scores (N, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * 2 * 2, 10))


def train(model, loader, optimizer, progress):
    """One pass over the training images; progress is told (share done, mean loss, accuracy, images a second)."""
    model.train()
    start, seen, loss_sum, correct = time.perf_counter(), 0, 0.0, 0
    for images, labels in loader:
        scores = model(images)
        loss = F.cross_entropy(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen += len(labels)
        loss_sum += loss.item() * len(labels)
        correct += (scores.argmax(1) == labels).sum().item()
        now = seen / len(loader.dataset), loss_sum / seen, correct / seen, seen / (time.perf_counter() - start)
        progress(*now)
    return now


@ct.no_grad()
def predict(model, images):
    """The digits the network sees in images, as a NumPy array (N,)."""
    model.eval()
    return model(images).argmax(1).numpy()


def show(epoch, epochs, done, loss, accuracy, speed, test=None):
    """A progress bar with what is known so far: rewritten in place on a terminal, elsewhere printed when it is full."""
    full, empty = "█░" if "utf" in (sys.stdout.encoding or "").lower() else "#."
    bar = (full * round(12 * done)).ljust(12, empty)
    text = f"epoch {epoch:2}/{epochs} {bar} loss {loss:.3f}  accuracy {accuracy:6.1%} {speed:5.0f} images/s"
    if test is not None:
        print(f"{START_OF_LINE}{text}, test {test:.1%}", flush=True)
    elif START_OF_LINE:
        print(f"{START_OF_LINE}{text}", end="", flush=True)


def picture(history, images, labels, guesses, path):
    """Write the curves, and 24 of the test images with what was read in them, those read wrongly first."""
    figure = Figure(figsize=(11, 5.2), dpi=130, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    top, bottom = left.subplots(2, 1, sharex=True)
    loss, accuracy, test = np.transpose(history)
    epochs = np.arange(len(history)) + 1
    top.plot(epochs, loss, color="black")
    top.set(title="training loss", yscale="log")
    top.yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}", minor_locator=NullLocator())
    bottom.plot(epochs, 100 * accuracy, label="training")
    bottom.plot(epochs, 100 * test, label=f"test, {test[-1]:.1%} at the end")
    bottom.set(title="accuracy in %", xlabel="epoch")
    bottom.xaxis.set(major_locator=MaxNLocator(integer=True))
    bottom.legend(loc="lower right")
    wrong = guesses != labels
    right.suptitle(f"test digits as they were read, {wrong.sum()} of {len(labels)} wrongly", fontsize=11)
    for axes, i in zip(right.subplots(4, 6).flat, np.argsort(~wrong, kind="stable"), strict=False):
        axes.imshow(images[i], cmap="gray_r")
        axes.set_title(f"{labels[i]} read as {guesses[i]}" if wrong[i] else guesses[i], loc="center", fontsize=10,
                       color="#c1121f" if wrong[i] else "#2a6f97")
        axes.axis("off")
    figure.savefig(path)


def main(arguments=None):
    options = parse(arguments)
    start = time.perf_counter()
    device, dtype = ct.device(options.device), getattr(ct, options.dtype)
    print(f"Training in {options.dtype} on {device}, {device.name} ({device.platform_name})")
    print("The first step compiles the kernels, unless an earlier run has left them in the cache.")
    ct.manual_seed(options.seed)
    training, test = datasets(options.seed, device, dtype)
    loader = DataLoader(training, batch_size=options.batch_size, shuffle=True)
    images, labels = test.tensors[0], test.tensors[1].numpy()

    model = network().to(device, dtype)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    history = []
    for epoch in range(1, options.epochs + 1):
        now = train(model, loader, optimizer, lambda *now, epoch=epoch: show(epoch, options.epochs, *now))
        schedule.step()
        guesses = predict(model, images)
        history.append((now[1], now[2], np.mean(guesses == labels)))
        show(epoch, options.epochs, *now, history[-1][2])

    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "digits.safetensors"
    ct.save(model.state_dict(), file)
    restored = network().to(device, dtype)
    restored.load_state_dict(ct.load(file))
    if not np.array_equal(predict(restored, images), guesses):
        sys.exit("The model does not predict the same after it was saved and loaded again.")
    with rc_context(STYLE):
        picture(history, images[:, 0].float().numpy(), labels, guesses, options.output / "digits.png")

    built = ct.opencl.build_stats()
    print(f"Test accuracy {history[-1][2]:.2%}: {np.sum(guesses == labels)} of {len(labels)} digits are read rightly.")
    print(f"Saved {file}; loaded again, it predicts the same.  Picture: {options.output / 'digits.png'}")
    print(f"{built.compiled} kernels were compiled and {built.loaded} loaded from the cache, in {built.seconds:.1f} s; "
          f"the whole run took {time.perf_counter() - start:.1f} s.")
    return history[-1][2]


if __name__ == "__main__":
    try:
        main()
    except ct.CLTensorError as error:
        sys.exit(f"digits: {error}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted.")
