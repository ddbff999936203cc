"""train.fit: the same bits as the loop written by hand, every setting, callbacks, what it shows and logs, errors."""

import io

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim, train
from cltensor.amp import GradScaler, autocast
from cltensor.base.errors import ArgumentError, ArgumentTypeError
from cltensor.utils.data import DataLoader, TensorDataset

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture
def data(rng):
    """(training loader, held-out loader, arrays) of a task with 44 and 12 samples."""
    x = rng.standard_normal((56, 5)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(np.int64)
    sets = TensorDataset(ct.tensor(x[:44]), ct.tensor(y[:44])), TensorDataset(ct.tensor(x[44:]), ct.tensor(y[44:]))
    return DataLoader(sets[0], 8, shuffle=True, generator=3), DataLoader(sets[1], 5), (x, y)


def model(seed=0):
    ct.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def equal(a, b):
    return all(np.array_equal(t.numpy(), b.state_dict()[name].numpy()) for name, t in a.state_dict().items())


def by_hand(net, data, optimizer, epochs, accumulate=1, clip=None, half=None, scheduler=None):
    """The loop that fit stands for; returns (mean losses, losses and accuracies of the held-out data)."""
    loss_fn, losses, held = nn.CrossEntropyLoss(), [], []
    scaler = GradScaler(enabled=half is ct.float16)
    for _ in range(epochs):
        net.train()
        total = count = waiting = 0
        batches = list(data[0])
        for i, (x, y) in enumerate(batches):
            with autocast("gpu", half or ct.bfloat16, enabled=half is not None):
                loss = loss_fn(net(x), y)
            scaler.scale(loss / accumulate).backward()
            total, count, waiting = total + loss.item() * len(y), count + len(y), waiting + 1
            if waiting == accumulate or i == len(batches) - 1:
                if waiting < accumulate:
                    for p in net.parameters():
                        p.grad.mul_(accumulate / waiting)
                if clip:
                    scaler.unscale_(optimizer)
                    nn.utils.clip_grad_norm_(net.parameters(), clip)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
                waiting = 0
        losses.append(total / count)
        net.eval()
        with ct.no_grad(), autocast("gpu", half or ct.bfloat16, enabled=half is not None):
            outputs = [(net(x), y) for x, y in data[1]]
            held.append((sum(loss_fn(o, y).item() * len(y) for o, y in outputs) / 12,
                         sum((o.argmax(1) == y).sum().item() for o, y in outputs) / 12))
        if scheduler:
            scheduler.step()
    return losses, held


@pytest.mark.parametrize("words", [{}, {"accumulate": 4}, {"clip_norm": 0.3}, {"amp": "float16", "clip_norm": 0.3}, {"amp": True}],
                         ids=str)
def test_the_loop_by_hand(data, words):
    nets, results = [model(), model()], []
    for net in nets:
        optimizer = optim.Adam(net.parameters(), 0.02)
        scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        ct.manual_seed(1)
        loaders = [DataLoader(data[0].dataset, 8, shuffle=True, generator=3), data[1]]
        if net is nets[0]:
            history = train.fit(net, nn.CrossEntropyLoss(), optimizer, loaders[0], 3, validation=loaders[1], metrics="accuracy",
                                scheduler=scheduler, progress=False, **words)
        else:
            half = {"float16": ct.float16, True: ct.bfloat16}.get(words.get("amp"))
            results = by_hand(net, loaders, optimizer, 3, words.get("accumulate", 1), words.get("clip_norm"), half, scheduler)
    assert equal(*nets)
    losses, held = results
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-5)
    np.testing.assert_allclose(history["val_loss"], [h[0] for h in held], rtol=1e-5)
    np.testing.assert_allclose(history["val_accuracy"], [h[1] for h in held])
    np.testing.assert_allclose(history["lr"], [0.02, 0.018, 0.0162])
    assert history.epochs == 3
    assert "the last one: loss" in repr(history)


@pytest.mark.parametrize("words", [{}, {"accumulate": 2}, {"clip_value": 0.05}], ids=str)
def test_compiled_steps_learn_the_same(data, words):
    nets, losses = [model(), model()], []
    for net, compiled in zip(nets, (False, True), strict=True):
        loader = DataLoader(data[0].dataset, 8, shuffle=True, generator=3)
        ct.manual_seed(1)
        history = train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1, momentum=0.9), loader, 3, progress=False,
                            validation=data[1], compile=compiled, **words)
        losses.append([*history["loss"], *history["val_loss"]])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-3, atol=1e-5)


def test_it_learns_as_scikit_learn_does(data):
    """Logistic regression without a penalty, to the optimum, against scikit-learn's."""
    from sklearn.linear_model import LogisticRegression

    x, y = data[2]
    noisy = np.where(np.arange(56) % 7 == 0, 1 - y, y)  # not separable
    expected = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(x, noisy)
    ct.manual_seed(0)
    net = nn.Linear(5, 1)
    loader = [(ct.tensor(x), ct.tensor(noisy).float().unsqueeze(1))]
    train.fit(net, nn.BCEWithLogitsLoss(), optim.Adam(net.parameters(), 0.1), loader, 300, progress=False)
    np.testing.assert_allclose(net.weight.detach().numpy(), expected.coef_, atol=2e-3)


def test_other_batches(data):
    def forward(net, batch):
        output = net(batch["x"])
        return output, batch["y"], None if batch["plain"] else nn.functional.cross_entropy(output, batch["y"]) * 0 + 7

    x, y = (ct.tensor(a[:8]) for a in data[2])
    for plain, expected in ((True, None), (False, 7.0)):
        net = model()
        history = train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), [{"x": x, "y": y, "plain": plain}], 1,
                            forward=forward, metrics={"right": train.Accuracy(), "top": lambda o, t: o.max()}, progress=False)
        assert set(history) == {"loss", "right", "top", "lr", "seconds"}
        assert expected is None or history["loss"] == [expected]


def test_several_inputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Bilinear(2, 3, 1)

        def forward(self, a, b):
            return self.layer(a, b)

    net = Two()
    batch = (ct.ones(4, 2), ct.ones(4, 3), ct.zeros(4, 1))
    history = train.fit(net, nn.MSELoss(), optim.SGD(net.parameters(), 0.01), [batch], 5, metrics=["mae", "mse"], progress=False)
    assert history["mse"][-1] < history["mse"][0]
    assert history["mse"] == pytest.approx(history["loss"])


def test_schedules(data):
    def rates(make, **words):
        net = nn.Linear(5, 2)
        optimizer = optim.SGD(net.parameters(), 1e-4)
        words["scheduler"] = make(optimizer)
        return train.fit(net, nn.CrossEntropyLoss(), optimizer, data[0], 4, progress=False, **words)["lr"]

    assert rates(lambda o: optim.lr_scheduler.StepLR(o, 6, 0.5), scheduler_every="step") == pytest.approx(
        [0.5e-4, 0.25e-4, 0.125e-4, 0.0625e-4])
    plateau = rates(lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, patience=0, threshold=0.5), validation=data[1])
    assert plateau == pytest.approx([1e-4, 1e-4, 1e-5, 1e-6])


class Notes(train.Callback):
    """Writes down what it is told."""

    def __init__(self):
        self.events = []


for event in ("train_begin", "epoch_begin", "batch_end", "step_end", "epoch_end", "train_end"):
    setattr(Notes, f"on_{event}", lambda self, run, event=event: self.events.append((event, run.epoch, run.batch, run.step)))


def test_events(data):
    notes, net = Notes(), model()
    train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), data[0], 1, accumulate=4, callbacks=[notes],
              progress=False)
    assert notes.events == [
        ("train_begin", 0, 0, 0), ("epoch_begin", 0, 0, 0), ("batch_end", 0, 1, 0), ("batch_end", 0, 2, 0), ("batch_end", 0, 3, 0),
        ("batch_end", 0, 4, 0), ("step_end", 0, 4, 1), ("batch_end", 0, 5, 1), ("batch_end", 0, 6, 1), ("step_end", 0, 6, 2),
        ("epoch_end", 1, 0, 2), ("train_end", 1, 0, 2)]


def test_the_end_is_told_where_it_fails(data):
    class Fails(Notes):
        def on_step_end(self, run):
            raise OSError("disk full")

    notes, net = Fails(), model().eval()
    with pytest.raises(OSError, match="disk full"):
        train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), data[0], 1, callbacks=[notes], progress=False)
    assert notes.events[-1][0] == "train_end"
    assert not net.training


class Sets(train.Callback):
    """Overwrites the logs, and puts the epoch's number into the model."""

    def __init__(self, values):
        self.values = values

    def on_epoch_end(self, run):
        run.logs["val_loss"] = self.values[run.epoch - 1]
        with ct.no_grad():
            run.model.bias.fill_(run.epoch)


def stopped(values, **words):
    net = nn.Linear(1, 1)
    stopping = train.EarlyStopping(**words)
    history = train.fit(net, nn.MSELoss(), optim.SGD(net.parameters(), 0.0), [(ct.ones(1, 1), ct.ones(1, 1))], len(values),
                        callbacks=[Sets(values), stopping], progress=False)
    return history.epochs, stopping.best_epoch, net.bias.item()


def test_early_stopping():
    assert stopped([3.0, 2.0, 2.5, 2.2, 1.0], patience=2) == (4, 2, 4.0)
    assert stopped([3.0, 2.0, 2.5, 2.2, 1.0], patience=2, restore_best=True) == (4, 2, 2.0)
    assert stopped([3.0, 2.0, 2.5, 1.0], patience=2) == (4, 4, 4.0)
    assert stopped([3.0, 1.0, 2.0], patience=2, restore_best=True) == (3, 2, 2.0)
    assert stopped([3.0, 2.9, 2.8], patience=1, min_delta=0.5) == (2, 1, 2.0)
    assert stopped([1.0, 2.0, 1.5], patience=1, mode="max") == (3, 2, 3.0)
    assert train.EarlyStopping("val_accuracy").mode == "max"


def test_checkpoints_of_the_best(tmp_path, data):
    net = nn.Linear(1, 1)
    run = {"loss": nn.MSELoss(), "optimizer": optim.SGD(net.parameters(), 0.0), "loader": [(ct.ones(1, 1), ct.ones(1, 1))]}
    callbacks = [Sets([3.0, 1.0, 2.0]), train.Checkpoint(tmp_path / "best.ct", monitor="val_loss"),
                 train.Checkpoint(tmp_path / "epoch-{epoch}.ct"), train.Checkpoint(tmp_path / "step-{step}.ct", every=2)]
    train.fit(net, epochs=3, callbacks=callbacks, progress=False, **run)
    assert ct.load(tmp_path / "best.ct")["model"]["bias"].item() == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "best.ct", "epoch-1.ct", "epoch-2.ct", "epoch-3.ct", "step-1.ct", "step-2.ct", "step-3.ct"]


def test_progress(data):
    file, net = io.StringIO(), model()
    train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), data[0], 2, validation=data[1],
              callbacks=[train.ProgressBar("lines", file)], progress=False)
    lines = file.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch 2/2: 6/6 batch, ")
    assert ", val_loss " in lines[1]


def test_tensorboard(tmp_path, data):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from cltensor.utils.tensorboard import SummaryWriter

    net = model()
    history = train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), data[0], 2, validation=data[1],
                        tensorboard=tmp_path / "a", callbacks=[train.TensorBoard(tmp_path / "b", every=4, histograms=True)],
                        progress=False)
    found = EventAccumulator(str(tmp_path / "a"))
    found.Reload()
    assert [e.step for e in found.Scalars("loss/val")] == [6, 12]
    assert [e.value for e in found.Scalars("loss/val")] == pytest.approx(history["val_loss"])
    assert [e.value for e in found.Scalars("loss/train")] == pytest.approx(history["loss"])
    found = EventAccumulator(str(tmp_path / "b"))
    found.Reload()
    assert [e.step for e in found.Scalars("step/loss")] == [4, 8, 12]
    assert found.Histograms("0.weight")[-1].histogram_value.num == 40
    with SummaryWriter(tmp_path / "c") as writer:
        train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), data[0], 1, tensorboard=writer, progress=False)
        writer.add_scalar("mine", 1.0, 1)


def test_a_resumed_log_has_no_step_twice(tmp_path, data):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    class Ends(train.Callback):
        def on_step_end(self, run):
            if run.step == 8 and len(list((tmp_path / "log").iterdir())) == 1:
                raise OSError

    def run():
        net = model()
        return train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), data[0], 2, progress=False,
                         checkpoint=tmp_path / "c.ct", callbacks=[train.TensorBoard(tmp_path / "log", every=1), Ends()])

    with pytest.raises(OSError):  # noqa: PT011
        run()
    assert run().epochs == 2
    found = EventAccumulator(str(tmp_path / "log"))
    found.Reload()
    assert [e.step for e in found.Scalars("step/loss")] == list(range(1, 13))


def test_history():
    history = train.History()
    for values in ({"loss": 2.0}, {"loss": float("nan"), "acc": 0.5}, {"loss": 1.0, "acc": 0.5}):
        history.add(values)
    assert history["acc"] == [None, 0.5, 0.5]
    assert history.best("loss") == (2, 1.0)
    assert history.best("acc", "max") == (1, 0.5)
    other = train.History()
    other.load_state_dict(history.state_dict())
    assert list(other) == ["loss", "acc"]
    assert len(other) == 2
    with pytest.raises(ArgumentError, match="no value that is a number"):
        other.add({"odd": float("nan")}) or other.best("odd")
    assert repr(train.History()) == "History of 0 epochs"


def test_no_epochs_change_nothing(data):
    net = model().eval()
    before = [p.detach().numpy() for p in net.parameters()]
    assert train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), data[0], 0, progress=False).epochs == 0
    assert all(np.array_equal(a, p.detach().numpy()) for a, p in zip(before, net.parameters(), strict=True))


GOOD = {"loss": nn.MSELoss(), "loader": [(None, None)], "epochs": 1}


def test_what_cannot_end_well_is_said_before_the_first_step(tmp_path):
    net = nn.Linear(1, 1)
    with pytest.raises(ArgumentTypeError, match="fit: a step of LBFGS asks for the loss several times"):
        train.fit(net, optimizer=optim.LBFGS(net.parameters()), **GOOD)
    sgd = optim.SGD(net.parameters(), 0.1)
    for make in (lambda path: train.fit(net, optimizer=sgd, checkpoint=path, **GOOD), train.Checkpoint):
        with pytest.raises(FileNotFoundError, match=r"Checkpoint: the folder of '.*run.ct' is not there; make '.*no' first"):
            make(tmp_path / "no" / "run.ct")


@pytest.mark.parametrize(("words", "error", "says"), [
    ({"model": 3}, ArgumentTypeError, "model must be a Module, got int"),
    ({"optimizer": None}, ArgumentTypeError, "optimizer must be an Optimizer"),
    ({"loss": None}, ArgumentTypeError, "loss is None"),
    ({"loss": 3}, ArgumentTypeError, "loss must be a function"),
    ({"loader": iter([1])}, ArgumentTypeError, "loader must begin anew"),
    ({"loader": []}, ArgumentError, "the loader gave no batch"),
    ({"loader": [3]}, ArgumentTypeError, r"expected batches \(inputs..., target\), got int"),
    ({"scheduler": 3}, ArgumentTypeError, "scheduler must be a schedule"),
    ({"callbacks": [print]}, ArgumentTypeError, "callbacks must be Callbacks"),
    ({"epochs": -1}, ArgumentError, "epochs must be a whole number of at least 0, got -1"),
    ({"accumulate": 0}, ArgumentError, "accumulate must be"),
    ({"clip_norm": 0}, ArgumentError, "clip_norm must be above 0"),
    ({"clip_value": -1.0}, ArgumentError, "clip_value must be above 0"),
    ({"scheduler_every": "batch"}, ArgumentError, "'epoch' or 'step'"),
    ({"checkpoint_every": 2}, ArgumentError, "give checkpoint=PATH"),
    ({"amp": "int8"}, ArgumentError, "amp must be True"),
    ({"metrics": ["f2"]}, ArgumentError, "there is no metric 'f2'"),
    ({"metrics": 3}, ArgumentTypeError, "metrics must be"),
    ({"metrics": ["mae", "mae"]}, ArgumentError, "two metrics named 'mae'"),
])
def test_errors(words, error, says):
    net = nn.Linear(1, 1)
    given = {"model": net, "optimizer": optim.SGD(net.parameters(), 0.1), **GOOD, **words}
    with pytest.raises(error, match=says):
        train.fit(progress=False, **given)


@pytest.mark.parametrize(("call", "error", "says"), [
    (lambda: train.EarlyStopping(mode="up"), ArgumentError, "mode must be"),
    (lambda: train.EarlyStopping(patience=0), ArgumentError, "patience must be at least 1"),
    (lambda: train.Checkpoint("x", every=-1), ArgumentError, "every must be"),
    (lambda: train.Checkpoint("x", mode="up"), ArgumentError, "mode must be"),
    (lambda: train.ProgressBar("dots"), ArgumentError, "ProgressBar: style must be"),
])
def test_errors_of_callbacks(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_a_value_that_is_not_logged(data):
    net = model()
    with pytest.raises(ArgumentError, match="no value 'val_loss'; it has loss, lr, seconds; give fit a validation loader"):
        train.fit(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), 0.1), data[0], 1, callbacks=[train.EarlyStopping()],
                  progress=False)
