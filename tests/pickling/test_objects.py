"""What a program may hold in a Module, or send to a worker: each is copied and pickled whole, or refused with one clear error."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import cltensor as ct
from cltensor import amp, distributions, nn, optim, train
from cltensor.optim import lr_scheduler, swa_utils
from cltensor.utils import data
from cltensor.vision.transforms import v2
from import_time import needs_device
from public_names import members

pytestmark = pytest.mark.device

needs_device()

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def alike(a, b, seen=None):
    """Whether two objects are of one type and hold the same."""
    seen = set() if seen is None else seen
    if a is b or (id(a), id(b)) in seen:
        return True
    seen.add((id(a), id(b)))
    if type(a) is not type(b):
        return False
    if isinstance(a, ct.Tensor):
        return (isinstance(a, nn.parameter.UninitializedTensorMixin) or
                (a.dtype, a.requires_grad, a.tolist()) == (b.dtype, b.requires_grad, b.tolist()))
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(value, b[key], seen) for key, value in a.items())
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(alike(x, y, seen) for x, y in zip(a, b, strict=True))
    if isinstance(a, ct.Generator):
        return a.get_state().tolist() == b.get_state().tolist()
    if hasattr(a, "__dict__"):
        return alike(*({key: value for key, value in vars(x).items() if key != "_inv"} for x in (a, b)), seen)
    return a == b or not hasattr(a, "__eq__") or type(a).__eq__ is object.__eq__


def check(made):
    """Hold an object to be what all ways of copying it give."""
    for again in (copy.copy(made), copy.deepcopy(made), *(pickle.loads(pickle.dumps(made, p)) for p in PROTOCOLS)):
        assert alike(made, again)


def weights():
    return [nn.Parameter(ct.ones(2, 2))]


def halved(x):
    """A function of a module."""
    return x / 2


# --- modules ---------------------------------------------------------------------------------------------------------

OTHERS = {"output_size": 2, "upscale_factor": 2, "downscale_factor": 2, "cutoffs": [2], "mode": "GRU", "lower": 0.1,
          "unflattened_size": (2, 2), "encoder_layer": nn.TransformerEncoderLayer(4, 2, 8),
          "decoder_layer": nn.TransformerDecoderLayer(4, 2, 8), "module": nn.Linear(2, 2), "num_layers": 1}
GIVEN = {"RNN": (2, 3), "LSTM": (2, 3), "GRU": (2, 3), "FractionalMaxPool2d": (2, 1), "FractionalMaxPool3d": (2, 1),
         "Transformer": (4, 2, 1, 1, 8)}
MODULES = {name: cls for name, cls in members("nn").items() if isinstance(cls, type) and issubclass(cls, nn.Module)}


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")
@pytest.mark.parametrize("name", MODULES)
def test_layers(name):
    needed = [p.name for p in inspect.signature(MODULES[name]).parameters.values()
              if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    check(MODULES[name](*GIVEN[name]) if name in GIVEN else MODULES[name](**{n: OTHERS.get(n, 4) for n in needed}))


@pytest.mark.parametrize("activation", [ct.relu, nn.functional.gelu, ct.nn.functional.silu, ct.Tensor.tanh])
def test_a_layer_with_a_function_as_its_activation(activation):
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, activation=activation, batch_first=True, dropout=0.0), 2)
    check(model)
    x = ct.randn(2, 3, 4)
    assert pickle.loads(pickle.dumps(model.eval()))(x).tolist() == model(x).tolist()


@pytest.mark.filterwarnings("ignore:.*weight_norm is deprecated:FutureWarning", "ignore:.*is deprecated")
@pytest.mark.parametrize("change", [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm,
                                    nn.utils.parametrizations.orthogonal, nn.utils.spectral_norm])
def test_layers_with_computed_weights(change):
    made = change(nn.Linear(2, 2))
    again = pickle.loads(pickle.dumps(made)) if change is nn.utils.spectral_norm else copy.deepcopy(made)
    assert alike(dict(made.state_dict()), dict(again.state_dict()))


def test_parts_of_modules():
    weight = nn.Parameter(ct.ones(2))
    weight.label = "w"
    hooked = nn.Linear(2, 2)
    hooked.register_forward_hook(print)
    for made in (weight, nn.Buffer(ct.ones(2)), hooked, nn.utils.rnn.pack_sequence([ct.ones(2)]), swa_utils.AveragedModel(hooked)):
        check(made)
    assert pickle.loads(pickle.dumps(weight)).label == "w"


# --- tensors ---------------------------------------------------------------------------------------------------------


class Named(ct.Tensor):
    """A tensor of a user's class."""


def test_tensors_keep_class_strides_and_attributes():
    x = ct.arange(6.0).view(2, 3).t().as_subclass(Named)
    x.label = "rows"
    for protocol in PROTOCOLS:
        again = pickle.loads(pickle.dumps(x, protocol))
        assert (type(again), again.label, again.stride(), again.tolist()) == (Named, "rows", (1, 3), x.tolist())
    assert pickle.loads(pickle.dumps(x[:, ::2])).is_contiguous()  # with gaps, its elements alone are kept
    meta = pickle.loads(pickle.dumps(ct.empty(2, 3, device="meta").t()))
    assert (meta.is_meta, meta.stride()) == (True, (1, 3))


def test_a_tensor_with_a_history_is_pickled_as_a_leaf():
    y = ct.ones(2, requires_grad=True) * 2
    again = pickle.loads(pickle.dumps(y))
    assert (again.tolist(), again.requires_grad, again.is_leaf) == ([2, 2], True, True)
    with pytest.raises(ct.AutogradError, match="created explicitly by the user"):
        copy.deepcopy(y)


@pytest.mark.parametrize("made", [lambda: ct.ones(2).storage(), lambda: ct.ones(2).untyped_storage()], ids=["typed", "untyped"])
def test_storages(made):
    storage = made()
    for again in (copy.copy(storage), copy.deepcopy(storage), *(pickle.loads(pickle.dumps(storage, p)) for p in PROTOCOLS)):
        assert (type(again), again.tolist()) == (type(storage), storage.tolist())
        assert again.data_ptr() != storage.data_ptr()
    twice = copy.deepcopy([storage, storage])
    assert twice[0] is twice[1]


RESULTS = {"max": lambda: ct.ones(2, 2).max(0), "topk": lambda: ct.ones(2).topk(1), "qr": lambda: ct.linalg.qr(ct.eye(2)),
           "svd": lambda: ct.linalg.svd(ct.eye(2)), "frexp": lambda: ct.frexp(ct.ones(2)),
           "dense": lambda: ct.ones(2, 2).to_sparse().to_dense(), "Size": lambda: ct.Size([1, 2]),
           "finfo": lambda: ct.finfo(ct.float16), "device": lambda: ct.device("cpu"),
           "Generator": lambda: ct.Generator().manual_seed(3), "default_generator": lambda: ct.default_generator,
           "GradScaler": amp.GradScaler, "no_grad": ct.no_grad, "autocast": lambda: ct.autocast("opencl")}


@pytest.mark.parametrize("name", RESULTS)
def test_results_and_settings(name):
    check(RESULTS[name]())


# --- training --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n, v in members("optim").items() if isinstance(v, type)
                                  and n not in ("Optimizer", "LBFGS")])
def test_optimisers(name):
    optimizer = getattr(optim, name)(weights(), lr=0.1)
    if name != "SparseAdam":
        optimizer.param_groups[0]["params"][0].grad = ct.ones(2, 2)
        optimizer.step()
    for again in (copy.deepcopy(optimizer), *(pickle.loads(pickle.dumps(optimizer, p)) for p in PROTOCOLS)):
        assert alike(again.state_dict(), optimizer.state_dict())
        assert alike(again.param_groups, optimizer.param_groups)


SCHEDULES = {"LambdaLR": (halved,), "MultiplicativeLR": (halved,), "StepLR": (1,), "MultiStepLR": ([1],), "ExponentialLR": (0.1,),
             "CosineAnnealingLR": (3,), "CyclicLR": (0.1, 0.2), "OneCycleLR": (0.1, 10), "CosineAnnealingWarmRestarts": (3,)}


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step")
@pytest.mark.parametrize("name", [n for n, v in members("optim.lr_scheduler").items() if isinstance(v, type)
                                  and n not in ("LRScheduler", "SequentialLR", "ChainedScheduler")])
def test_schedules(name):
    made = getattr(lr_scheduler, name)(optim.SGD(weights(), lr=0.1, momentum=0.9), *SCHEDULES.get(name, ()))
    for again in (copy.deepcopy(made), *(pickle.loads(pickle.dumps(made, p)) for p in PROTOCOLS)):
        assert alike(again.state_dict(), made.state_dict())
        assert again.optimizer.param_groups[0]["lr"] == made.optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize("made", [train.Accuracy, train.MeanAbsoluteError, train.MeanSquaredError, train.EarlyStopping,
                                  train.ProgressBar, train.History, lambda: train.F1(3), lambda: train.Checkpoint("file")])
def test_metrics_and_callbacks(made):
    found = made()
    for again in (copy.deepcopy(found), *(pickle.loads(pickle.dumps(found, p)) for p in PROTOCOLS)):
        assert type(again) is type(found)


def test_results_of_the_array_api():
    found = ct.array_api.unique_all(ct.tensor([1, 1]))
    assert type(pickle.loads(pickle.dumps(found))) is type(found)


# --- distributions ---------------------------------------------------------------------------------------------------

ONES, HALF = ct.ones(2), ct.full((2,), 0.5)
OF = {"Bernoulli": (HALF,), "Binomial": (3, HALF), "Categorical": (HALF,), "ContinuousBernoulli": (HALF,), "Geometric": (HALF,),
      "LKJCholesky": (3, 1.0), "LowRankMultivariateNormal": (ONES, ct.ones(2, 1), ONES), "Multinomial": (3, HALF),
      "MultivariateNormal": (ONES, ct.eye(2)), "NegativeBinomial": (ONES, HALF), "OneHotCategorical": (HALF,),
      "OneHotCategoricalStraightThrough": (HALF,), "RelaxedBernoulli": (ct.ones(1), HALF), "Uniform": (ct.zeros(2), ONES),
      "RelaxedOneHotCategorical": (ct.ones(1), HALF), "Wishart": (ct.full((1,), 3.0), ct.eye(2)),
      "GeneralizedPareto": (ONES, ONES, ONES), "Independent": (distributions.Normal(ONES, ONES), 1),
      "MixtureSameFamily": (distributions.Categorical(HALF), distributions.Normal(ONES, ONES)),
      "TransformedDistribution": (distributions.Normal(ONES, ONES), [distributions.ExpTransform()])}
FAMILIES = [n for n, v in members("distributions").items() if isinstance(v, type) and issubclass(v, distributions.Distribution)
            and n not in ("Distribution", "ExponentialFamily")]


@pytest.mark.parametrize("name", FAMILIES)
def test_distributions(name):
    cls = getattr(distributions, name)
    needed = sum(p.default is p.empty for p in inspect.signature(cls).parameters.values())
    check(cls(*OF.get(name, (ONES,) * needed)))


MAPS = {"AffineTransform": (0.0, 2.0), "CatTransform": ([distributions.ExpTransform()],),
        "ComposeTransform": ([distributions.ExpTransform(), distributions.AffineTransform(0.0, 2.0)],),
        "CumulativeDistributionTransform": (distributions.Normal(0.0, 1.0),), "PowerTransform": (2.0,),
        "IndependentTransform": (distributions.ExpTransform(), 1), "ReshapeTransform": ((2,), (1, 2)),
        "StackTransform": ([distributions.ExpTransform()],)}


@pytest.mark.parametrize("name", [n for n, v in members("distributions.transforms").items() if n != "Transform"
                                  and isinstance(v, type)])
def test_maps_between_distributions(name):
    made = getattr(distributions.transforms, name)(*MAPS.get(name, ()))
    check(made)
    check(made.inv)


@pytest.mark.parametrize("name", distributions.constraints.__all__)
def test_constraints(name):
    found = getattr(distributions.constraints, name)
    if isinstance(found, distributions.constraints.Constraint):
        check(found)


# --- data ------------------------------------------------------------------------------------------------------------

NUMBERS = data.TensorDataset(ct.arange(4.0))


@pytest.mark.parametrize("made", [
    NUMBERS, data.Subset(NUMBERS, [0]), data.ConcatDataset([NUMBERS]), data.StackDataset(NUMBERS), data.SequentialSampler(NUMBERS),
    data.RandomSampler(NUMBERS, generator=ct.Generator()), data.WeightedRandomSampler([0.1, 0.2], 1),
    data.BatchSampler(data.SequentialSampler(NUMBERS), 1, False), data.DistributedSampler(NUMBERS, 1, 0),
    data.SubsetRandomSampler([0, 1]), data.DataLoader(NUMBERS), data.DataLoader(NUMBERS, shuffle=True, generator=ct.Generator())],
    ids=lambda made: type(made).__name__)
def test_datasets_samplers_and_loaders(made):
    check(made)


SETTINGS = {"size": 4, "transforms": [v2.Identity()], "degrees": 10, "kernel_size": 3, "mean": [0.5], "std": [0.5], "padding": 1,
            "lambd": abs, "bits": 3, "threshold": 0.5, "sharpness_factor": 2.0, "min_size": 4, "max_size": 5, "dtype": ct.float32,
            "transformation_matrix": ct.eye(3), "mean_vector": ct.zeros(3), "num_classes": 3, "format": "XYXY", "quality": 50,
            "target_size": (4, 4), "clamping_mode": "soft", "num_samples": 2, "value": 3}


@pytest.mark.parametrize("name", [n for n, v in members("vision.transforms.v2").items() if isinstance(v, type)
                                  and n not in ("Transform", "InterpolationMode", "AutoAugmentPolicy")])
@pytest.mark.filterwarnings("ignore:.*ToTensor")
def test_transforms(name):
    needed = [p.name for p in inspect.signature(getattr(v2, name)).parameters.values()
              if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    check(getattr(v2, name)(**{n: SETTINGS[n] for n in needed}))


# --- functions of the user's own -------------------------------------------------------------------------------------


@ct.elementwise
def swish(x, beta=1.0):
    """A kernel with a name."""
    return x * beta


half = ct.elementwise(halved)


class Cube(ct.autograd.Function):
    """x ** 3."""

    @staticmethod
    def forward(ctx, x):
        """See Function."""
        return x * x * x


@ct.compile
def compiled(x):
    """A compiled function with a name."""
    return x + 1


@pytest.mark.parametrize("named", [swish, compiled, Cube, Cube.apply], ids=["elementwise", "compiled", "Function", "apply"])
def test_functions_with_a_name(named):
    for again in (copy.copy(named), copy.deepcopy(named), *(pickle.loads(pickle.dumps(named, p)) for p in PROTOCOLS)):
        assert again is named or again == named


def test_a_kernel_of_a_function_with_another_name_is_made_again():
    for protocol in PROTOCOLS:
        again = pickle.loads(pickle.dumps(half, protocol))
        assert again(ct.tensor([4.0])).tolist() == [2.0]
    assert copy.deepcopy(half) is half


def test_a_kernel_of_a_local_function_is_refused():
    local = ct.elementwise(lambda x: x + 1)
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(local)
    assert copy.deepcopy([local])[0] is local


# --- what belongs to a process -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [ct.opencl.Stream, ct.opencl.Event, lambda: (ct.ones(1, requires_grad=True) * 2).grad_fn,
                                  lambda: ct.graph.Graph()], ids=["Stream", "Event", "node", "Graph"])
def test_what_belongs_to_this_process_is_refused(made):
    found = made()
    for again in (copy.copy, copy.deepcopy, *(lambda v, p=p: pickle.dumps(v, p) for p in PROTOCOLS)):
        with pytest.raises(ct.CLTensorError, match=r"cannot copy or pickle '(Stream|Event|MulBackward0|Graph)' object: it"):
            again(found)
