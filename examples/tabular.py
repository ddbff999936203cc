"""Learn from tables: three data sets, networks with embeddings of numbers, and linear models of scikit-learn beside them.

    python examples/tabular.py [--help]

The tables come with scikit-learn: 178 Italian wines of three growers (13 chemical measurements), 569 breast tumours, benign or
not (30 measurements of cell nuclei), and 442 diabetes patients (10 measurements, and how far the disease went within a year).
Each table is split into five parts; each part in turn is the test for a model that has learned from the other four.

Linear models are hard to beat on tables as small as these.  The network should come out even with them, within the spread of
the parts; with less dropout and weight decay it falls behind on the diabetes table, whose target is noisy.
"""

import functools

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from pictures import BLUE, GREY, ORANGE, write
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.model_selection import KFold
except ImportError as error:
    needs(error)

TABLES = {"wine": load_wine, "breast cancer": load_breast_cancer, "diabetes": load_diabetes}
BINS, WIDTH = 8, 6


class Table:
    """Rows of numbers and their targets, as NumPy arrays; classes is None where the target is a number."""

    def __init__(self, name):
        data = TABLES[name]()
        self.name, self.rows, self.target = name, data.data, data.target
        self.classes = None if name == "diabetes" else len(data.target_names)
        self.measure = "R2" if self.classes is None else "accuracy"

    def score(self, test, guesses):
        """Accuracy, or the share of the target's variance that is explained (R2)."""
        target = self.target[test]
        if self.classes is not None:
            return np.mean(guesses == target)
        return 1 - np.mean((guesses - target) ** 2) / np.var(target)


class TabularNetwork(nn.Module):
    """Scores (N, outputs) for rows (N, columns) of standardised numbers.

    Each number enters twice: as itself, and as the embedding of the bin it falls into, which lets the network bend at once where
    a linear model can't.  edges: (columns, BINS - 1), the bins' limits.
    """

    def __init__(self, edges, outputs, hidden=32):
        super().__init__()
        columns = len(edges)
        self.register_buffer("edges", edges)
        self.register_buffer("first", ct.arange(columns) * BINS)  # a column's own rows in the table of embeddings
        self.embedding = nn.Embedding(columns * BINS, WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.linear = nn.Linear(columns, outputs)
        self.curves = nn.Sequential(nn.Dropout(0.5), nn.Linear(columns * (WIDTH + 1), hidden), nn.ReLU(), nn.Dropout(0.5),
                                    nn.Linear(hidden, outputs))

    def forward(self, rows):
        bins = (rows[:, :, None] > self.edges).sum(2) + self.first
        embedded = ct.cat((rows[:, :, None], self.embedding(bins)), 2)
        return self.linear(rows) + self.curves(embedded.flatten(1))


def training_step(model, optimizer, loss_of):
    """A function of rows and targets that makes one step and returns the loss."""
    def step(rows, target):
        loss = loss_of(model(rows), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def network(table, train, test, chosen):
    """What a network that learned from the rows `train` says of the rows `test`."""
    mean, std = table.rows[train].mean(0), table.rows[train].std(0)
    as_tensor = functools.partial(ct.tensor, dtype=chosen.dtype, device=chosen.device)
    rows = as_tensor((table.rows - mean) / std)
    if table.classes is None:
        centre, scale = table.target[train].mean(), table.target[train].std()
        target, loss_of = as_tensor((table.target - centre) / scale)[:, None], F.mse_loss
    else:
        target, loss_of = ct.tensor(table.target, device=chosen.device), F.cross_entropy
    edges = np.quantile((table.rows[train] - mean) / std, np.arange(1, BINS) / BINS, axis=0).T

    model = TabularNetwork(as_tensor(edges), table.classes or 1).to(chosen.device, chosen.dtype)
    optimizer = optim.AdamW(model.parameters(), lr=5e-3, weight_decay=3.0)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)
    step = ct.compile(training_step(model, optimizer, loss_of), disable=not chosen.compile)
    train, test = ct.tensor(train, device=chosen.device), ct.tensor(test, device=chosen.device)
    for _ in range(chosen.epochs):
        for batch in DataLoader(TensorDataset(rows[train], target[train]), batch_size=64, shuffle=True):
            step(*batch)
        schedule.step()
    model.eval()
    with ct.no_grad():
        scores = model(rows[test])
    return scores[:, 0].double().numpy() * scale + centre if table.classes is None else scores.argmax(1).numpy()


def linear(table, train, test):
    """What scikit-learn's logistic or linear regression says of the rows `test`."""
    mean, std = table.rows[train].mean(0), table.rows[train].std(0)
    model = LinearRegression() if table.classes is None else LogisticRegression(max_iter=1000)
    return model.fit((table.rows[train] - mean) / std, table.target[train]).predict((table.rows[test] - mean) / std)


def compare(table, chosen):
    """Scores of each part (folds, 2), network's and linear model's, and what both say of all rows (2, N)."""
    scores, guesses = [], np.empty((2, len(table.target)))
    for train, test in KFold(chosen.folds, shuffle=True, random_state=chosen.seed).split(table.rows):
        guesses[0, test], guesses[1, test] = network(table, train, test, chosen), linear(table, train, test)
        scores.append([table.score(test, both[test]) for both in guesses])
    scores = np.array(scores)
    print(f"{table.name:14} {table.measure:9} network {scores[:, 0].mean():.3f} +- {scores[:, 0].std():.3f}   "
          f"linear model {scores[:, 1].mean():.3f} +- {scores[:, 1].std():.3f}", flush=True)
    return scores, guesses


def picture(figure, tables, found):
    """Draw the scores of all parts, and what was said of the patients against what came."""
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    for i, table in enumerate(tables):
        scores = found[table.name][0]
        for k, (name, color) in enumerate((("network", BLUE), ("linear model", ORANGE))):
            place, mean = i + 0.36 * (k - 0.5), scores[:, k].mean()
            left.bar(place, mean, 0.32, color=color, alpha=0.85, label=None if i else name)
            left.scatter(np.full(len(scores), place), scores[:, k], s=14, color="black", zorder=3, linewidths=0)
            left.annotate(f"{mean:.3f}", (place, 0.03), ha="center", color="white", fontsize=10)
    left.set_xticks(range(len(tables)), [f"{t.name}\n({t.measure})" for t in tables])
    left.set(title=f"scores on rows not learned from (points: the {len(scores)} parts)", ylim=(0, 1.12))
    left.legend(loc="upper right", ncols=2)
    table, (_, guesses) = tables[-1], found[tables[-1].name]
    span = (table.target.min(), table.target.max())
    right.plot(span, span, color=GREY, linewidth=1)
    right.scatter(table.target, guesses[1], s=9, color=ORANGE, alpha=0.6, label="linear model")
    right.scatter(table.target, guesses[0], s=9, color=BLUE, alpha=0.8, label="network")
    right.set(title="diabetes: disease a year later", xlabel="measured", ylabel="foretold")
    right.legend(loc="lower right")


def main(arguments=None):
    chosen = options("tabular", "Learn from three tables.", arguments, epochs=30,
                     folds={"type": int, "default": 5, "help": "parts that each table is split into"})
    tables = [Table(name) for name in TABLES]
    found = {table.name: compare(table, chosen) for table in tables}
    write(lambda figure: picture(figure, tables, found), chosen.output / "tabular.png")
    return {name: tuple(scores.mean(0)) for name, (scores, _) in found.items()}


if __name__ == "__main__":
    run(main)
