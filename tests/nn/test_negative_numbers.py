"""Negative class, row and place numbers: an error when values are read, for every dtype, as in PyTorch."""

import pytest

import cltensor as ct
import cltensor.nn.functional as CF

pytestmark = pytest.mark.device


def table(lib):
    return lib.arange(1, 13, dtype=lib.float64).reshape(3, 4)


def plane(lib, n):
    return table(lib)[:, :2].reshape(1, *[1] * (n - 1), 3, 2)


REFUSED = {
    "embedding": lambda lib, F, i: F.embedding(i, table(lib)),
    "embedding, padded": lambda lib, F, i: F.embedding(i, table(lib), padding_idx=-1),
    "embedding, scaled down": lambda lib, F, i: F.embedding(i, table(lib), max_norm=1.0),
    **{f"embedding_bag {mode}": lambda lib, F, i, mode=mode: F.embedding_bag(i.reshape(1, 2), table(lib), mode=mode)
       for mode in ("sum", "mean", "max")},
    "embedding_bag, padded": lambda lib, F, i: F.embedding_bag(i, table(lib), i - i[0], mode="sum", padding_idx=-1),
}
REFUSED_INT64 = {
    "one_hot": lambda lib, F, i: F.one_hot(i, 3),
    "nll_loss": lambda lib, F, i: F.nll_loss(table(lib)[:2], i),
    "nll_loss of images": lambda lib, F, i: F.nll_loss(table(lib).reshape(1, 3, 2, 2), i.expand(1, 2, 2)),
    "cross_entropy": lambda lib, F, i: F.cross_entropy(table(lib)[:2], i, reduction="sum"),
    "cross_entropy, smoothed": lambda lib, F, i: F.cross_entropy(table(lib)[:2], i, label_smoothing=0.1),
    "multi_margin_loss": lambda lib, F, i: F.multi_margin_loss(table(lib)[:2], i),
    "multilabel_margin_loss": lambda lib, F, i: F.multilabel_margin_loss(table(lib)[0, :2], i * 2),
    **{f"max_unpool{n}d": lambda lib, F, i, n=n: getattr(F, f"max_unpool{n}d")(plane(lib, n), i.expand(plane(lib, n).shape), 2)
       for n in (1, 2, 3)},
}


@pytest.mark.parametrize("dtype", ["int64", "int32"])
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, dtype):
    with pytest.raises(IndexError, match="index -1 is out of bounds for dimension with size 3"):
        REFUSED[name](ct, CF, ct.tensor([-1, 0], dtype=getattr(ct, dtype))).tolist()


@pytest.mark.parametrize("name", REFUSED_INT64)
def test_refused_int64(name):
    with pytest.raises(IndexError, match=r"(index|Target) -[12] is out of bounds"):
        REFUSED_INT64[name](ct, CF, ct.tensor([-1, 0])).tolist()


@pytest.mark.parametrize(("call"), [pytest.param(call, id=name) for name, call in {**REFUSED, **REFUSED_INT64}.items()])
def test_pytorch_refuses(call):
    torch = pytest.importorskip("torch")
    with pytest.raises((IndexError, RuntimeError), match=r"out of|not in the valid range|idx to be -1|non-negative|invalid max"):
        call(torch, torch.nn.functional, torch.tensor([-1, 0]))


@pytest.mark.parametrize("loss", ["nll_loss", "cross_entropy"])
@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_class_numbers_of_small_dtypes(loss, dtype):
    """As PyTorch takes them."""
    function, scores = getattr(CF, loss), table(ct).log_softmax(1)
    target = ct.tensor([3, 0, 2], dtype=getattr(ct, dtype))
    assert function(scores, target, ignore_index=0).item() == pytest.approx(function(scores, target.long(), ignore_index=0).item())
    assert function(scores, target).item() == pytest.approx(function(scores, target.long()).item())
    if dtype != "uint8":
        with pytest.raises(IndexError, match="Target -1 is out of bounds; it must be at least 0 and less than 4"):
            function(scores, ct.tensor([3, -1, 2], dtype=getattr(ct, dtype))).item()
        ignoring = ct.tensor([3, -100, 2], dtype=getattr(ct, dtype))
        assert function(scores, ignoring).item() == pytest.approx(function(scores, target, ignore_index=0).item())


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8"])
def test_labels_of_ctc_loss(dtype):
    scores = table(ct).log_softmax(1).unsqueeze(1)
    labels = ct.tensor([[1, -1]], dtype=getattr(ct, dtype))
    assert CF.ctc_loss(scores, labels, (3,), (1,)).item() > 0  # what is behind the end has no meaning
    with pytest.raises(IndexError, match="index -1 is out of bounds"):
        CF.ctc_loss(scores, labels, (3,), (2,)).item()
