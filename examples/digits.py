"""Train a convolutional network on handwritten digits, on whatever OpenCL device there is.

    python examples/digits.py [--help]

The data are the 1797 scanned digits of 8 x 8 pixels that come with scikit-learn; a fifth of them is kept for the test.
At the end the model is saved, loaded again and compared, and a picture of how it went is written beside it.
"""

import sys
import time

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
    from pictures import BLUE, RED, image, write
    from sklearn.datasets import load_digits
except ImportError as error:
    needs(error)

START_OF_LINE = "\r" if sys.stdout.isatty() else ""


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


def training_step(model, optimizer):
    """A function of images and labels that makes one step, and returns the loss and the scores."""
    def step(images, labels):
        scores = model(images)
        loss = F.cross_entropy(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach(), scores.detach()

    return step


def train(step, loader, progress):
    """One pass over the training images; progress is told (share done, mean loss, accuracy, images a second)."""
    start, seen, loss_sum, correct = time.perf_counter(), 0, 0.0, 0
    for images, labels in loader:
        loss, scores = step(images, labels)
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


def picture(figure, history, images, labels, guesses):
    """Draw the curves, and 24 of the test images with what was read in them, those read wrongly first."""
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
        image(axes, images[i], f"{labels[i]} read as {guesses[i]}" if wrong[i] else guesses[i])
        axes.title.set_color(RED if wrong[i] else BLUE)


def main(arguments=None):
    chosen = options("digits", "Train a network on handwritten digits.", arguments, epochs=20,
                     batch_size={"type": int, "default": 64, "help": "images a step"})
    if chosen.batch_size < 1:
        sys.exit("digits: --batch-size must be at least 1")
    print("The first step compiles the kernels, unless an earlier run has left them in the cache.")
    training, test = datasets(chosen.seed, chosen.device, chosen.dtype)
    loader = DataLoader(training, batch_size=chosen.batch_size, shuffle=True)
    images, labels = test.tensors[0], test.tensors[1].numpy()

    model = network().to(chosen.device, chosen.dtype)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)
    history = []
    for epoch in range(1, chosen.epochs + 1):
        model.train()
        now = train(step, loader, lambda *now, epoch=epoch: show(epoch, chosen.epochs, *now))
        schedule.step()
        guesses = predict(model, images)
        history.append((now[1], now[2], np.mean(guesses == labels)))
        show(epoch, chosen.epochs, *now, history[-1][2])

    file = chosen.output / "digits.safetensors"
    ct.save(model.state_dict(), file)
    restored = network().to(chosen.device, chosen.dtype)
    restored.load_state_dict(ct.load(file))
    if not np.array_equal(predict(restored, images), guesses):
        sys.exit("The model does not predict the same after it was saved and loaded again.")
    pixels = images[:, 0].float().numpy()
    write(lambda figure: picture(figure, history, pixels, labels, guesses), chosen.output / "digits.png")

    built = ct.opencl.build_stats()
    print(f"Test accuracy {history[-1][2]:.2%}: {np.sum(guesses == labels)} of {len(labels)} digits are read rightly.")
    print(f"Saved {file}; loaded again, it predicts the same.")
    print(f"{built.compiled} kernels were compiled and {built.loaded} loaded from the cache, in {built.seconds:.1f} s.")
    return history[-1][2]


if __name__ == "__main__":
    run(main)
