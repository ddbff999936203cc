"""MAML: learn to learn.  After one look at ten points of a sine wave, a network draws the whole wave.

    python examples/maml.py [--help]

Each task is a wave of its own amplitude and phase, by a formula.  Weights are sought from which one or a few steps of gradient
descent on ten points lead to a good fit of the task: the loss after such a step is minimised, so that gradients flow through the
gradient (Finn, Abbeel and Levine, Model-agnostic meta-learning for fast adaptation of deep networks, 2017).  The step is
`func.grad` of a loss that calls the network with other weights (`func.functional_call`), and `func.vmap` takes it for all tasks
of a batch at once.

For comparison the same network learns all tasks together, in as many steps.  It can but foretell their mean, and ten points
hardly help it.  The learned start should have a fraction of its error after one step, and less after ten.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.func import functional_call, grad, vmap
from cltensor.nn import functional as F

try:
    from pictures import BLUE, GREY, ORANGE, RED, write
except ImportError as error:
    needs(error)

POINTS, TASKS, INNER_RATE, STEPS = 10, 25, 0.02, 10


class Waves:
    """Tasks at random: amplitude * sin(x - phase), seen at places of -5 to 5."""

    def __init__(self, seed, dtype, device):
        self.rng, self.dtype, self.device = np.random.default_rng(seed), dtype, device

    def batch(self, tasks, points=2 * POINTS):
        """x and y, each (tasks, points, 1)."""
        amplitude, phase = self.rng.uniform(0.1, 5, (tasks, 1, 1)), self.rng.uniform(0, np.pi, (tasks, 1, 1))
        x = self.rng.uniform(-5, 5, (tasks, points, 1))
        return tuple(ct.tensor(values, dtype=self.dtype, device=self.device) for values in (x, amplitude * np.sin(x - phase)))


def network():
    return nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))


def adapted(model, weights, x, y, steps=1):
    """The weights, a dict, after `steps` steps of gradient descent on the points x, y (points, 1)."""
    def loss_of(weights):
        return F.mse_loss(functional_call(model, weights, (x,)), y)

    for _ in range(steps):
        gradients = grad(loss_of)(weights)
        weights = {name: w - INNER_RATE * gradients[name] for name, w in weights.items()}
    return weights


def loss_after(model, weights, x, y, steps):
    """The loss on the second half of a task's points, after `steps` steps on the first half."""
    weights = adapted(model, weights, x[:POINTS], y[:POINTS], steps)
    return F.mse_loss(functional_call(model, weights, (x[POINTS:],)), y[POINTS:])


def training_step(model, optimizer, steps):
    """A function of a batch of tasks that makes one step on their mean loss after `steps` steps of adaptation."""
    weights = dict(model.named_parameters())

    def step(x, y):
        losses = vmap(lambda x, y: loss_after(model, weights, x, y, steps))(x, y)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        return losses.detach().mean()

    return step


def learn(model, waves, chosen, steps, name):
    """Train the model's start for `steps` steps of adaptation.  Returns the losses."""
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)
    step = ct.compile(training_step(model, optimizer, steps), disable=not chosen.compile)
    losses = []
    for number in range(1, chosen.epochs + 1):
        losses.append(step(*waves.batch(TASKS)))
        schedule.step()
        if number % max(1, chosen.epochs // 5) == 0:
            print(f"{name:18} batch {number:5}  loss {ct.stack(losses[-100:]).mean().item():.3f}", flush=True)
    return ct.stack(losses).double().numpy()


@ct.no_grad()
def errors(model, x, y):
    """Mean squared error of new tasks before adaptation, and after 1 .. STEPS steps of it, as an array."""
    weights = {name: w.detach() for name, w in model.named_parameters()}
    return np.array([vmap(lambda x, y, steps=steps: loss_after(model, weights, x, y, steps))(x, y).mean().item()
                     for steps in range(STEPS + 1)])


@ct.no_grad()
def drawn(model, x, y, grid, steps):
    """What the model draws over the grid (N,), an array, after `steps` steps on the points x, y."""
    weights = adapted(model, {name: w.detach() for name, w in model.named_parameters()}, x, y, steps)
    places = ct.tensor(grid[:, None], dtype=x.dtype, device=x.device)
    return functional_call(model, weights, (places,))[:, 0].double().numpy()


def picture(figure, models, losses, found, x, y):
    """Draw two new tasks with what both networks make of ten points, and how errors fall with the steps."""
    axes = figure.subplots(2, 3)
    grid = np.linspace(-5, 5, 200)
    for column in range(2):
        points = x[column, :POINTS], y[column, :POINTS]
        places, values = (np.squeeze(p.double().numpy(), 1) for p in points)
        matrix = np.stack((np.sin(grid), np.cos(grid)), 1)
        wave = matrix @ np.linalg.lstsq(np.stack((np.sin(places), np.cos(places)), 1), values, rcond=None)[0]
        for row, (name, model) in enumerate(models.items()):
            shown = axes[row, column]
            shown.plot(grid, wave, color=GREY, linewidth=4, alpha=0.4, label="the wave")
            for steps, color, style in ((0, ORANGE, ":"), (1, BLUE, "--"), (STEPS, BLUE, "-")):
                shown.plot(grid, drawn(model, *points, grid, steps), color=color, linestyle=style, linewidth=1.6,
                           label=f"{steps} step{'s' * (steps != 1)}")
            shown.scatter(places, values, color="black", s=22, zorder=4, label="ten points")
            shown.set(title=f"{name}, new wave {column + 1}", ylim=(-6.5, 6.5))
    axes[0, 0].legend(fontsize=7, ncols=3, loc="upper center", columnspacing=1)
    top, bottom = axes[:, 2]
    for (name, values), color in zip(losses.items(), (BLUE, RED), strict=True):
        smooth = np.convolve(values, np.ones(20) / 20, "valid") if len(values) >= 20 else values
        top.plot(np.arange(len(smooth)) + 1, smooth, color=color, label=name)
        bottom.plot(found[name], color=color, marker="o", markersize=4, label=name)
    top.set(title="loss in the course of learning", xlabel="batch", ylim=(0, None))
    bottom.set(title="error on new waves", xlabel="steps of adaptation", ylim=(0, None))
    bottom.legend()


def main(arguments=None):
    chosen = options("maml", "Learn to fit waves from ten points.", arguments, epochs=800)
    waves = Waves(chosen.seed, chosen.dtype, chosen.device)
    models, losses, found = {}, {}, {}
    x, y = Waves(chosen.seed + 1, chosen.dtype, chosen.device).batch(200)
    for name, steps in (("MAML", 1), ("all waves together", 0)):
        models[name] = network().to(chosen.device, chosen.dtype)
        losses[name] = learn(models[name], waves, chosen, steps, name)
        found[name] = errors(models[name], x, y)
    write(lambda figure: picture(figure, models, losses, found, x, y), chosen.output / "maml.png", size=(13, 6.5))
    for name, values in found.items():
        print(f"{name:18} error on 200 new waves: {values[0]:.2f} at the start, {values[1]:.2f} after one step, "
              f"{values[-1]:.2f} after {STEPS}.")
    return found["MAML"][1] / found["all waves together"][1]


if __name__ == "__main__":
    run(main)
