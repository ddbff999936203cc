"""An elementwise kernel of your own, from one line of Python: an activation that lets networks go on where their data end.

    python examples/custom_elementwise.py [--help]

`@ct.elementwise` traces a function of scalars once, writes an OpenCL kernel for it, and derives the kernels of its gradients, of
every order.  Here it makes `snake`, x + sin(a x)^2 / a with a learned number a for each unit (Ziyin, Hartwig and Ueda, Neural
networks fail to learn periodic functions and how to fix it, 2020).  A network with it, one with ReLU and one with tanh see a
wave, made by a formula, over four periods, and are asked how it goes on for four more.

With snake the error beyond the data should be a small part of the others', which foretell hardly more than a mean, or less.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.autograd import gradcheck, gradgradcheck
from cltensor.codegen.expr import sin
from cltensor.nn import functional as F

try:
    from pictures import BLUE, GREEN, GREY, ORANGE, write
except ImportError as error:
    needs(error)


@ct.elementwise
def snake(x, a):
    """x + sin(a x)^2 / a, elementwise: x and a are broadcast against each other."""
    wave = sin(a * x)
    return x + wave * wave / a


class Snake(nn.Module):
    """snake with a learned number for each of the last dimension's features."""

    def __init__(self, features, low=0.5, high=6.0):
        super().__init__()
        self.a = nn.Parameter(ct.empty(features).uniform_(low, high))

    def forward(self, x):
        return snake(x, self.a)


def wave(x):
    """The formula behind the data, of period 1."""
    return np.sin(2 * np.pi * x) + 0.4 * np.sin(4 * np.pi * x + 1) + 0.3 * x


def check(device):
    """Compare the derived gradients with finite differences, and the kernel with NumPy."""
    x = ct.randn(4, 3, dtype=ct.float64, device=device, requires_grad=True)
    a = ct.tensor([0.5, 1.0, 3.0], dtype=ct.float64, device=device, requires_grad=True)
    gradcheck(snake, (x, a))
    gradgradcheck(snake, (x, a))
    values, factors = x.detach().numpy(), a.detach().numpy()
    apart = np.abs(snake(x, a).detach().numpy() - (values + np.sin(factors * values) ** 2 / factors)).max()
    print(f"snake: first and second derivatives agree with finite differences, values with NumPy to {apart:.0e}.", flush=True)


def network(activation, hidden=64):
    """Values (N, 1) for places (N, 1).  activation: a function of the number of units that makes a layer."""
    return nn.Sequential(nn.Linear(1, hidden), activation(hidden), nn.Linear(hidden, hidden), activation(hidden),
                         nn.Linear(hidden, 1))


def learn(model, x, y, chosen):
    """Fit the model to the places x and values y (N, 1).  Returns the losses."""
    matrices, others = ([p for p in model.parameters() if (p.ndim == 2) is wanted] for wanted in (True, False))
    optimizer = optim.AdamW([{"params": matrices}, {"params": others, "weight_decay": 0}], lr=5e-3, weight_decay=0.01)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)

    def step():
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    step, losses = ct.compile(step, disable=not chosen.compile), []
    for _ in range(chosen.epochs):
        losses.append(step())
        schedule.step()
    return ct.stack(losses).double().numpy()


def picture(figure, x, y, grid, drawn, losses, errors):
    """Draw each network's curve over the data and beyond."""
    left, right = figure.subfigures(1, 2, width_ratios=(2.4, 1))
    for axes, (name, color) in zip(left.subplots(3, 1, sharex=True, sharey=True), COLORS.items(), strict=True):
        axes.axvspan(-2, 2, color=GREY, alpha=0.1, linewidth=0)
        axes.plot(grid, wave(grid), color=GREY, linewidth=4, alpha=0.4, label="how the wave goes on")
        axes.plot(grid, drawn[name], color=color, linewidth=1.6, label="network")
        axes.scatter(x, y, s=6, color="black", zorder=3, label="data")
        axes.set(title=f"{name}: error beyond the data {errors[name]:.2f}", ylim=(-3.2, 3.4))
    axes.legend(ncols=3, loc="lower right", fontsize=8)
    axes.set_xlabel("x (the data lie in the grey part)")
    axes = right.subplots()
    for name, color in COLORS.items():
        axes.plot(np.arange(len(losses[name])) + 1, losses[name], color=color, linewidth=1, label=name)
    axes.set(title="loss on the data", xlabel="step", yscale="log")
    axes.legend()


COLORS = {"snake": BLUE, "ReLU": ORANGE, "tanh": GREEN}


def main(arguments=None):
    chosen = options("custom_elementwise", "Learn a wave with an activation of one's own.", arguments, epochs=1500)
    check(chosen.device)
    rng = np.random.default_rng(chosen.seed)
    places = np.sort(rng.uniform(-2, 2, 160))
    values = wave(places) + 0.05 * rng.standard_normal(len(places))
    grid = np.linspace(-4, 4, 601)
    beyond = np.abs(grid) > 2
    x, y, asked = (ct.tensor(v[:, None], dtype=chosen.dtype, device=chosen.device) for v in (places, values, grid))
    drawn, losses, errors = {}, {}, {}
    for name, activation in (("snake", Snake), ("ReLU", lambda _: nn.ReLU()), ("tanh", lambda _: nn.Tanh())):
        ct.manual_seed(chosen.seed)
        model = network(activation).to(chosen.device, chosen.dtype)
        losses[name] = learn(model, x, y, chosen)
        with ct.no_grad():
            drawn[name] = model(asked)[:, 0].double().numpy()
        errors[name] = np.sqrt(np.mean((drawn[name] - wave(grid))[beyond] ** 2))
        print(f"{name:6} loss on the data {losses[name][-1]:.4f}, error beyond the data {errors[name]:.3f}", flush=True)
    flat = np.sqrt(np.mean((wave(grid)[beyond] - values.mean()) ** 2))
    print(f"Foretelling the data's mean has an error of {flat:.3f}.")
    write(lambda figure: picture(figure, places, values, grid, drawn, losses, errors), chosen.output / "custom_elementwise.png",
          size=(13, 6))
    return errors["snake"] / min(errors["ReLU"], errors["tanh"])


if __name__ == "__main__":
    run(main)
