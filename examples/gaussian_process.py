"""Gaussian process regression: a curve with its uncertainty, and hyperparameters learned by gradient descent.

    python examples/gaussian_process.py [--help]

The data are 100 noisy values of a formula, with a gap where nothing was measured.  The prior's covariance is a wave that repeats,
times a slow change, plus a slow change alone; its lengths, its period and the noise are learned by maximising the probability of
the data (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapters 2 and 5): one Cholesky factorisation a
step, which gradients flow through.

The learned noise and period should come close to the true ones; the band, narrow at the data and wider in the gap and beyond the
ends, should hold some 95% of new values.  A polynomial, fitted to the same data, goes astray there.
"""

import math
import sys

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim

try:
    from pictures import BLUE, GREY, ORANGE, write
except ImportError as error:
    needs(error)

PERIOD, NOISE, GAP, END = 1.3, 0.25, (5.0, 6.5), 10.0
NAMES = ("wave's size", "wave's length", "period", "decay", "trend's size", "trend's length", "noise")
START = (1.0, 1.0, 1.0, 5.0, 1.0, 3.0, 0.5)


def truth(x):
    """The formula behind the data."""
    return np.sin(2 * np.pi * x / PERIOD) * (1 + 0.08 * x) + 0.1 * (x - 4) ** 2 - 1


def samples(rng, count, low=0.0, high=END, gap=GAP):
    """`count` places outside the gap, sorted, and noisy values there, both (count,)."""
    places = rng.uniform(low, high, 8 * count)
    x = np.sort(places[(places < gap[0]) | (places > gap[1])][:count])
    return x, truth(x) + NOISE * rng.standard_normal(len(x))


class GaussianProcess(nn.Module):
    """A prior over functions of one number, and the posterior given values.  Hyperparameters are positive: their logarithms are
    learned."""

    def __init__(self, x, y):
        super().__init__()
        self.logs = nn.Parameter(ct.tensor([math.log(value) for value in START], dtype=x.dtype, device=x.device))
        self.register_buffer("x", x)
        self.register_buffer("y", y)
        self.register_buffer("unit", ct.eye(len(x), dtype=x.dtype, device=x.device))

    def covariance(self, a, b):
        """Prior covariance (A, B) between the places a (A,) and b (B,)."""
        wave, length, period, decay, trend, slow, _ = self.logs.exp().unbind()
        apart = a[:, None] - b
        repeated = -2 * (ct.sin(math.pi * apart / period) / length).square() - 0.5 * (apart / decay).square()
        return wave**2 * repeated.exp() + trend**2 * (-0.5 * (apart / slow).square()).exp()

    def solved(self):
        """The Cholesky factor L of the data's covariance, and z with L z = y."""
        noise = (2 * self.logs[-1]).exp()
        factor = ct.linalg.cholesky(self.covariance(self.x, self.x) + noise * self.unit)
        return factor, ct.linalg.solve_triangular(factor, self.y[:, None], upper=False)

    def forward(self):
        """Minus the logarithm of the data's probability density, for each value."""
        factor, z = self.solved()
        return (0.5 * z.square().sum() + factor.diagonal().log().sum()) / len(self.x) + 0.5 * math.log(2 * math.pi)

    def posterior(self, places):
        """Mean and standard deviation of new noisy values at `places` (N,), both (N,)."""
        factor, z = self.solved()
        across = ct.linalg.solve_triangular(factor, self.covariance(self.x, places), upper=False)
        prior = self.covariance(places[:1], places[:1])[0, 0] + (2 * self.logs[-1]).exp()
        return (across.T @ z)[:, 0], (prior - across.square().sum(0)).sqrt()


def picture(figure, data, new, curves, losses, process_names):
    """Draw the posterior before and after learning, and how the probability grew."""
    left, right = figure.subfigures(1, 2, width_ratios=(2, 1))
    for axes, (title, grid, mean, deviation) in zip(left.subplots(2, 1, sharex=True, sharey=True), curves, strict=True):
        axes.fill_between(grid, mean - 1.96 * deviation, mean + 1.96 * deviation, color=BLUE, alpha=0.2, linewidth=0,
                          label="95% of new values")
        axes.plot(grid, truth(grid), color=GREY, linewidth=1, linestyle="--", label="the formula")
        axes.plot(grid, mean, color=BLUE, label="mean")
        axes.scatter(*data, s=12, color="black", zorder=3, label="data")
        axes.set(title=title, ylim=(-4, 6))
    axes.scatter(*new, s=7, color=ORANGE, label="new values")
    axes.set_xlabel("x")
    axes.legend(loc="upper center", ncols=5, fontsize=8, columnspacing=1)
    top, bottom = right.subplots(2, 1, height_ratios=(1, 1.2))
    top.plot(-np.array(losses), color="black")
    top.set(title="log probability a value", xlabel="step")
    bottom.axis("off")
    rows = [(name, f"{before:.2f}", f"{after:.2f}") for name, before, after in process_names]
    table = bottom.table(rows, colLabels=("hyperparameter", "start", "learned"), cellLoc="left", loc="center", edges="horizontal",
                         colWidths=(0.5, 0.25, 0.25))
    table.scale(1, 1.4)
    bottom.set_title(f"true period {PERIOD}, true noise {NOISE}")


def main(arguments=None):
    chosen = options("gaussian_process", "Fit a Gaussian process.", arguments, epochs=200)
    if chosen.dtype not in (ct.float32, ct.float64):
        sys.exit("gaussian_process: Cholesky factorisations need --dtype float32 or float64")
    rng = np.random.default_rng(chosen.seed + 1)
    data, new = samples(rng, 100), samples(rng, 200, -0.5, END + 0.5, (END, END))
    x, y = (ct.tensor(values, dtype=chosen.dtype, device=chosen.device) for values in data)
    grid = np.linspace(-1, END + 1, 400)

    @ct.no_grad()
    def posterior(places):
        mean, deviation = process.posterior(ct.tensor(places, dtype=chosen.dtype, device=chosen.device))
        return mean.double().numpy(), deviation.double().numpy()

    process = GaussianProcess(x, y)
    optimizer = optim.Adam(process.parameters(), lr=0.05)

    def step():
        loss = process()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    curves = [("before learning", grid, *posterior(grid))]
    step = ct.compile(step, disable=not chosen.compile)
    losses = []
    for epoch in range(1, chosen.epochs + 1):
        losses.append(step().item())
        if epoch % 50 == 0 or epoch == chosen.epochs:
            print(f"step {epoch:4}  log probability a value {-losses[-1]:.3f}", flush=True)
    curves.append(("after learning", grid, *posterior(grid)))
    learned = process.logs.detach().double().exp().numpy()
    mean, deviation = posterior(new[0])
    error, inside = np.sqrt(np.mean((mean - new[1]) ** 2)), np.mean(np.abs(mean - new[1]) < 1.96 * deviation)
    polynomial = np.polynomial.Polynomial.fit(*data, 9)
    other = np.sqrt(np.mean((polynomial(new[0]) - new[1]) ** 2))
    write(lambda figure: picture(figure, data, new, curves, losses, list(zip(NAMES, START, learned, strict=True))),
          chosen.output / "gaussian_process.png", size=(12, 6))
    print(f"Learned: period {learned[2]:.3f} (true {PERIOD}), noise {learned[-1]:.3f} (true {NOISE}).")
    print(f"New values: error {error:.3f}, of which the noise alone is {NOISE}; {inside:.1%} lie in the band of 95%.  "
          f"A polynomial of degree 9 has {other:.3f}.")
    return error


if __name__ == "__main__":
    run(main)
