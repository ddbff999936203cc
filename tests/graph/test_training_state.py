"""What Python counts beside a compiled step: optimisers, schedules, GradScalers, averages, hooks; as in eager mode."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import amp, nn, optim
from cltensor.compiler import compile
from cltensor.optim import lr_scheduler as schedules

pytestmark = [pytest.mark.device, pytest.mark.any_style]
F = nn.functional
OPTIMIZERS = {"SGD": {"lr": 0.1, "momentum": 0.9}, "Adam": {"amsgrad": True}, "AdamW": {}, "NAdam": {}, "RAdam": {}, "RMSprop": {},
              "Adagrad": {"initial_accumulator_value": 0.1}, "Adadelta": {}, "Adamax": {}, "ASGD": {"t0": 2}, "Rprop": {},
              "Adafactor": {}, "Muon": {"lr": 0.1}}


def parameters():
    rng = np.random.default_rng(3)
    return [nn.Parameter(ct.tensor(rng.standard_normal(s, dtype=np.float32))) for s in ((3, 4), (4, 2))]


def target(step, factor=1.0):
    return ct.tensor(np.random.default_rng(step).standard_normal((3, 2), dtype=np.float32) * factor)


def state_of(optimizer):
    return [(n, name, np.asarray(v.tolist() if isinstance(v, ct.Tensor) else v))
            for n, kept in optimizer.state_dict()["state"].items() for name, v in kept.items() if v is not None]


def both(run, *args, **options):
    """run eagerly and compiled: (what each returns, the compiled step)."""
    eager, _ = run(lambda f: f, *args, **options)
    found, step = run(compile, *args, **options)
    return eager, found, step


def agree(found, wanted):
    """Whether two nested results are alike to a few roundings."""
    if isinstance(wanted, (list, tuple)):
        return len(found) == len(wanted) and all(map(agree, found, wanted))
    if isinstance(wanted, str):
        return found == wanted
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
    return True


def scaled(wrap, name, how, spoiled=(0, 3, 4)):
    a, b = params = parameters()
    opt = getattr(optim, name)(params, **how)
    scaler = amp.GradScaler(init_scale=64.0, growth_interval=3)

    def step(y):
        opt.zero_grad()
        scaler.scale(F.mse_loss(a @ b, y)).backward()
        scaler.step(opt)
        scaler.update()

    step, seen = wrap(step), []
    for i in range(12):
        step(target(i, float("inf") if i in spoiled else 1.0))
        if i % 3 == 1:
            seen.append((scaler.get_scale(), scaler._get_growth_tracker(), state_of(opt)))
    return (seen, [p.tolist() for p in params]), step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_whose_steps_are_skipped(name):
    eager, found, step = both(scaled, name, OPTIMIZERS[name])
    if name == "Muon":  # in bfloat16 a rounding more shows
        assert agree(found[0][-1][:2], eager[0][-1][:2])
        np.testing.assert_allclose(found[1][0], eager[1][0], rtol=0.05, atol=0.02)
    else:
        assert agree(found, eager)
    assert step.programs
    assert not step.eager


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_with_learning_rates_in_tensors(name):
    def run(wrap):
        a, b = params = parameters()
        opt = getattr(optim, name)(params, **{**OPTIMIZERS[name], "lr": ct.tensor(0.01)})
        schedule = schedules.ExponentialLR(opt, 0.8)

        def step(y):
            opt.zero_grad()
            F.mse_loss(a @ b, y).backward()
            opt.step()
            schedule.step()

        step = wrap(step)
        for i in range(6):
            step(target(i))
            if i == 3:
                opt.param_groups[0]["lr"].mul_(0.5)
        return (state_of(opt), [p.tolist() for p in params], float(opt.param_groups[0]["lr"])), step

    eager, found, step = both(run)
    if name == "Muon":
        np.testing.assert_allclose(found[1][0], eager[1][0], rtol=0.05, atol=0.02)
    else:
        assert agree(found, eager)
    assert step.programs
    assert not step.eager


SCHEDULES = {
    "OneCycleLR": lambda o: schedules.OneCycleLR(o, 0.1, 10),
    "CyclicLR": lambda o: schedules.CyclicLR(o, 0.01, 0.1, 3),
    "CosineAnnealingLR": lambda o: schedules.CosineAnnealingLR(o, 8),
    "CosineAnnealingWarmRestarts": lambda o: schedules.CosineAnnealingWarmRestarts(o, 2, 2),
    "LambdaLR": lambda o: schedules.LambdaLR(o, lambda epoch: 1 / (1 + epoch)),
    "LinearLR": lambda o: schedules.LinearLR(o, 0.2, total_iters=4),
    "SWALR": lambda o: optim.swa_utils.SWALR(o, 0.02, 4),
    "SequentialLR": lambda o: schedules.SequentialLR(
        o, [schedules.LinearLR(o, 0.2, total_iters=3), schedules.ExponentialLR(o, 0.7)], [3]),
    "ChainedScheduler": lambda o: schedules.ChainedScheduler([schedules.ExponentialLR(o, 0.9), schedules.StepLR(o, 3, 0.5)]),
}


@pytest.mark.parametrize("in_tensor", [False, True])
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name, in_tensor):
    def run(wrap):
        a, b = params = parameters()
        opt = optim.SGD(params, lr=ct.tensor(0.1) if in_tensor else 0.1, momentum=0.9)
        schedule = SCHEDULES[name](opt)

        def step(y):
            opt.zero_grad()
            F.mse_loss(a @ b, y).backward()
            opt.step()
            schedule.step()

        step, rates = wrap(step), []
        for i in range(9):
            step(target(i))
            rates.append(float(schedule.get_last_lr()[0]))
        return (rates, schedule.last_epoch if name != "ChainedScheduler" else 0, [p.tolist() for p in params]), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert step.programs
    assert not step.eager


def test_a_plateau_runs_eagerly():
    def run(wrap):
        a, b = params = parameters()
        opt = optim.SGD(params, lr=0.1)
        schedule = schedules.ReduceLROnPlateau(opt, patience=0)

        def step(y):
            opt.zero_grad()
            loss = F.mse_loss(a @ b, y)
            loss.backward()
            opt.step()
            schedule.step(loss)

        step = wrap(step)
        for i in range(6):
            step(target(i))
        return (opt.param_groups[0]["lr"], [p.tolist() for p in params]), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert "read by the host" in step.explain().reasons[0]


def sgd_step(change=lambda opt, schedule, y: None):
    """A compiled step of SGD with a learning rate in a tensor, in which `change` is called at the end; its parameters."""
    a, b = params = parameters()
    opt = optim.SGD(params, lr=ct.tensor(0.1))
    schedule = schedules.ExponentialLR(opt, 0.5)

    @compile
    def step(y):
        opt.zero_grad()
        F.mse_loss(a @ b, y).backward()
        opt.step()
        return change(opt, schedule, y)

    for i in range(4):
        step(target(i))
    return step, params, opt


@pytest.mark.parametrize(("change", "reason"), [
    (lambda opt, schedule, y: (schedule.step(), opt.param_groups[0]["lr"] * 2), None),
    (lambda opt, schedule, y: (opt.param_groups[0]["lr"] * 2, schedule.step()), "fills a tensor"),
    (lambda opt, schedule, y: (opt.param_groups[0]["lr"].mul_(y.mean().abs()), opt.step()), "that the program writes"),
    (lambda opt, schedule, y: schedule.get_last_lr(), "learning rates of a schedule")])
def test_what_comes_too_late_for_python(change, reason):
    step, _, _ = sgd_step(change)
    assert step.explain().reasons == () if reason is None else reason in step.explain().reasons[0]


def test_a_learning_rate_that_the_program_changes_for_the_next_call():
    def run(wrap):
        a, b = params = parameters()
        opt = optim.SGD(params, lr=ct.tensor(0.1))

        def step(y):
            opt.zero_grad()
            F.mse_loss(a @ b, y).backward()
            opt.step()
            opt.param_groups[0]["lr"].mul_(0.7)

        step = wrap(step)
        for i in range(5):
            step(target(i))
        return (float(opt.param_groups[0]["lr"]), [p.tolist() for p in params]), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert not step.eager


def test_a_scaler_between_calls():
    """Its settings, its scale and its state may change; so may the optimiser's state."""
    def run(wrap):
        a, b = params = parameters()
        opt = optim.Adam(params)
        scaler = amp.GradScaler(init_scale=8.0, growth_interval=2)

        def step(y):
            opt.zero_grad()
            scaler.scale(F.mse_loss(a @ b, y)).backward()
            scaler.step(opt)
            scaler.update()

        step, scales = wrap(step), []
        for i in range(14):
            if i == 4:
                scaler.set_growth_factor(4.0)
                scaler.set_backoff_factor(0.25)
            if i == 6:
                saved = scaler.state_dict(), opt.state_dict()
                saved = saved[0], {**saved[1], "state": {n: {k: v.clone() for k, v in s.items()}
                                                         for n, s in saved[1]["state"].items()}}
            if i == 8:
                scaler.set_growth_interval(1)
            if i == 10:
                scaler.load_state_dict(saved[0])
                opt.load_state_dict(saved[1])
            if i == 12:
                scaler.update(32.0) if scaler._progress else scaler._scale.fill_(32.0)
            step(target(i, float("nan") if i in (5, 9) else 1.0))
            scales.append(scaler.get_scale())
        return (scales, state_of(opt), [p.tolist() for p in params]), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert not step.eager
    assert step.captures <= 4


def test_parts_of_an_iteration_outside():
    """The forward pass is compiled, or all but the step: the scaler is used from both sides."""
    def run(wrap, inside):
        a, b = params = parameters()
        opt = optim.Adam(params)
        scaler = amp.GradScaler(init_scale=8.0, growth_interval=2)

        def step(y):
            loss = scaler.scale(F.mse_loss(a @ b, y))
            if inside:
                loss.backward()
                scaler.unscale_(opt)
            return loss

        step = wrap(step)
        for i in range(8):
            opt.zero_grad()
            loss = step(target(i, float("inf") if i == 5 else 1.0))
            if not inside:
                loss.backward()
            scaler.step(opt)
            scaler.update()
        return (scaler.get_scale(), state_of(opt), [p.tolist() for p in params]), step

    for inside in (False, True):
        eager, found, step = both(run, inside)
        assert agree(found, eager)
    assert step.eager


def test_two_steps_of_one_optimizer_under_a_scaler_run_eagerly():
    def run(wrap):
        a, b = params = parameters()
        opt, scaler = optim.Adam(params), amp.GradScaler(init_scale=8.0)

        def step(y):
            for _ in range(2):
                opt.zero_grad()
                scaler.scale(F.mse_loss(a @ b, y)).backward()
                scaler.step(opt)
                scaler.update()

        step = wrap(step)
        for i in range(4):
            step(target(i))
        return (state_of(opt), [p.tolist() for p in params]), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert "what a GradScaler has found" in step.explain().reasons[0]


def test_two_optimizers_under_one_scaler():
    def run(wrap):
        a, b = params = parameters()
        first, second = optim.Adam([a]), optim.SGD([b], lr=0.1)
        scaler = amp.GradScaler(init_scale=8.0, growth_interval=2)

        def step(y, spoiled):
            first.zero_grad()
            second.zero_grad()
            scaler.scale(F.mse_loss(a @ b, y) + (b * spoiled).sum()).backward()
            scaler.step(first)
            scaler.step(second)
            scaler.update()

        step = wrap(step)
        for i in range(8):
            step(target(i), ct.tensor(float("inf") if i in (2, 5) else 0.0))
        return (scaler.get_scale(), state_of(first), [p.tolist() for p in params]), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert not step.eager


def test_hooks_on_parameters_and_modules():
    """Those that only compute are part of the program; adding one captures again."""
    def run(wrap):
        net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
        with ct.no_grad():
            for i, p in enumerate(net.parameters()):
                p.copy_(ct.linspace(-1, 1 + i, p.numel()).reshape(p.shape))
        opt = optim.SGD(net.parameters(), lr=0.1)
        net[0].weight.register_hook(lambda g: g * 0.5)
        net[1].register_forward_hook(lambda module, args, output: output + 1)
        net[2].register_full_backward_hook(lambda module, gi, go: (gi[0].clamp(-0.1, 0.1),))

        def step(x, y):
            opt.zero_grad()
            loss = F.mse_loss(net(x), y)
            loss.backward()
            opt.step()
            return loss

        step, losses = wrap(step), []
        for i in range(8):
            if i == 5:
                net[2].weight.register_hook(lambda g: g * 3)
                handle = net[0].register_forward_pre_hook(lambda module, args: (args[0] * 2,))
            if i == 7:
                handle.remove()
            losses.append(step(target(i).repeat(1, 2), target(i)).item())
        return (losses, [p.tolist() for p in net.parameters()]), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert not step.eager


@pytest.mark.parametrize("place", ["parameter", "module", "after", "optimizer"])
def test_hooks_that_python_must_run(place):
    def run(wrap):
        net, seen = nn.Linear(4, 2, bias=False), []
        with ct.no_grad():
            net.weight.copy_(ct.linspace(-1, 1, 8).reshape(2, 4))
        opt = optim.SGD(net.parameters(), lr=0.1)
        {"parameter": net.weight.register_hook, "module": net.register_forward_hook, "optimizer": opt.register_step_post_hook,
         "after": net.weight.register_post_accumulate_grad_hook}[place](lambda *args: seen.append(len(args)))

        def step(x, y):
            opt.zero_grad()
            F.mse_loss(net(x), y).backward()
            opt.step()

        step = wrap(step)
        for i in range(5):
            step(target(i).repeat(1, 2), target(i))
        return (seen, net.weight.tolist()), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert len(found[0]) == 5
    assert "changes variables of Python" in step.explain().reasons[0]


@pytest.mark.parametrize("how", [{}, {"multi_avg_fn": optim.swa_utils.get_ema_multi_avg_fn(0.9)},
                                 {"avg_fn": optim.swa_utils.get_ema_avg_fn(0.9), "use_buffers": True},
                                 {"avg_fn": optim.swa_utils.get_swa_avg_fn()}])
def test_averages(how):
    def run(wrap):
        net = nn.BatchNorm1d(4)
        mean = optim.swa_utils.AveragedModel(net, **how)

        def step(x):
            with ct.no_grad():
                net.weight.add_(net(x).mean(0))
            mean.update_parameters(net)

        step = wrap(step)
        for i in range(9):
            if i == 4:
                mean.update_parameters(net)
            if i == 6:
                mean.n_averaged.zero_()
            step(target(i).repeat(1, 2))
        return (mean.n_averaged.item(), [t.tolist() for t in mean.state_dict().values()]), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert step.programs
    assert not step.eager


def test_gradients_kept_over_several_calls():
    """Without zero_grad they add up; set to zeros they stay where they are."""
    def run(wrap):
        a, b = params = parameters()
        opt = optim.SGD(params, lr=0.01)

        def step(y):
            F.mse_loss(a @ b, y).backward()

        step, places = wrap(step), []
        for i in range(9):
            step(target(i))
            if i % 3 == 2:
                opt.step()
                opt.zero_grad(set_to_none=False)
                places.append(a.grad.data_ptr())
        return ([p.tolist() for p in params], [p.grad.tolist() for p in params], len(set(places))), step

    eager, found, step = both(run)
    assert agree(found, eager)
    assert not step.eager


@pytest.mark.parametrize("dtype", [ct.bfloat16, ct.float16])
def test_a_compiled_module_in_a_region_of_autocast(dtype):
    """It is captured under the region's settings; what is cast in it stays in it."""
    def run(wrap):
        net = nn.Linear(4, 2)
        with ct.no_grad():
            net.weight.copy_(ct.linspace(-1, 1, 8).reshape(2, 4))
            net.bias.zero_()
        call, opt, found = wrap(net), optim.SGD(net.parameters(), lr=0.1), []
        for i in range(5):
            opt.zero_grad()
            with amp.autocast("cuda", dtype=dtype):
                other = net(target(i).repeat(1, 2))
                made = call(target(i).repeat(1, 2))
                again = call(target(i).repeat(1, 2))
            F.mse_loss(made.float() + other.float(), target(i)).backward()
            opt.step()
            found.append((str(made.dtype), made.tolist(), again.tolist()))
        return (found, net.weight.tolist(), call(target(1).repeat(1, 2)).tolist()), call

    eager, found, call = both(run)
    assert agree(found, eager)
    assert call._program.captures == 2
    assert not call._program.eager
