"""utils.plot: what is drawn, against NumPy and scikit-learn; that nothing but the Axes given is drawn into; errors."""

import sys

import matplotlib as mpl
import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import ArgumentError, MissingPackageError, ShapeError
from cltensor.utils import plot

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture(autouse=True)
def _without_a_screen():
    mpl.use("Agg")
    yield
    from matplotlib import pyplot

    pyplot.close("all")


def drawn(ax):
    """Draw it, so that errors show."""
    ax.figure.canvas.draw()
    return ax


def test_curves():
    ax = drawn(plot.curves({"a": [3.0, 1.0, 2.0], "b": ct.tensor([1, 2, 3])}, steps=[10, 20, 30], log=True, title="t", ylabel="y"))
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    assert ax.lines[0].get_xdata().tolist() == [10, 20, 30]
    assert ax.lines[1].get_ydata().tolist() == [1, 2, 3]
    assert (ax.get_yscale(), ax.get_title(), ax.get_ylabel()) == ("log", "t", "y")
    assert len(drawn(plot.curves([1.0])).lines) == 1


def test_smoothing_is_the_weighted_mean_of_what_came_before():
    values = np.random.default_rng(0).standard_normal(20)
    values[4] = np.nan
    ax = plot.curves(values, smoothing=0.8)
    smooth, raw = (line.get_ydata() for line in ax.lines)
    np.testing.assert_array_equal(raw, values)
    for i, value in enumerate(smooth):
        weights = 0.8 ** np.arange(i, -1, -1.0)[~np.isnan(values[: i + 1])] if i != 4 else None
        there = values[: i + 1][~np.isnan(values[: i + 1])]
        if i == 4:
            assert np.isnan(value)
        elif i < 4:
            assert value == pytest.approx(np.average(there, weights=weights))


def test_curves_of_a_history():
    from cltensor.train import History

    history = History()
    history.add({"loss": 2.0})
    history.add({"loss": 1.0, "val_loss": 3.0})
    history.add({"loss": 0.5, "lr": 0.1, "seconds": 100.0})
    assert len(drawn(plot.curves(history)).lines) == 2


def test_images():
    batch = np.random.default_rng(0).random((5, 3, 4, 6))
    ax = drawn(plot.images(ct.tensor(batch), titles="abcde", columns=3))
    assert len(ax.images) == len(ax.texts) == 5
    np.testing.assert_allclose(ax.images[4].get_array(), batch[4].transpose(1, 2, 0))
    lefts = [i.get_extent()[0] for i in ax.images]
    assert lefts[0] == lefts[3] < lefts[1] < lefts[2]
    one = (batch[0, 0] * 255).astype(np.uint8)
    np.testing.assert_allclose(plot.images(one).images[0].get_array(), one / 255)
    np.testing.assert_allclose(plot.images(batch[0]).images[0].get_array(), batch[0].transpose(1, 2, 0))
    np.testing.assert_allclose(plot.images(batch.transpose(0, 2, 3, 1), channels_last=True).images[1].get_array(),
                               batch[1].transpose(1, 2, 0))
    assert len(plot.images(batch[:, 0]).images) == 5
    stretched = plot.images(batch * 7 - 3, normalize=True).images[2].get_array()
    assert (stretched.min(), stretched.max()) == (0, 1)


def test_filters():
    colour, gray = nn.Conv2d(3, 8, 5), nn.Conv2d(4, 6, 3)
    assert len(drawn(plot.filters(colour)).images) == 8
    ax = drawn(plot.filters(gray))
    assert len(ax.images) == 24
    np.testing.assert_allclose(ax.images[5].get_array(), gray.weight[1, 1].detach().numpy())
    low, high = ax.images[0].get_clim()
    assert -low == high == pytest.approx(gray.weight.abs().max().item())
    assert len(plot.filters(nn.Conv1d(2, 3, 4)).images) == 6
    assert len(plot.filters(gray.weight, most=10, columns=5).images) == 10


@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
def test_confusion_matrix_is_scikit_learns(normalize):
    from sklearn.metrics import confusion_matrix

    rng = np.random.default_rng(0)
    target, scores = rng.integers(0, 4, 60), rng.random((60, 4))
    ax = drawn(plot.confusion_matrix(ct.tensor(target), ct.tensor(scores), classes=["a", "b", "c", "d"], normalize=normalize))
    np.testing.assert_allclose(ax.images[0].get_array(), confusion_matrix(target, scores.argmax(1), normalize=normalize))
    assert len(ax.texts) == 16
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c", "d"]
    assert plot.confusion_matrix([0], [0], classes=30).images[0].get_array().shape == (30, 30)


def test_attention():
    weights = ct.rand(3, 4, 6).softmax(-1)
    figure = plot.attention(weights, tokens="abcd", sources="uvwxyz")
    figure.canvas.draw()
    assert [a.get_title() for a in figure.axes[:3]] == ["head 0", "head 1", "head 2"]
    ax = drawn(plot.attention(weights[1]))
    np.testing.assert_allclose(ax.images[0].get_array(), weights[1].numpy())
    assert len(plot.attention(ct.rand(5, 2, 2)).axes) == 6  # of 8 places, 5 and the scale


def test_embeddings_are_scikit_learns_components():
    from sklearn.decomposition import PCA

    points = np.random.default_rng(0).standard_normal((40, 6)) * [9, 5, 2, 1, 1, 1] + 100
    ax = drawn(plot.embeddings(ct.tensor(points), ct.arange(40) % 3, classes=["x", "y", "z"]))
    found = np.zeros((40, 2))
    for i, part in enumerate(ax.collections):
        found[i::3] = part.get_offsets()
    pca = PCA(2)
    expected = pca.fit_transform(points)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=2e-3)
    assert ax.get_xlabel() == f"pca 1 ({100 * pca.explained_variance_ratio_[0]:.0f} %)"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["x", "y", "z"]
    assert len(plot.embeddings(points).collections) == 1


def test_neighbours_stay_near():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.standard_normal((10, 5)), rng.standard_normal((10, 5)) + 50])
    first, second = (np.array(c.get_offsets()) for c in plot.embeddings(points, [0] * 10 + [1] * 10, method="tsne").collections)
    spread = max(np.linalg.norm(c - c.mean(axis=0), axis=1).max() for c in (first, second))
    assert np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) > spread


def test_gradient_flow():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    model(ct.ones(2, 3)).sum().backward()
    ax = drawn(plot.gradient_flow(model))
    grads = [model[0].weight.grad.abs().numpy(), model[2].weight.grad.abs().numpy()]
    heights = [b.get_height() for b in ax.patches]
    np.testing.assert_allclose(heights, [g.max() for g in grads] + [g.mean() for g in grads], rtol=1e-5)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "2"]
    assert len(plot.gradient_flow(model, biases=True).patches) == 8
    model[0].weight.grad[0, 0] = float("nan")
    assert drawn(plot.gradient_flow(model)).get_title() == "not finite: 0"


def test_axes_are_drawn_into_when_given():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    grads = nn.Linear(2, 2)
    grads(ct.ones(1, 2)).sum().backward()
    for call in (lambda: plot.curves([1.0, 2.0], ax=ax), lambda: plot.images(ct.rand(2, 3, 4, 4), ax=ax),
                 lambda: plot.filters(nn.Conv2d(1, 2, 3), ax=ax), lambda: plot.confusion_matrix([0, 1], [1, 1], ax=ax),
                 lambda: plot.attention(ct.rand(3, 3), ax=ax), lambda: plot.embeddings(ct.rand(5, 3), ax=ax),
                 lambda: plot.gradient_flow(grads, ax=ax)):
        assert call() is ax
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.parametrize(("call", "error", "says"), [
    (lambda: plot.curves([1.0], smoothing=1), ArgumentError, "smoothing must be"),
    (lambda: plot.curves({}), ArgumentError, "nothing to draw"),
    (lambda: plot.curves({"a": [[1.0]]}), ShapeError, "in a row for 'a'"),
    (lambda: plot.curves([1.0], steps=[1, 2]), ShapeError, "a step for each of the 1"),
    (lambda: plot.images(ct.zeros(2, 5, 4, 4)), ShapeError, "images: expected"),
    (lambda: plot.images(ct.zeros(2, 3, 4, 4), titles=["a"]), ArgumentError, "a title for each of the 2"),
    (lambda: plot.filters(nn.ReLU()), ArgumentError, "ReLU has no weight"),
    (lambda: plot.filters(nn.Linear(2, 3)), ShapeError, "expected a weight"),
    (lambda: plot.confusion_matrix([0, 1], [0]), ShapeError, "a prediction for each target"),
    (lambda: plot.confusion_matrix([0, 5], [0, 1], classes=3), ArgumentError, "there is no class 5"),
    (lambda: plot.confusion_matrix([0], [0], normalize="rows"), ArgumentError, "normalize must be"),
    (lambda: plot.attention(ct.zeros(3)), ShapeError, "expected weights"),
    (lambda: plot.attention(ct.zeros(2, 3), tokens=["a"]), ArgumentError, "expected 2 tokens, got 1"),
    (lambda: plot.attention(ct.zeros(2, 3, 3), ax=object()), ArgumentError, "ax is for one head"),
    (lambda: plot.embeddings(ct.zeros(3)), ShapeError, "expected points"),
    (lambda: plot.embeddings(ct.full((3, 3), float("nan"))), ArgumentError, "NaN or infinity"),
    (lambda: plot.embeddings(ct.zeros(3, 3), [1]), ShapeError, "a label for each of the 3"),
    (lambda: plot.embeddings(ct.zeros(3, 3), method="umap"), ArgumentError, "'pca' or 'tsne'"),
    (lambda: plot.gradient_flow(nn.Linear(2, 2)), ArgumentError, "no parameter has a gradient"),
])
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingPackageError, match=r"curves: needs the package matplotlib.*pip install 'cltensor\[see\]'"):
        plot.curves([1.0])
