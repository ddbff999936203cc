"""Fine-tune a ResNet-18: what was learned of some digits helps to learn others from ten examples each.

    python examples/finetune.py [--help]

`--checkpoint resnet18.pth` names a state_dict that PyTorch has written, such as torchvision's of ImageNet.  Without one, as
nothing is downloaded, the network first learns the digits 0 to 4 of scikit-learn, and writes a file that PyTorch reads as well;
that is the checkpoint then.  Its last layer is replaced by a new one for the digits 5 to 9, and the whole network is trained on
ten images of each, layers from the checkpoint at a tenth of the rate.

For comparison the same network learns the same 50 images from nothing.  After these few steps the fine-tuned one should be right
clearly more often; from nothing (--steps 30) it takes some three times as many to get there.
"""

import sys
from pathlib import Path

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset
from cltensor.vision.models import resnet18

try:
    from pictures import BLUE, ORANGE, RED, image, write
    from sklearn.datasets import load_digits
except ImportError as error:
    needs(error)

SIDE, EXAMPLES, OLD, NEW = 32, 10, range(5), range(5, 10)
MEAN, STD = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))  # of ImageNet, as checkpoints expect


def pictures(digits, classes, chosen, rng):
    """Images (N, 3, SIDE, SIDE) of some digits, in random order, and labels (N,) that count from 0, on the device."""
    rows = rng.permutation(np.flatnonzero(np.isin(digits.target, list(classes))))
    grey = ct.tensor(digits.images[rows, None] / 16, dtype=ct.float32, device=chosen.device)
    enlarged = F.interpolate(grey, size=(SIDE, SIDE), mode="bilinear")
    mean, std = (ct.tensor(values[:, None, None], dtype=ct.float32, device=chosen.device) for values in (MEAN, STD))
    return (((enlarged - mean) / std).to(chosen.dtype),
            ct.tensor(digits.target[rows] - classes[0], device=chosen.device))


def training_step(model, optimizer):
    """A function of images and labels that makes one step and returns the loss."""
    def step(images, labels):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


@ct.no_grad()
def guessed(model, images):
    """The labels that the network gives the images, as an array (N,)."""
    model.eval()
    guesses = [model(part).argmax(1) for part in images.split(128)]
    model.train()
    return ct.cat(guesses).numpy()


def pretrained(digits, chosen, rng):
    """Learn the old digits, and write a checkpoint as PyTorch does.  Returns its path."""
    images, labels = pictures(digits, OLD, chosen, rng)
    known = TensorDataset(images[: chosen.images], labels[: chosen.images])
    loader = DataLoader(known, batch_size=64, shuffle=True, drop_last=True)
    model = resnet18(num_classes=len(OLD)).to(chosen.device, chosen.dtype)
    step = ct.compile(training_step(model, optim.AdamW(model.parameters(), lr=1e-3)), disable=not chosen.compile)
    for epoch in range(1, chosen.epochs + 1):
        losses = [step(*batch).item() for batch in loader]
        print(f"digits {OLD[0]} to {OLD[-1]}  epoch {epoch}/{chosen.epochs}  loss {np.mean(losses):.3f}", flush=True)
    path = chosen.output / "resnet18.pth"
    ct.save(model.float().state_dict(), path, format="torch")
    print(f"Checkpoint: {path}, {path.stat().st_size / 2**20:.0f} MiB; torch.load reads it too.", flush=True)
    return path


def restored(path):
    """A ResNet-18 with the weights of a checkpoint, whatever the number of its classes."""
    state = ct.load(path)
    if "fc.weight" not in state:
        sys.exit(f"finetune: {path} is no state_dict of a ResNet-18; it should have an entry fc.weight")
    model = resnet18(num_classes=len(state["fc.weight"]))
    model.load_state_dict(state)
    return model


def learn(model, groups, few, test, chosen, name):
    """Train on the few images.  Returns the test accuracy after each step, and the last guesses."""
    step = ct.compile(training_step(model, optim.AdamW(groups, lr=1e-3)), disable=not chosen.compile)
    history = [np.mean(guessed(model, test[0]) == test[1])]
    for number in range(1, chosen.steps + 1):
        loss = step(*few)
        if number % 2 == 0 or number == chosen.steps:
            guesses = guessed(model, test[0])
            history.append(np.mean(guesses == test[1]))
            print(f"{name:16} step {number:3}  loss {loss.item():.3f}  test {history[-1]:.1%}", flush=True)
    return history, guesses


def picture(figure, few, histories, places, test, guesses):
    """Draw the few images, the accuracies, and test images with what was read in them."""
    left, middle, right = figure.subfigures(1, 3, width_ratios=(1, 1.3, 1))
    left.suptitle(f"the {len(few[1])} images to learn from", fontsize=11)
    labels = few[1].numpy()
    grids = left.subplots(EXAMPLES, len(NEW))
    for column in range(len(NEW)):
        for row, i in enumerate(np.flatnonzero(labels == column)):
            image(grids[row, column], grey(few[0][int(i)]))
    axes = middle.subplots()
    for (name, history), color in zip(histories.items(), (ORANGE, BLUE), strict=True):
        axes.plot(places, 100 * np.array(history), color=color, marker="o", markersize=4, label=f"{name}: {history[-1]:.1%}")
    axes.set(title=f"test accuracy on digits {NEW[0]} to {NEW[-1]}, in %", xlabel="step", ylim=(0, 102))
    axes.legend(loc="lower right")
    wrong = guesses != test[1]
    right.suptitle(f"fine-tuned: {wrong.sum()} of {len(wrong)} wrong", fontsize=11)
    for axes, i in zip(right.subplots(5, 4).flat, np.argsort(~wrong, kind="stable"), strict=False):
        truth, guess = test[1][i] + NEW[0], guesses[i] + NEW[0]
        image(axes, grey(test[0][int(i)]), f"{truth} read as {guess}" if wrong[i] else guess)
        axes.title.set_color(RED if wrong[i] else BLUE)
        axes.title.set_fontsize(8)


def grey(tensor):
    """One image (3, SIDE, SIDE) as an array (SIDE, SIDE) of 0 to 1."""
    return tensor[0].float().numpy() * STD[0] + MEAN[0]


def main(arguments=None):
    chosen = options("finetune", "Fine-tune a ResNet-18.", arguments, epochs=3,
                     checkpoint={"type": Path, "help": "a ResNet-18's state_dict, written by PyTorch"},
                     images={"type": int, "default": 832, "help": "of the digits 0 to 4, without a checkpoint"},
                     steps={"type": int, "default": 12, "help": "of fine-tuning"})
    digits, rng = load_digits(), np.random.default_rng(chosen.seed)
    path = chosen.checkpoint or pretrained(digits, chosen, rng)
    images, labels = pictures(digits, NEW, chosen, rng)
    numbers = labels.numpy()
    first = np.concatenate([np.flatnonzero(numbers == label)[:EXAMPLES] for label in range(len(NEW))])
    rest = ct.tensor(np.setdiff1d(np.arange(len(numbers)), first)[:300], device=chosen.device)
    few = images[ct.tensor(first, device=chosen.device)], labels[ct.tensor(first, device=chosen.device)]
    test = images[rest], labels[rest].numpy()

    histories = {}
    for name in ("from nothing", "fine-tuned"):
        ct.manual_seed(chosen.seed)
        model = restored(path) if name == "fine-tuned" else resnet18()
        model.fc = nn.Linear(model.fc.in_features, len(NEW))
        model = model.to(chosen.device, chosen.dtype)
        old = [p for key, p in model.named_parameters() if not key.startswith("fc.")]
        rate = 1e-4 if name == "fine-tuned" else 1e-3
        groups = [{"params": model.fc.parameters(), "lr": 1e-3}, {"params": old, "lr": rate}]
        histories[name], guesses = learn(model, groups, few, test, chosen, name)
    places = [0, *(n for n in range(1, chosen.steps + 1) if n % 2 == 0 or n == chosen.steps)]
    write(lambda figure: picture(figure, few, histories, places, test, guesses), chosen.output / "finetune.png", size=(13, 6))
    nothing, tuned = (history[-1] for history in histories.values())
    print(f"Right about digits {NEW[0]} to {NEW[-1]} after {EXAMPLES} examples of each: {tuned:.1%} fine-tuned, {nothing:.1%} from "
          f"nothing, chance {1 / len(NEW):.0%}.")
    return tuned


if __name__ == "__main__":
    run(main)
