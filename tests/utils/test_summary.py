"""utils.summary: counts against those worked out by hand and recorded from torchinfo, trees, models of every build."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import ArgumentError, ArgumentTypeError, ShapeError
from cltensor.utils import summary

pytestmark = [pytest.mark.device, pytest.mark.any_style]


class Residual(nn.Module):
    """Layers in a list, one called twice, one never."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.blocks = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)])
        self.unused = nn.Linear(3, 5)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.blocks[0](self.blocks[0](x))
        return self.head(self.blocks[1](x).mean((2, 3)))


def by_name(found):
    return {info.name: info for info in found.summary_list if not info.recursive}


def test_counts_by_hand():
    found = summary(Residual(), (2, 3, 8, 8))
    layers = by_name(found)
    assert layers["stem"].mult_adds == 2 * 64 * 4 * 3 * 9
    assert layers["blocks.0"].mult_adds == 2 * 64 * 4 * 4 * 9
    assert layers["head"].mult_adds == 2 * 4 * 2
    assert found.total_mult_adds == layers["stem"].mult_adds + 2 * layers["blocks.0"].mult_adds + layers["head"].mult_adds
    assert found.total_params == found.trainable_params == 108 + 148 + 8 + 20 + 10
    assert found.total_param_bytes == 4 * found.total_params
    assert found.total_input == 2 * 3 * 64 * 4
    assert found.input_size == ((2, 3, 8, 8),)
    assert found.total_flops > 2 * found.total_mult_adds
    assert found.on_meta
    outputs = sum(np.prod(i.output_size) for i in found.summary_list if not i.children and not i.unused)
    assert found.total_output_bytes == 2 * 4 * outputs


def test_the_tree():
    found = summary(Residual(), (2, 3, 8, 8))
    assert [(i.name, i.recursive, i.unused) for i in found.summary_list[1:]] == [
        ("stem", False, False), ("blocks.0", False, False), ("blocks.0", True, False), ("blocks.1", False, False),
        ("head", False, False), ("unused", False, True)]
    text = str(found)
    assert "Conv2d (blocks.0): 1-2" in text
    assert "(recursive)" in text
    assert "20 (unused)" in text
    assert f"Total mult-adds (kilo): {found.total_mult_adds / 1e3:.2f}" in text


def test_nothing_changes():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    before = {k: v.numpy() for k, v in model.state_dict().items()}
    ct.manual_seed(5)
    summary(model, (3, 4))
    summary(model, (3, 4), mode="eval")
    assert model.training
    assert all(m.training for m in model.modules())
    assert ct.initial_seed() == 5
    drawn = ct.rand(2).tolist()
    ct.manual_seed(5)
    assert drawn == ct.rand(2).tolist()
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    assert not any(m._is_hooked() for m in model.modules())


class LooksAtValues(nn.Module):
    """Needs values, draws random numbers and counts in a buffer."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        x = self.norm(x) + ct.rand(3, device=x.device)
        return self.linear(x) if x.sum().item() > -1e9 else x


def test_a_model_that_looks_at_values_runs_and_is_put_back():
    model = LooksAtValues()
    ct.manual_seed(5)
    found = summary(model, (4, 3))
    assert not found.on_meta
    assert found.total_mult_adds == 4 * 3 * 2
    assert model.norm.running_mean.tolist() == [0.0] * 3
    assert model.norm.num_batches_tracked.item() == 0
    drawn = ct.rand(1).item()
    ct.manual_seed(5)
    assert drawn == ct.rand(1).item()


class ManyInputs(nn.Module):
    """Several inputs, a dict, a keyword, and a dict as its result."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 4)
        self.lstm = nn.LSTM(4, 6, 2, batch_first=True)

    def forward(self, batch, scale=None):
        y, (h, c) = self.lstm(self.embedding(batch["ids"]))
        return {"y": y if scale is None else y * scale, "state": (h, c)}


def test_dicts_keywords_and_recurrent_layers():
    ids = ct.zeros(2, 5, dtype=ct.int64)
    found = summary(ManyInputs(), input_data=[{"ids": ids}], scale=ct.ones(6))
    layers = by_name(found)
    assert layers["lstm"].mult_adds == 2 * 5 * (4 * 6 * (4 + 6) + 4 * 6 * (6 + 6))
    assert layers["lstm"].output_sizes == [(2, 5, 6), (2, 2, 6), (2, 2, 6)]
    assert layers[""].output_sizes == [(2, 5, 6), (2, 2, 6), (2, 2, 6)]
    by_word = summary(ManyInputs(), input_data={"batch": {"ids": ids}})
    assert by_word.total_mult_adds == found.total_mult_adds


def test_sizes_dtypes_and_the_batch():
    assert summary(nn.Bilinear(3, 4, 2), [(5, 3), (5, 4)]).input_size == ((5, 3), (5, 4))
    assert summary(nn.Linear(3, 2), (3,), batch_dim=0).input_size == ((1, 3),)
    assert summary(nn.Linear(3, 2), {"input": (7, 3)}).input_size == ((7, 3),)
    assert summary(nn.Embedding(9, 2), (4,), dtypes=[ct.int64]).summary_list[0].output_size == (4, 2)


def test_attention_counts_its_products():
    """An encoder layer of width 16 over 5 positions, two of a batch: projections, scores and values, two linear layers."""
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    products = 2 * 5 * (4 * 16 * 16 + 2 * 16 * 32) + 2 * 2 * 5 * 5 * 16
    for mode in ("train", "eval"):
        found = summary(layer, (2, 5, 16), mode=mode)
        assert found.total_mult_adds == products
        assert not any(i.unused for i in found.summary_list)
    assert by_name(found)["self_attn"].own_params == 4 * (16 * 16 + 16)


@pytest.mark.parametrize("size", [(2, 3, 16, 16)])
def test_parameters_as_torchinfo_counts_them(size):
    """Recorded from torchinfo 1.8, which counts biases as well; here there are none."""
    model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, groups=2, bias=False),
                          nn.Flatten(), nn.Linear(576, 10, bias=False))
    model[4].weight.requires_grad_(False)
    found = summary(model, size)
    assert (found.total_params, found.trainable_params, found.total_mult_adds) == (6552, 792, 137664)
    assert "(5,760)" in str(found)


def test_transposed_convolution_counts_each_tap_once():
    found = summary(nn.ConvTranspose2d(3, 4, 3, stride=2, bias=False), (1, 3, 5, 5))
    assert found.total_mult_adds == 25 * 3 * 4 * 9


def test_an_activated_product_counts_as_the_plain_one():
    from cltensor.graph.recorder import GraphRecorder
    from cltensor.graph.work import flops

    x, model = ct.zeros(4, 3, device="meta"), nn.Sequential(nn.Linear(3, 2), nn.ReLU()).to("meta")
    with GraphRecorder([x]) as recorder, ct.no_grad():
        model(x)
    node, = recorder.nodes
    specs = [o.spec for o in node.operands], [r.use.spec for r in node.results]
    assert node.op.name == "linear_activated"
    assert node.op.multiply_adds(*specs, node.attrs) == 4 * 3 * 2
    assert flops(node) > 2 * 4 * 3 * 2


def test_shared_parameters_count_once():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    assert summary(model, (1, 4)).total_params == 16 + 4 + 4


def test_only_parameters_without_input():
    found = summary(nn.Sequential(nn.Linear(2, 3), nn.LazyLinear(4)))
    assert found.total_params == 9
    assert found.total_mult_adds == 0
    assert "Total mult-adds" not in str(found)


def test_a_lazy_model_gets_its_parameters():
    found = summary(nn.Sequential(nn.Linear(2, 3), nn.LazyLinear(4)), (1, 2))
    assert found.total_params == 9 + 16


def test_columns_and_rows(capsys):
    summary(nn.Sequential(nn.Conv2d(3, 4, (3, 5)), nn.ReLU()), (1, 3, 8, 8), verbose=1, depth=1, row_settings=["ascii_only"],
            col_names=["kernel_size", "input_size", "output_size", "num_params", "params_percent", "mult_adds", "trainable"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split("  ")[0] == "Layer (type)"
    row = next(line for line in lines if "Conv2d" in line)
    assert row.split() == ["+", "Conv2d", "[3,", "5]", "[1,", "3,", "8,", "8]", "[1,", "4,", "6,", "4]", "184", "100.00", "%",
                           "4,320", "True"]
    assert "Conv2d" not in str(summary(nn.Sequential(nn.Conv2d(3, 4, 3)), (1, 3, 8, 8), depth=0))


def test_control_flow_counts_its_regions():
    class Chooses(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 3)

        def forward(self, x):
            return ct.cond(x.sum() > 0, lambda t: t @ t.T, lambda t: t @ t.T + 1, (self.linear(x),))

    found = summary(Chooses(), (2, 3))
    assert found.total_mult_adds == 2 * 3 * 3 + 2 * (2 * 2 * 3)  # both branches, each once


@pytest.mark.parametrize(("arguments", "words", "error", "says"), [
    ((3, (1, 2)), {}, ArgumentTypeError, "expected a Module, got int"),
    ((nn.ReLU(), (1, 2)), {"mode": "fast"}, ArgumentError, "mode must be"),
    ((nn.ReLU(), (1, 2)), {"depth": -1}, ArgumentError, "depth must be at least 0"),
    ((nn.ReLU(), (1, 2)), {"col_names": ["size"]}, ArgumentError, "col_names knows no 'size'"),
    ((nn.ReLU(), (1, 2)), {"row_settings": ["bold"]}, ArgumentError, "row_settings knows no 'bold'"),
    ((nn.ReLU(), (1, 2)), {"input_data": 3}, ArgumentError, "either input_size or input_data, got both"),
    ((nn.ReLU(), (1, -2)), {}, ArgumentError, "input_size must hold sizes"),
    ((nn.ReLU(), 5), {}, ArgumentError, "input_size must hold sizes"),
    ((nn.ReLU(), (1, 2)), {"dtypes": []}, ArgumentError, "a dtype for each of the 1 inputs"),
])
def test_errors(arguments, words, error, says):
    with pytest.raises(error, match=says):
        summary(*arguments, **words)


def test_an_error_of_the_model_is_its_own():
    model = nn.Linear(3, 2)
    with pytest.raises(ShapeError, match="linear"):
        summary(model, (1, 4))
    assert not model._is_hooked()
