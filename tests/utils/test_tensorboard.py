"""utils.tensorboard: what is written is read back with TensorBoard's own reader and compared with known values; and with PyTorch's
writer, message by message, where that is installed."""

import io
import os
import subprocess
import sys
import wave

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
from tensorboard.util.tensor_util import make_ndarray

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import ArgumentError, ArgumentTypeError, MissingPackageError, ShapeError
from cltensor.utils.tensorboard import FileWriter, RecordWriter, SummaryWriter

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def read(folder):
    """All that was logged in a folder."""
    found = EventAccumulator(str(folder), size_guidance=dict.fromkeys(
        ("scalars", "images", "audio", "histograms", "tensors", "compressedHistograms"), 0))
    found.Reload()
    return found


@pytest.fixture
def log(tmp_path):
    """A function of a function that logs; gives what was read back."""
    def logged(fill):
        with SummaryWriter(tmp_path / "run") as writer:
            fill(writer)
        return read(tmp_path / "run")

    return logged


def pixels(found, tag):
    return np.array(Image.open(io.BytesIO(found.Images(tag)[-1].encoded_image_string)))


def test_scalars(log):
    def fill(w):
        for step in range(3):
            w.add_scalar("loss", ct.tensor([0.5 / (step + 1)]), step, walltime=100.0 + step)
        w.add_scalar("new", 0.1, 1, new_style=True)
        w.add_scalar("double", 0.1, 1, new_style=True, double_precision=True)

    found = log(fill)
    assert [(e.step, e.value, e.wall_time) for e in found.Scalars("loss")] == [
        (0, 0.5, 100.0), (1, 0.25, 101.0), (2, pytest.approx(0.5 / 3), 102.0)]
    assert make_ndarray(found.Tensors("new")[0].tensor_proto) == np.float32(0.1)
    assert make_ndarray(found.Tensors("double")[0].tensor_proto) == 0.1


def test_scalars_together(tmp_path, log):
    log(lambda w: w.add_scalars("a/b", {"x": 1.0, "y": ct.tensor(2.0)}, 7))
    for name, value in (("x", 1.0), ("y", 2.0)):
        assert [(e.step, e.value) for e in read(tmp_path / "run" / f"a_b_{name}").Scalars("a/b")] == [(7, value)]


def test_histograms(log):
    values = np.random.default_rng(0).standard_normal(500)

    def fill(w):
        w.add_histogram("default", ct.tensor(values), 1)
        w.add_histogram("bins", values, 1, bins=[-10, 0, 1, 10])
        w.add_histogram("few", values, 1, bins=100, max_bins=10)
        w.add_histogram_raw("raw", 0, 2, 3, 3, 5, [0, 1, 2], [1, 1, 1], 1)

    found = log(fill)
    h = found.Histograms("default")[0].histogram_value
    assert (h.min, h.max, h.num) == (values.min(), values.max(), 500)
    assert h.sum == pytest.approx(values.sum())
    assert h.sum_squares == pytest.approx((values**2).sum())
    assert sum(h.bucket) == 500
    limits = np.array(h.bucket_limit)
    for low, high, count in zip(limits, limits[1:], h.bucket[1:], strict=False):
        assert count == ((values >= low) & (values < high)).sum()
    bins = found.Histograms("bins")[0].histogram_value
    assert list(bins.bucket_limit) == [-10, 0, 1, 10]
    assert list(bins.bucket) == [0, (values < 0).sum(), ((values >= 0) & (values < 1)).sum(), (values >= 1).sum()]
    assert len(found.Histograms("few")[0].histogram_value.bucket) <= 11
    assert sum(found.Histograms("few")[0].histogram_value.bucket) == 500
    assert list(found.Histograms("raw")[0].histogram_value.bucket_limit) == [0, 1, 2]


def test_pictures(log):
    rng = np.random.default_rng(0)
    bytes_, unit = rng.integers(0, 256, (3, 4, 5), dtype=np.uint8), rng.random((2, 1, 4, 5))

    def fill(w):
        w.add_image("bytes", ct.tensor(bytes_), 1)
        w.add_image("hwc", bytes_.transpose(1, 2, 0), 1, dataformats="HWC")
        w.add_image("hw", unit[0, 0], 1, dataformats="HW")
        w.add_images("two", unit, 1)
        w.add_image_with_boxes("boxes", np.zeros((3, 30, 40)), [[5, 6, 20, 25]], 1)
        w.add_image_with_boxes("named", np.zeros((3, 30, 40)), ct.tensor([[5, 6, 20, 25]]), 1, rescale=2, labels="cat")

    found = log(fill)
    np.testing.assert_array_equal(pixels(found, "bytes"), bytes_.transpose(1, 2, 0))
    np.testing.assert_array_equal(pixels(found, "hwc"), bytes_.transpose(1, 2, 0))
    gray = (unit.astype(np.float32) * 255).astype(np.uint8)
    np.testing.assert_array_equal(pixels(found, "hw")[..., 1], gray[0, 0])
    np.testing.assert_array_equal(pixels(found, "two")[..., 0], np.concatenate([gray[0, 0], gray[1, 0]], axis=1))
    red = pixels(found, "boxes")[..., 0]
    assert red[6:26, 5].tolist() == [255] * 20
    assert red[10, 12] == 0
    assert pixels(found, "named").shape == (60, 80, 3)
    assert (found.Images("bytes")[0].width, found.Images("bytes")[0].height) == (5, 4)


def test_figures(log):
    from matplotlib import pyplot

    figures = [pyplot.figure(figsize=(1, 0.5), dpi=50, facecolor=color) for color in ("red", "blue")]

    def fill(w):
        w.add_figure("one", figures[0], 1, close=False)
        w.add_figure("both", figures, 1)

    found = log(fill)
    assert pixels(found, "one").shape == (25, 50, 3)
    both = pixels(found, "both")
    assert both.shape == (25, 100, 3)
    assert both[0, 0].tolist() == [255, 0, 0]
    assert both[0, 99].tolist() == [0, 0, 255]
    assert not pyplot.get_fignums()


def test_videos(log):
    frames = np.zeros((3, 4, 1, 6, 8))
    frames += np.linspace(0, 1, 4).reshape(1, 4, 1, 1, 1)
    found = log(lambda w: w.add_video("film", ct.tensor(frames).float(), 1, fps=10))
    film = Image.open(io.BytesIO(found.Images("film")[0].encoded_image_string))
    assert film.size == (16, 12)
    assert film.info["duration"] == 100
    shown = []
    for i in range(film.n_frames):
        film.seek(i)
        shown.append(film.convert("RGB").getpixel((0, 0))[0])
    np.testing.assert_allclose(shown, [0, 85, 170, 255], atol=2)


def test_sound(log):
    wavy = np.sin(np.linspace(0, 20, 200)) * 1.2
    found = log(lambda w: w.add_audio("tone", ct.tensor(wavy).float().unsqueeze(0), 2, sample_rate=8000)).Audio("tone")[0]
    with wave.open(io.BytesIO(found.encoded_audio_string)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8000)
        samples = np.frombuffer(sound.readframes(1000), "<i2")
    np.testing.assert_allclose(samples / 32767, np.clip(wavy, -1, 1), atol=1e-4)
    assert (found.sample_rate, found.length_frames) == (8000, 200)


def test_text_and_tensors(log):
    values = [np.arange(6, dtype=np.int64).reshape(2, 3), np.array([1.5, 2], np.float16), np.array([True]),
              np.array([1 + 2j], np.complex64), np.array([200], np.uint8)]

    def fill(w):
        w.add_text("note", "**hello**", 3)
        for i, v in enumerate(values):
            w.add_tensor(f"t{i}", v, 1)
        w.add_tensor("bf16", ct.ones(2, dtype=ct.bfloat16), 1)

    found = log(fill)
    assert make_ndarray(found.Tensors("note/text_summary")[0].tensor_proto).tolist() == [b"**hello**"]
    for i, v in enumerate(values):
        read_back = make_ndarray(found.Tensors(f"t{i}")[0].tensor_proto)
        np.testing.assert_array_equal(read_back, v)
        assert read_back.dtype == v.dtype
    assert make_ndarray(found.Tensors("bf16")[0].tensor_proto).tolist() == [1, 1]


def test_precision_and_recall(log):
    from sklearn.metrics import precision_score, recall_score

    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 50), rng.random(50)
    found = log(lambda w: w.add_pr_curve("pr", ct.tensor(labels), ct.tensor(scores), 1, num_thresholds=5))
    rows = make_ndarray(found.Tensors("pr")[0].tensor_proto)
    assert rows.shape == (6, 5)
    for i, threshold in enumerate((0, 0.25, 0.5, 0.75)):
        taken = scores >= threshold
        assert rows[0, i] == (labels[taken] == 1).sum()
        assert rows[1, i] == (labels[taken] == 0).sum()
        assert rows[:4, i].sum() == 50
        assert rows[4, i] == pytest.approx(precision_score(labels, taken))
        assert rows[5, i] == pytest.approx(recall_score(labels, taken))


def test_custom_charts(log):
    layout = {"losses": {"both": ["Multiline", ["a", "b"]], "band": ["Margin", ["v", "low", "high"]]}}
    found = log(lambda w: w.add_custom_scalars(layout))
    made = Layout.FromString(make_ndarray(found.Tensors("custom_scalars__config__")[0].tensor_proto).item())
    both, band = made.category[0].chart
    assert (made.category[0].title, both.title, list(both.multiline.tag)) == ("losses", "both", ["a", "b"])
    series = band.margin.series[0]
    assert (series.value, series.lower, series.upper) == ("v", "low", "high")


def test_meshes(log):
    points = np.random.default_rng(0).random((1, 4, 3)).astype(np.float32)
    found = log(lambda w: w.add_mesh("m", ct.tensor(points), faces=np.array([[[0, 1, 2]]]), config_dict={"a": 1}, global_step=1))
    np.testing.assert_array_equal(make_ndarray(found.Tensors("m_VERTEX")[0].tensor_proto), points)
    assert make_ndarray(found.Tensors("m_FACE")[0].tensor_proto).tolist() == [[[0, 1, 2]]]
    data = MeshPluginData.FromString(found.SummaryMetadata("m_FACE").plugin_data.content)
    assert (data.name, data.content_type, list(data.shape), data.components) == ("m", MeshPluginData.FACE, [1, 1, 3], 0b110)


def test_hyperparameters(tmp_path, log):
    log(lambda w: w.add_hparams({"lr": 0.1, "name": "x", "on": True, "none": None}, {"acc": ct.tensor(0.5)},
                                hparam_domain_discrete={"lr": [0.1, 0.2]}, run_name="first"))
    found = read(tmp_path / "run" / "first")
    assert found.Scalars("acc")[0].value == 0.5
    start = HParamsPluginData.FromString(found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
    given = start.session_start_info.hparams
    assert (given["lr"].number_value, given["name"].string_value, given["on"].bool_value) == (0.1, "x", True)
    head = HParamsPluginData.FromString(found.SummaryMetadata("_hparams_/experiment").plugin_data.content).experiment
    assert [i.name for i in head.hparam_infos] == ["lr", "name", "on"]
    assert [v.number_value for v in head.hparam_infos[0].domain_discrete.values] == [0.1, 0.2]
    assert head.metric_infos[0].name.tag == "acc"


def test_embeddings(tmp_path, log):
    points, faces = np.arange(8.0).reshape(4, 2), np.random.default_rng(0).random((4, 3, 5, 5))

    def fill(w):
        w.add_embedding(ct.tensor(points), ["a", "b", "c", "d"], faces, 2, "first")
        w.add_embedding(points, [["a", 1]] * 4, tag="second", metadata_header=["name", "n"])

    log(fill)
    run = tmp_path / "run"
    np.testing.assert_array_equal(np.loadtxt(run / "00002/first/tensors.tsv"), points)
    assert (run / "00002/first/metadata.tsv").read_text().split() == ["a", "b", "c", "d"]
    assert (run / "00000/second/metadata.tsv").read_text().splitlines()[:2] == ["name\tn", "a\t1"]
    sheet = np.array(Image.open(run / "00002/first/sprite.png"))
    np.testing.assert_array_equal(sheet[5:, 5:], (faces[3].astype(np.float32) * 255).astype(np.uint8).transpose(1, 2, 0))
    config = (run / "projector_config.pbtxt").read_text()
    assert config.count("embeddings {") == 2
    assert 'tensor_name: "first:00002"' in config
    assert "single_image_dim: 5" in config


def test_graphs(log, capsys):
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.Linear(3, 1))
    found = log(lambda w: w.add_graph(model, ct.zeros(4, 2), verbose=True))
    graph = GraphDef.FromString(found.Graph().SerializeToString())
    nodes = {n.name: n for n in graph.node}
    assert list(nodes["Sequential/0/0/linear"].input) == ["input/0", "Sequential/0/0/weight", "Sequential/0/0/bias"]
    assert list(nodes["Sequential/0/1/relu"].input) == ["Sequential/0/0/linear"]
    assert list(nodes["output/0"].input) == ["Sequential/1/linear"]
    shape = nodes["Sequential/1/linear"].attr["_output_shapes"].list.shape[0]
    assert [d.size for d in shape.dim] == [4, 1]
    assert all(i in nodes for n in graph.node for i in n.input)
    assert "Sequential/0/1/relu" in capsys.readouterr().out


def test_purge_step_hides_what_comes_after(tmp_path):
    with SummaryWriter(tmp_path) as w:
        for step in range(4):
            w.add_scalar("x", float(step), step)
    with SummaryWriter(tmp_path, purge_step=2, filename_suffix=".later") as w:
        w.add_scalar("x", 20.0, 2)
    assert [e.value for e in read(tmp_path).Scalars("x")] == [0, 1, 20]


def test_the_writer_goes_on_after_close(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    w = SummaryWriter(comment="_note")
    assert w.get_logdir().startswith("runs")
    assert w.get_logdir().endswith("_note")
    w.add_scalar("x", 1.0, 1)
    w.flush()
    assert read(w.get_logdir()).Scalars("x")[0].value == 1
    w.close()
    w.add_scalar("x", 2.0, 2)
    w.close()
    assert [e.value for e in read(w.get_logdir()).Scalars("x")] == [1, 2]


def test_the_file_writer(tmp_path):
    w = FileWriter(tmp_path)
    w.add_event(Event(step=3), walltime=5.0)
    w.flush()
    w.close()
    w.reopen()
    w.close()
    assert w.get_logdir() == str(tmp_path)
    assert len(list(tmp_path.iterdir())) >= 1
    assert RecordWriter.__name__ == "RecordWriter"


@pytest.mark.parametrize(("call", "error", "says"), [
    (lambda w: w.add_scalar("a", [1.0, 2.0]), AssertionError, "expected one number"),
    (lambda w: w.add_scalar("a", "x"), ArgumentTypeError, "expected a tensor"),
    (lambda w: w.add_histogram("a", []), ValueError, "no element"),
    (lambda w: w.add_histogram("a", [float("nan"), 1.0]), ValueError, "1 of 2 values are NaN"),
    (lambda w: w.add_histogram("a", [5.0], bins=[0, 1]), ValueError, "no value lies within"),
    (lambda w: w.add_histogram_raw("a", 0, 1, 1, 1, 1, [0, 1], [1]), ArgumentError, "as many bucket_limits"),
    (lambda w: w.add_image("a", np.zeros((2, 3))), AssertionError, "dataformats='CHW' does not name"),
    (lambda w: w.add_image("a", np.zeros((2, 3, 4))), ShapeError, "1, 3 or 4 channels"),
    (lambda w: w.add_image_with_boxes("a", np.zeros((3, 9, 9)), [[0, 0, 3, 3]], labels=["a", "b"]), ArgumentError,
     "a label for each"),
    (lambda w: w.add_figure("a", []), ArgumentError, "expected a figure"),
    (lambda w: w.add_video("a", np.zeros((1, 2, 3, 4))), ShapeError, "add_video"),
    (lambda w: w.add_video("a", np.zeros((1, 0, 3, 4, 4))), ShapeError, "nothing to show"),
    (lambda w: w.add_audio("a", np.zeros((2, 9))), AssertionError, "one channel"),
    (lambda w: w.add_text("a", 3), ArgumentTypeError, "expected a str"),
    (lambda w: w.add_pr_curve("a", np.zeros(3), np.zeros(2)), ValueError, "a prediction for each of the 3"),
    (lambda w: w.add_pr_curve("a", np.zeros(2), np.array([0.0, 2.0])), ArgumentError, "must lie in"),
    (lambda w: w.add_custom_scalars_marginchart(["a"]), ArgumentError, "three tags"),
    (lambda w: w.add_custom_scalars({"a": {"b": ["Pie", ["x"]]}}), ArgumentError, "'Multiline' or 'Margin'"),
    (lambda w: w.add_mesh("a", np.zeros((4, 3))), ValueError, "vertex must be of shape"),
    (lambda w: w.add_hparams([], {}), TypeError, "should be dictionaries"),
    (lambda w: w.add_hparams({"a": [1]}, {}), ValueError, "should be an int"),
    (lambda w: w.add_hparams({"a": 1}, {}, {"b": [1]}), ArgumentError, "not in hparam_dict"),
    (lambda w: w.add_hparams({"a": 1}, {}, {"a": ["x"]}), TypeError, "of the type in hparam_dict"),
    (lambda w: w.add_embedding(np.zeros(3)), ShapeError, "mat must be"),
    (lambda w: w.add_embedding(np.eye(3), ["a"]), AssertionError, "for each of the 3 points"),
    (lambda w: w.add_embedding(np.eye(3), label_img=np.zeros((2, 3, 4, 4))), ShapeError, "label_img must be"),
    (lambda w: w.add_embedding(np.eye(2), [["a"], ["b"]], metadata_header=["x", "y"]), ArgumentError, "2 entries in each row"),
    (lambda w: w.add_embedding(np.eye(2), label_img=np.zeros((2, 1, 4, 5000), np.uint8)), ArgumentError, "does not show"),
    (lambda w: w.add_graph(nn.Linear(2, 2)), ArgumentError, "got neither"),
])
def test_errors(tmp_path, call, error, says):
    with SummaryWriter(tmp_path) as w, pytest.raises(error, match=says):
        call(w)


def test_without_the_package(tmp_path):
    program = ("import sys; sys.modules['tensorboard'] = None\n"
               "from cltensor.utils.tensorboard import SummaryWriter\n"
               "try: SummaryWriter('x')\n"
               "except ImportError as e: print(type(e).__name__, e)")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=120,
                         env={**os.environ, "PYTHONPATH": ":".join(sys.path)})
    assert run.stdout.startswith("MissingPackageError SummaryWriter: needs the package tensorboard"), run.stdout + run.stderr
    assert "pip install 'cltensor[tensorboard]'" in run.stdout
    assert issubclass(MissingPackageError, ImportError)


def test_messages_are_pytorchs(tmp_path):
    """The same calls on both writers give the same messages."""
    torch = pytest.importorskip("torch")
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from torch.utils.tensorboard import SummaryWriter as Theirs

    rng = np.random.default_rng(0)
    values, picture = rng.standard_normal(100), rng.random((3, 9, 11))

    def fill(w):
        w.add_scalar("s", 1.5, 3)
        w.add_scalar("d", 0.1, 3, new_style=True, double_precision=True)
        w.add_histogram("h", values, 1)
        w.add_histogram("hb", values, 1, bins=7, max_bins=3)
        w.add_image("i", picture, 1)
        w.add_images("is", rng.random((10, 1, 4, 5)), 1)
        w.add_image_with_boxes("b", picture, np.array([[1, 2, 7, 6]]), 1)
        w.add_text("t", "words", 1)
        w.add_audio("a", np.linspace(-1, 1, 50)[None], 1, 8000)
        w.add_pr_curve("pr", values > 0, np.abs(values) / 4, 1, num_thresholds=9, weights=rng.random(100))
        w.add_custom_scalars({"c": {"m": ["Margin", ["x", "y", "z"]], "l": ["Multiline", ["x"]]}})
        w.add_mesh("mesh", torch.tensor(rng.random((1, 4, 3))).float(), config_dict={"k": 1}, global_step=1)
        w.close()

    found = []
    for kind in (Theirs, SummaryWriter):
        rng = np.random.default_rng(1)
        folder = tmp_path / kind.__module__
        fill(kind(str(folder)))
        events = [Event.FromString(raw) for path in folder.iterdir() for raw in RawEventFileLoader(str(path)).Load()]
        found.append([(e.step, e.summary) for e in events if e.HasField("summary")])
    for (step, a), (other, b) in zip(*found, strict=True):
        assert step == other
        assert str(a) == str(b)
