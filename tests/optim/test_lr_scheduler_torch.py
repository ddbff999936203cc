"""Learning rates and momenta equal PyTorch's, step by step, also after a restored state."""

import pytest

from cltensor import nn, optim

torch = pytest.importorskip("torch")


def half(epoch):
    return 0.5 ** (epoch / 10)


def sequence(lib, o):
    s = lib.optim.lr_scheduler
    return s.SequentialLR(o, [s.ConstantLR(o, total_iters=3), s.LinearLR(o), s.ExponentialLR(o, 0.9)], [6, 15])


def chain(lib, o):
    s = lib.optim.lr_scheduler
    return s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.95), s.StepLR(o, 7)])


class Made:
    """A schedule by name, with settings."""

    def __init__(self, name, **settings):
        self.name, self.settings = name, settings

    def __call__(self, lib, o, **more):
        return getattr(lib.optim.lr_scheduler, self.name)(o, **self.settings, **more)


SCHEDULES = {
    "StepLR": Made("StepLR", step_size=7),
    "MultiStepLR": Made("MultiStepLR", milestones=[3, 9, 9, 30], gamma=0.3),
    "ExponentialLR": Made("ExponentialLR", gamma=0.93),
    "PolynomialLR": Made("PolynomialLR", total_iters=20, power=1.5),
    "ConstantLR": Made("ConstantLR", factor=0.4, total_iters=11),
    "LinearLR": Made("LinearLR", start_factor=0.2, end_factor=0.8, total_iters=17),
    "LambdaLR": Made("LambdaLR", lr_lambda=half),
    "MultiplicativeLR": Made("MultiplicativeLR", lr_lambda=half),
    "CosineAnnealingLR": Made("CosineAnnealingLR", T_max=10, eta_min=0.001),
    "CosineAnnealingWarmRestarts": Made("CosineAnnealingWarmRestarts", T_0=4, T_mult=2, eta_min=0.01),
    "OneCycleLR": Made("OneCycleLR", max_lr=0.5, total_steps=60),
    "OneCycleLR in three phases": Made("OneCycleLR", max_lr=[0.5, 0.1], epochs=6, steps_per_epoch=10, three_phase=True,
                                       anneal_strategy="linear", pct_start=0.25),
    "CyclicLR": Made("CyclicLR", base_lr=0.01, max_lr=0.2, step_size_up=5, step_size_down=9, mode="triangular2"),
    "CyclicLR over iterations": Made("CyclicLR", base_lr=0.01, max_lr=0.2, step_size_up=4, mode="exp_range",
                                     gamma=0.97),
    "SequentialLR": sequence,
    "ChainedScheduler": chain,
}


class Cltensor:
    nn, optim = nn, optim


def optimizer(lib, kind, tensor):
    parameters = [lib.nn.Parameter(tensor()) for _ in range(2)]
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.03}]
    return getattr(lib.optim, kind)(groups, lr=0.1, **({"momentum": 0.9} if kind == "SGD" else {}))


@pytest.fixture
def both(device):
    import cltensor

    def make(kind="SGD"):
        return [(torch, optimizer(torch, kind, lambda: torch.ones(1))),
                (Cltensor, optimizer(Cltensor, kind, lambda: cltensor.ones(1)))]

    return make


def settings(o):
    return [(g["lr"], g.get("momentum"), g.get("betas")) for g in o.param_groups]


def flat(value):
    return [x for v in value for x in flat(v)] if isinstance(value, (list, tuple)) else [0 if value is None else value]


def run(o, schedule, steps):
    for _ in range(steps):
        o.step()
        schedule.step()
        yield flat(settings(o)) + flat(schedule.get_last_lr())


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_values_over_fifty_steps(both, name, kind):
    expected, got = (list(run(o, SCHEDULES[name](lib, o), 50)) for lib, o in both(kind))
    for e, g in zip(expected, got, strict=True):
        assert g == pytest.approx(e, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_restored_schedule_goes_on(both, name):
    (_, theirs), (lib, first) = both()
    expected = list(run(theirs, SCHEDULES[name](torch, theirs), 20))[12:]
    schedule = SCHEDULES[name](lib, first)
    list(run(first, schedule, 12))
    state, rates = schedule.state_dict(), first.state_dict()
    second = both()[1][1]
    restored = SCHEDULES[name](lib, second)
    second.load_state_dict(rates)
    restored.load_state_dict(state)
    for e, g in zip(expected, run(second, restored, 8), strict=True):
        assert g == pytest.approx(e, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("settings_", [
    {}, {"mode": "max", "threshold_mode": "abs", "threshold": 0.1},
    {"factor": 0.5, "cooldown": 3, "min_lr": [0.01, 0.02]},
])
def test_plateau(both, settings_, rng):
    measures = rng.random(50).cumsum() % 3
    results = []
    for lib, o in both():
        schedule = lib.optim.lr_scheduler.ReduceLROnPlateau(o, patience=2, **settings_)
        rates = []
        for m in measures:
            schedule.step(float(m))
            rates.append((schedule.get_last_lr(), schedule.num_bad_epochs, schedule.best))
        results.append(rates)
    assert results[0] == results[1]


@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingLR", "LinearLR", "ExponentialLR", "PolynomialLR",
                                  "LambdaLR"])
def test_resuming_at_an_epoch(both, name):
    rates = []
    for lib, o in both():
        list(run(o, SCHEDULES[name](lib, o), 6))
        rates.append(list(run(o, SCHEDULES[name](lib, o, last_epoch=6), 10)))
    for e, g in zip(*rates, strict=True):
        assert g == pytest.approx(e, rel=1e-9, abs=1e-15)


@pytest.mark.device
def test_scale_of_a_cycle_and_what_is_undone():
    for layers, steps in ((torch.nn, torch.optim), (nn, optim)):
        o, s = steps.SGD(layers.Linear(1, 1).parameters(), 0.1), steps.lr_scheduler
        assert s.CyclicLR(o, 0.1, 1.0, mode="triangular2", cycle_momentum=False).scale_fn(3) == 0.25
        assert s.CyclicLR(o, 0.1, 1.0, scale_fn=lambda x: 2 * x, cycle_momentum=False).scale_fn(3) == 6
        inner = [s.StepLR(o, 2), s.StepLR(o, 3)]
        both = s.SequentialLR(o, inner, [2])
        both.recursive_undo()
        assert [each.last_epoch for each in inner] == [-1, -2]
