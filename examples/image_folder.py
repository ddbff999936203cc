"""From a folder of pictures to a network: ImageFolder, random transforms, and workers that read ahead.

    python examples/image_folder.py [--help]

First the program writes such a folder, train/0/... to train/9/... and test/..., one picture a file: the handwritten digits of
scikit-learn, enlarged, and painted in light colours on dark ones.  Then it reads them as one would read one's own:
`ImageFolder` finds classes and files, `transforms` change each picture anew in each epoch, and the processes of a `DataLoader`
do both while the network learns.  --data names a folder of your own with train and test in it.

Only 20 pictures of each digit are there to learn from.  The network that sees them turned, moved and recoloured at random should
read clearly more of the test pictures than one that sees them as they are, and both far more than nearest neighbours do.
"""

from pathlib import Path

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader
from cltensor.vision import datasets, transforms

try:
    from pictures import BLUE, ORANGE, RED, image, write
    from PIL import Image
    from sklearn.datasets import load_digits
    from sklearn.neighbors import KNeighborsClassifier
except ImportError as error:
    needs(error)

SIDE, MEAN, STD = 28, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def write_pictures(folder, each, seed):
    """Write `each` pictures of each digit for training, and twice as many for the test."""
    digits, rng = load_digits(), np.random.default_rng(seed)
    for digit in range(10):
        chosen = rng.permutation(np.flatnonzero(digits.target == digit))[: 3 * each]
        for i, number in enumerate(chosen):
            place = folder / ("train" if i < each else "test") / str(digit)
            place.mkdir(parents=True, exist_ok=True)
            paper, ink = rng.uniform(0, 120, 3), rng.uniform(135, 255, 3)
            share = np.pad(digits.images[number] / 16, 1)[..., None]
            pixels = share * ink + (1 - share) * paper + rng.normal(0, 8, (10, 10, 3))
            picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).resize((32, 32), Image.Resampling.BICUBIC)
            picture.save(place / f"{number:04}.png")


def pipelines():
    """Two transforms of Pillow images to tensors (3, SIDE, SIDE): as they are, and changed at random."""
    finish = [transforms.Resize((SIDE, SIDE)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    changes = [transforms.RandomAffine(12, translate=(0.08, 0.08), scale=(0.9, 1.1), shear=8),
               transforms.ColorJitter(0.3, 0.3, 0.3, 0.5)]
    return transforms.Compose(finish), transforms.Compose([*changes, *finish])


def network(classes):
    """Scores (N, classes) for pictures (N, 3, SIDE, SIDE)."""
    layers, before = [], 3
    for after in (16, 32, 64):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
        before = after
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * (SIDE // 8) ** 2, classes))


def learn(loader, test, classes, chosen, name):
    """Train a network.  Returns the test accuracy of each epoch, and at the end its guesses (N,)."""
    ct.manual_seed(chosen.seed)
    model = network(classes).to(chosen.device, chosen.dtype)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)

    def step(pictures, labels):
        loss = F.cross_entropy(model(pictures), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    step, history = ct.compile(step, disable=not chosen.compile), []
    for epoch in range(1, chosen.epochs + 1):
        model.train()
        for pictures, labels in loader:
            loss = step(pictures.to(chosen.device, chosen.dtype), labels.to(chosen.device))
        schedule.step()
        model.eval()
        with ct.no_grad():
            guesses = model(test[0]).argmax(1).numpy()
        history.append(np.mean(guesses == test[1]))
        if epoch % 10 == 0 or epoch == chosen.epochs:
            print(f"{name:18} epoch {epoch:2}/{chosen.epochs}  loss {loss.item():.3f}  test {history[-1]:.1%}", flush=True)
    return history, guesses


def whole(dataset, chosen):
    """All pictures of a dataset, as a tensor (N, 3, SIDE, SIDE) on the device, and their labels, as an array (N,)."""
    parts = list(DataLoader(dataset, batch_size=100, num_workers=chosen.workers))
    return (ct.cat([pictures for pictures, _ in parts]).to(chosen.device, chosen.dtype),
            ct.cat([labels for _, labels in parts]).numpy())


def as_pixels(pictures):
    """A tensor (N, 3, H, W) of normalised pictures as an array (N, H, W, 3) of 0 to 1."""
    return np.clip(pictures.float().numpy().transpose(0, 2, 3, 1) * STD + MEAN, 0, 1)


def picture(figure, dataset, changed, test, histories, guesses, other):
    """Draw what the transforms make of four pictures, the accuracies, and test pictures that were misread."""
    left, right = figure.subfigures(1, 2, width_ratios=(1.25, 1))
    left.suptitle("four pictures (left), and what the network saw of them in other epochs", fontsize=11)
    for i, row in zip(np.linspace(0, len(dataset) - 1, 4).astype(int), left.subplots(4, 7), strict=True):
        image(row[0], as_pixels(dataset[i][0][None])[0], dataset.classes[dataset.targets[i]])
        for axes in row[1:]:
            image(axes, as_pixels(changed[i][0][None])[0])
    top, bottom = right.subfigures(2, 1, height_ratios=(1.3, 1))
    axes = top.subplots()
    for (name, history), color in zip(histories.items(), (ORANGE, BLUE), strict=True):
        axes.plot(np.arange(len(history)) + 1, 100 * np.array(history), color=color, label=f"{name}: {history[-1]:.1%}")
    axes.axhline(100 * other, color=RED, linewidth=1, linestyle="--", label=f"nearest neighbours: {other:.1%}")
    axes.set(title="test pictures that are read rightly, in %", xlabel="epoch", ylim=(0, 102))
    axes.legend(loc="lower right")
    wrong = np.flatnonzero(guesses != test[1])[:10]
    bottom.suptitle("misread, in spite of it", fontsize=11)
    for axes in bottom.subplots(2, 5).flat:
        axes.axis("off")
    for axes, i in zip(bottom.axes, wrong, strict=False):
        image(axes, as_pixels(test[0][int(i)][None])[0], f"{dataset.classes[test[1][i]]} as {dataset.classes[guesses[i]]}")


def main(arguments=None):
    chosen = options("image_folder", "Learn from a folder of pictures.", arguments, epochs=40,
                     data={"type": Path, "help": "a folder of your own, with train/CLASS/... and test/CLASS/..."},
                     workers={"type": int, "default": 2, "help": "processes that read and transform"},
                     each={"type": int, "default": 20, "help": "pictures of each digit to learn from"})
    folder = chosen.data or chosen.output / "digits"
    if chosen.data is None:
        write_pictures(folder, chosen.each, chosen.seed)
    plain, random = pipelines()
    as_they_are, changed = (datasets.ImageFolder(folder / "train", transform=t) for t in (plain, random))
    test = whole(datasets.ImageFolder(folder / "test", transform=plain), chosen)
    print(f"{folder}: {len(changed)} pictures of {len(changed.classes)} classes to learn from, {len(test[1])} for the test.")

    histories = {}
    for name, dataset in (("as they are", as_they_are), ("changed at random", changed)):
        loader = DataLoader(dataset, batch_size=50, shuffle=True, drop_last=True, num_workers=chosen.workers,
                            persistent_workers=chosen.workers > 0)
        histories[name], guesses = learn(loader, test, len(dataset.classes), chosen, name)
    seen, labels = whole(as_they_are, chosen)
    other = KNeighborsClassifier(3).fit(as_pixels(seen).reshape(len(labels), -1), labels).score(
        as_pixels(test[0]).reshape(len(test[1]), -1), test[1])
    write(lambda figure: picture(figure, as_they_are, changed, test, histories, guesses, other),
          chosen.output / "image_folder.png", size=(13, 6))
    scores = [history[-1] for history in histories.values()]
    print(f"Read rightly: {scores[0]:.1%} after learning the pictures as they are, {scores[1]:.1%} changed at random; "
          f"nearest neighbours, {other:.1%}.")
    return scores[1]


if __name__ == "__main__":
    run(main)
