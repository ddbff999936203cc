"""An ordinary differential equation with a network on its right-hand side learns a spiral from pieces of its path.

    python examples/neural_ode.py [--help]

The data are noisy places on paths of x' = A x^3 (applied to each coordinate), made by a formula.  The network f is to find x' =
f(x): it is integrated by the classical Runge-Kutta method, and gradients flow back through all its steps, or, with --adjoint,
come from a second differential equation that runs backwards in time and keeps nothing of the way (Chen, Rubanova, Bettencourt and
Duvenaud, Neural ordinary differential equations, 2018).

The paths that the network draws, from starts it hasn't seen, should lie on the true ones; those of the best linear equation
x' = B x don't.  The gradients of both ways are compared at the end.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim

try:
    from pictures import BLUE, GREY, ORANGE, write
except ImportError as error:
    needs(error)

A = np.array([[-0.1, 2.0], [-2.0, -0.1]])
STEP, LENGTH, NOISE = 0.05, 8, 0.01


def runge_kutta(f, x, step):
    """x after the time `step`, by the classical method of fourth order.  x: a tensor or an array."""
    k1 = f(x)
    k2 = f(x + step / 2 * k1)
    k3 = f(x + step / 2 * k2)
    k4 = f(x + step * k3)
    return x + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def path(f, start, count):
    """The places after 1 .. count steps, from start (N, 2), as a list."""
    places = []
    for _ in range(count):
        start = runge_kutta(f, start, STEP)
        places.append(start)
    return places


class Adjoint(ct.autograd.Function):
    """`path` whose gradient is integrated backwards: (f, count, start, *parameters of f) -> places (count, N, 2).

    Nothing of the way is kept but the places: with a = dL/dx, the equations x' = f(x), a' = -a df/dx and p' = -a df/dp are run back
    through the time steps, and the gradient of each place is added to a on the way.
    """

    @staticmethod
    def forward(ctx, f, count, start, *parameters):
        with ct.no_grad():
            places = ct.stack(path(f, start, count))
        ctx.f = f
        ctx.save_for_backward(places, *parameters)
        return places

    @staticmethod
    def backward(ctx, gradient):
        places, *parameters = ctx.saved_tensors

        def backwards(state):
            with ct.enable_grad():
                x = state[0].detach().requires_grad_()
                slope = ctx.f(x)
                gradients = ct.autograd.grad(slope, (x, *parameters), state[1])
            return State((slope.detach(), *(-g for g in gradients)))

        found = [ct.zeros_like(p) for p in parameters]
        adjoint = ct.zeros_like(places[0])
        for place, g in zip(places.flip(0), gradient.flip(0), strict=True):
            state = runge_kutta(backwards, State((place, adjoint + g, *found)), -STEP)
            adjoint, found = state[1], list(state[2:])
        return None, None, adjoint, *found


class State(tuple):
    """Several tensors, with the arithmetic that runge_kutta needs."""

    def __add__(self, other):
        return State(a + b for a, b in zip(self, other, strict=True))

    def __rmul__(self, number):
        return State(number * a for a in self)


class Slope(nn.Module):
    """The network f: places (N, 2) -> their velocities (N, 2)."""

    def __init__(self, hidden=48):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.layers(x)


def observations(rng, paths=32, count=60):
    """Noisy places (paths, count + 1, 2), a time STEP apart, from starts at random."""
    start = rng.uniform(-1.5, 1.5, (paths, 2))
    places = np.stack([start, *path(lambda x: x**3 @ A.T, start, count)], 1)
    return places + NOISE * rng.standard_normal(places.shape)


def linear_equation(places):
    """B of x' = B x that fits best what moved between two observations."""
    x, velocity = (places[:, 1:] + places[:, :-1]).reshape(-1, 2) / 2, np.diff(places, axis=1).reshape(-1, 2) / STEP
    return np.linalg.lstsq(x, velocity, rcond=None)[0].T


def picture(figure, places, losses, floor, model, chosen, true, found, linear):
    """Draw the data, the field that was learned, and paths from new starts."""
    axes = figure.subplots(1, 3)
    x, y = np.meshgrid(np.linspace(-1.7, 1.7, 23), np.linspace(-1.7, 1.7, 23))
    with ct.no_grad():
        field = model(ct.tensor(np.stack((x, y), 2).reshape(-1, 2), dtype=chosen.dtype, device=chosen.device)).double().numpy()
    field /= np.linalg.norm(field, axis=1, keepdims=True) + 1e-9
    axes[0].scatter(*places.reshape(-1, 2).T, s=2, color=GREY, alpha=0.6, linewidths=0)
    axes[0].quiver(x, y, *field.T, color=BLUE, alpha=0.8, scale=32, width=0.004)
    axes[0].set(title="the data, and the directions that were learned", aspect="equal", xlim=(-1.8, 1.8), ylim=(-1.8, 1.8))
    axes[0].grid(False)
    for k, (way, color, name, style) in enumerate(((true, GREY, "true", "-"), (linear, ORANGE, "best linear equation", ":"),
                                                   (found, BLUE, "network", "--"))):
        for n in range(way.shape[1]):
            axes[1].plot(*way[:, n].T, color=color, linestyle=style, linewidth=4 if k == 0 else 1.6, alpha=0.5 if k == 0 else 1,
                         label=None if n else name)
    axes[1].scatter(*true[0].T, color="black", s=20, zorder=4)
    axes[1].set(title="paths from new starts (dots)", aspect="equal", xlim=(-1.8, 1.8), ylim=(-1.8, 1.8))
    axes[1].legend(loc="upper right", fontsize=8, frameon=True)
    axes[1].grid(False)
    axes[2].plot(np.arange(len(losses)) + 1, losses, color="black")
    axes[2].axhline(floor, color=GREY, linestyle="--", linewidth=1)
    axes[2].annotate("the true equation's", (len(losses), floor), ha="right", va="bottom", color=GREY)
    axes[2].set(title="squared error of pieces of paths", xlabel="step", yscale="log")


def main(arguments=None):
    chosen = options("neural_ode", "Learn a differential equation.", arguments, epochs=400,
                     adjoint={"action": "store_true", "help": "gradients by the adjoint equation, not through the steps"})
    rng = np.random.default_rng(chosen.seed)
    places = observations(rng)
    pieces = np.lib.stride_tricks.sliding_window_view(places, LENGTH + 1, axis=1).transpose(0, 1, 3, 2).reshape(-1, LENGTH + 1, 2)
    data = ct.tensor(pieces.transpose(1, 0, 2).copy(), dtype=chosen.dtype, device=chosen.device)  # (LENGTH + 1, pieces, 2)
    model = Slope().to(chosen.device, chosen.dtype)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)

    def loss_of(batch, adjoint):
        start = batch[0]
        made = Adjoint.apply(model, LENGTH, start, *model.parameters()) if adjoint else ct.stack(path(model, start, LENGTH))
        return (made - batch[1:]).square().mean()

    def step(batch):
        loss = loss_of(batch, chosen.adjoint)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    step = ct.compile(step, disable=not chosen.compile)
    with ct.no_grad():
        truly = ct.tensor(A.T, dtype=chosen.dtype, device=chosen.device)
        floor = (ct.stack(path(lambda x: x**3 @ truly, data[0], LENGTH)) - data[1:]).square().mean().item()  # from noisy starts
    losses = []
    for number in range(1, chosen.epochs + 1):
        batch = data[:, ct.tensor(rng.choice(data.shape[1], 128, replace=False), device=chosen.device)]
        losses.append(step(batch).item())
        schedule.step()
        if number % 100 == 0 or number == chosen.epochs:
            print(f"step {number:4}  squared error of pieces {np.mean(losses[-20:]):.5f}, true equation {floor:.5f}", flush=True)

    starts = np.array([[1.4, 0.2], [-0.9, 0.1]])
    count, b = 120, linear_equation(places)
    true, linear = (np.stack([starts, *path(f, starts, count)]) for f in (lambda x: x**3 @ A.T, lambda x: x @ b.T))
    with ct.no_grad():
        first = ct.tensor(starts, dtype=chosen.dtype, device=chosen.device)
        found = ct.stack([first, *path(model, first, count)]).double().numpy()
    error, other = (np.sqrt(np.mean((way - true) ** 2)) for way in (found, linear))
    gradients = (ct.autograd.grad(loss_of(batch, adjoint), list(model.parameters())) for adjoint in (False, True))
    both = [ct.cat([g.flatten() for g in way]) for way in gradients]
    apart = ((both[0] - both[1]).norm() / both[0].norm()).item()
    write(lambda figure: picture(figure, places, losses, floor, model, chosen, true, found, linear),
          chosen.output / "neural_ode.png", size=(14, 4.9))
    print(f"Paths of {count * STEP:.0f} time units from new starts: error {error:.3f}; the best linear equation has {other:.3f}.")
    print(f"Gradients of a step by the adjoint equation and through the steps differ by {apart:.1e} of their size.")
    return error


if __name__ == "__main__":
    run(main)
