"""Forecast a chaotic series with a recurrent network, against the two forecasts that must be beaten.

    python examples/forecasting.py [--help]

The series is the equation of Mackey and Glass (1977) for the cells in the blood, whose production reacts late, by 17 days:

    dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t)

Every third day is observed, with a little error of measurement.  From 32 observations a GRU forecasts the next 40.  It is held
against persistence (all stays as it is) and against linear autoregression (least squares on the same 32 observations), on later
days that none of them has seen.  Chaos doubles small errors again and again, so every forecast gets worse with time; the GRU's
stays good for longest.
"""

import numpy as np
from commandline import options, run
from pictures import BLUE, GREY, ORANGE, write

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

PAST, FUTURE, INTERVAL = 32, 40, 3


def mackey_glass(days, delay=17, substeps=10):
    """The series, one value a day, by the rule of Runge and Kutta; before its start it is 1.2."""
    step, late = 1 / substeps, delay * substeps
    x = np.full(days * substeps + late + 1, 1.2)

    def change(now, then):
        return 0.2 * then / (1 + then ** 10) - 0.1 * now

    for at in range(late, len(x) - 1):
        then, after = x[at - late], x[at - late + 1]
        k1 = change(x[at], then)
        k2 = change(x[at] + step / 2 * k1, (then + after) / 2)
        k3 = change(x[at] + step / 2 * k2, (then + after) / 2)
        k4 = change(x[at] + step * k3, after)
        x[at + 1] = x[at] + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[late::substeps]


def windows(series):
    """All stretches of a series: what is known (N, PAST), and what follows (N, FUTURE)."""
    return np.split(np.lib.stride_tricks.sliding_window_view(series, PAST + FUTURE), [PAST], axis=1)


class Forecaster(nn.Module):
    """A past (N, PAST) -> the future (N, FUTURE): a GRU reads, a small network tells how all of it differs from the last value."""

    def __init__(self, hidden=64):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.tell = nn.Sequential(nn.Linear(hidden, 128), nn.GELU(), nn.Linear(128, FUTURE))

    def forward(self, past):
        return past[:, -1:] + self.tell(self.gru(past[:, :, None])[0][:, -1])


def training_step(model, optimizer):
    """A function of pasts and futures that makes one step, and returns the loss."""
    def step(past, future):
        loss = F.mse_loss(model(past), future)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        return loss.detach()

    return step


def autoregression(past, future):
    """The linear forecast with the least squares, as a function of pasts."""
    def with_one(past):
        return np.column_stack([past, np.ones(len(past))])

    weights = np.linalg.lstsq(with_one(past), future, rcond=None)[0]
    return lambda past: with_one(past) @ weights


def errors(forecast, future):
    """The root of the mean square error for each time ahead; the series has a spread of 1."""
    return np.sqrt(np.square(forecast - future).mean(0))


def picture(figure, past, future, forecasts):
    """Draw the errors over the time ahead, and four forecasts."""
    colors = dict(zip(forecasts, (GREY, ORANGE, BLUE), strict=True))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.5))
    axes = left.subplots()
    ahead = INTERVAL * np.arange(1, FUTURE + 1)
    for name, forecast in forecasts.items():
        axes.plot(ahead, errors(forecast, future), label=name, color=colors[name])
    axes.axhline(1, color="black", linestyle=":", linewidth=1)
    axes.annotate("always the mean", (ahead[-1], 1), xytext=(0, 3), textcoords="offset points", ha="right", fontsize=8)
    axes.set(title="error of the forecast (1: spread of the series)", xlabel="days ahead", ylim=(0, 2.6))
    axes.legend(loc="upper left")
    right.suptitle("forecasts of days that were not learned", fontsize=11)
    days = INTERVAL * np.arange(1 - PAST, FUTURE + 1)
    for axes, at in zip(right.subplots(4, 1, sharex=True), np.linspace(0, len(past) - 1, 4).astype(int), strict=True):
        axes.plot(days, np.append(past[at], future[at]), color="black", linewidth=1)
        for name, forecast in forecasts.items():
            axes.plot(ahead, forecast[at], color=colors[name], linewidth=1.5)
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_yticks([])
    axes.set_xlabel("days from now")


def main(arguments=None):
    chosen = options("forecasting", "Forecast a chaotic series.", arguments, epochs=60,
                     days={"type": int, "default": 9000, "help": "length of the series"})
    generator = np.random.default_rng(chosen.seed)
    series = mackey_glass(chosen.days)[100::INTERVAL]
    series = (series - series.mean()) / series.std()
    series += 0.01 * generator.standard_normal(len(series))
    (past, future), (test_past, test_future) = map(windows, np.split(series, [len(series) * 3 // 4]))
    print(f"{len(past)} stretches of {PAST} observations and the {FUTURE} after them to learn from, {len(test_past)} for the test.")

    loader = DataLoader(TensorDataset(*(ct.tensor(part, dtype=chosen.dtype) for part in (past, future))), batch_size=64,
                        shuffle=True, drop_last=True)
    model = Forecaster().to(chosen.device, chosen.dtype)
    optimizer = optim.Adam(model.parameters(), lr=4e-3, eps=1e-8 if chosen.dtype != ct.float16 else 1e-4)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)
    for epoch in range(1, chosen.epochs + 1):
        losses = ct.stack([step(*batch) for batch in loader]).mean().item()
        schedule.step()
        if epoch % max(1, chosen.epochs // 6) == 0:
            print(f"epoch {epoch:2}/{chosen.epochs}: training error {losses ** 0.5:.3f}", flush=True)

    with ct.no_grad():
        network = model(ct.tensor(test_past, dtype=chosen.dtype)).float().numpy()
    forecasts = {"persistence": np.repeat(test_past[:, -1:], FUTURE, axis=1),
                 "linear autoregression": autoregression(past, future)(test_past), "GRU": network}
    write(lambda figure: picture(figure, test_past, test_future, forecasts), chosen.output / "forecasting.png")
    means = {name: np.sqrt(np.square(forecast - test_future).mean()) for name, forecast in forecasts.items()}
    for name, forecast in forecasts.items():
        found = errors(forecast, test_future)
        print(f"{name:21}: error {means[name]:.3f}; " +
              ", ".join(f"{found[at]:.3f} after {INTERVAL * (at + 1)} days" for at in (9, 19, 39)))
    return means["GRU"] / means["linear autoregression"]


if __name__ == "__main__":
    run(main)
