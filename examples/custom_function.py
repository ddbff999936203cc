"""An autograd.Function of your own: sparsemax, which gives most classes a probability of exactly 0, and its loss.

    python examples/custom_function.py [--help]

Sparsemax maps scores to the nearest point of the probability simplex (Martins and Astudillo, From softmax to sparsemax, 2016).
Its forward pass sorts, and its gradient has a short closed form: both are written below, as a Function each for the map and for
its loss.  `gradcheck` compares the gradients with finite differences, in double precision.

A small network then learns scikit-learn's handwritten digits once with this loss and once with cross entropy.  It should read
them as well as with cross entropy, while it names hardly more than one digit for each image, where softmax names all ten.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.autograd import Function, gradcheck, gradgradcheck
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from pictures import BLUE, ORANGE, RED, image, write
    from sklearn.datasets import load_digits
except ImportError as error:
    needs(error)


class Sparsemax(Function):
    """Scores (N, classes) -> probabilities (N, classes), many of them 0."""

    @staticmethod
    def forward(ctx, scores):
        ordered = scores.sort(1, descending=True).values
        sums = ordered.cumsum(1) - 1
        count = ct.arange(1, scores.shape[1] + 1, dtype=scores.dtype, device=scores.device)
        kept = (count * ordered > sums).sum(1, keepdim=True)  # how many classes stay above 0
        threshold = sums.gather(1, kept - 1) / kept.to(scores.dtype)
        probabilities = (scores - threshold).clamp(min=0)
        ctx.save_for_backward(probabilities > 0)
        return probabilities

    @staticmethod
    def backward(ctx, g):
        support, = ctx.saved_tensors
        support = support.to(g.dtype)
        return support * (g - (g * support).sum(1, keepdim=True) / support.sum(1, keepdim=True))


class SparsemaxLoss(Function):
    """Scores (N, classes) and labels (N,) -> losses (N,): the convex loss whose gradient is sparsemax minus the label's indicator.

    It is 0 once a label's score is above all others by 1.
    """

    @staticmethod
    def forward(ctx, scores, labels):
        probabilities = Sparsemax.apply(scores)
        ctx.save_for_backward(scores, labels)
        of_label = scores.gather(1, labels[:, None])[:, 0]
        return (probabilities * (scores - probabilities / 2)).sum(1) - of_label + 0.5

    @staticmethod
    def backward(ctx, g):
        scores, labels = ctx.saved_tensors
        label = F.one_hot(labels, scores.shape[1]).to(g.dtype)
        return g[:, None] * (Sparsemax.apply(scores) - label), None  # by Sparsemax again: so there is a second derivative


def sparsemax_loss(scores, labels):
    """The mean of SparsemaxLoss."""
    return SparsemaxLoss.apply(scores, labels).mean()


def check(device):
    """Compare the gradients with finite differences.  Raises GradcheckError where they differ."""
    scores = ct.randn(6, 5, dtype=ct.float64, device=device, requires_grad=True)
    labels = ct.randint(0, 5, (6,), device=device)
    for name, function in (("Sparsemax", Sparsemax.apply), ("SparsemaxLoss", lambda s: SparsemaxLoss.apply(s, labels))):
        gradcheck(function, (scores,))
        gradgradcheck(function, (scores,))
        print(f"{name}: first and second derivatives agree with finite differences.", flush=True)


def datasets(seed, dtype, device):
    """Training and test set: images (N, 64), standardised, and labels (N,)."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    test, train = np.split(order, [len(order) // 5])
    pixels = (digits.data - digits.data[train].mean()) / digits.data[train].std()
    return [TensorDataset(ct.tensor(pixels[part], dtype=dtype, device=device), ct.tensor(digits.target[part], device=device))
            for part in (train, test)]


def learn(training, loss_of, chosen):
    """A network that has learned the training set."""
    ct.manual_seed(chosen.seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10)).to(chosen.device, chosen.dtype)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3)

    def step(images, labels):
        loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    step = ct.compile(step, disable=not chosen.compile)
    for _ in range(chosen.epochs):
        for batch in DataLoader(training, batch_size=64, shuffle=True, drop_last=True):
            step(*batch)
    return model.eval()


def picture(figure, probabilities, pixels, labels):
    """Draw the test images that sparsemax is least sure about, with both networks' probabilities."""
    counts = (probabilities["sparsemax"] > 0).sum(1)
    hardest = np.argsort(probabilities["sparsemax"].max(1), kind="stable")[:5]
    left, right = figure.subfigures(1, 2, width_ratios=(1, 2.6))
    axes = left.subplots()
    most = max(counts.max(), 4)
    axes.bar(np.arange(1, most + 1), [100 * np.mean(counts == n) for n in range(1, most + 1)], color=BLUE)
    axes.set(title="digits with a probability above 0", xlabel="how many (softmax: always 10)", ylabel="% of the test images",
             xticks=range(1, most + 1))
    right.suptitle("the five images that sparsemax is least sure about, and their probabilities (red: the truth)", fontsize=11)
    for at, (above, below) in zip(hardest, right.subplots(2, 5, height_ratios=(1, 1.4)).T, strict=True):
        image(above, pixels[at].reshape(8, 8), f"a {labels[at]}")
        for offset, (name, color) in zip((-0.2, 0.2), (("sparsemax", BLUE), ("softmax", ORANGE)), strict=True):
            below.barh(np.arange(10) + offset, probabilities[name][at], 0.4, color=color, label=name)
        below.set(xlim=(0, 1), yticks=range(10), ylim=(9.6, -0.6))
        below.get_yticklabels()[labels[at]].set_color(RED)
    below.legend(fontsize=8, loc="upper right")


def main(arguments=None):
    chosen = options("custom_function", "Learn digits with sparsemax.", arguments, epochs=15)
    check(chosen.device)
    training, test = datasets(chosen.seed, chosen.dtype, chosen.device)
    images, labels = test.tensors[0], test.tensors[1].numpy()
    probabilities, accuracy = {}, {}
    for name, loss_of, to_probabilities in (("sparsemax", sparsemax_loss, Sparsemax.apply),
                                            ("softmax", F.cross_entropy, lambda scores: scores.softmax(1))):
        model = learn(training, loss_of, chosen)
        with ct.no_grad():
            probabilities[name] = to_probabilities(model(images)).double().numpy()
        accuracy[name] = np.mean(probabilities[name].argmax(1) == labels)
        counts = (probabilities[name] > 0).sum(1)
        print(f"{name:9}  test accuracy {accuracy[name]:.1%}, {counts.mean():.2f} digits with a probability above 0", flush=True)
    write(lambda figure: picture(figure, probabilities, images.double().numpy(), labels), chosen.output / "custom_function.png",
          size=(13, 5))
    return accuracy["sparsemax"]


if __name__ == "__main__":
    run(main)
