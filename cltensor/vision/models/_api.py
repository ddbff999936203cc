"""Published weights and the registry of models: Weights, WeightsEnum, register_model, list_models, get_model and their kin."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import inspect
import sys
import typing
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any, Protocol, TypeVar

from ...base.errors import ArgumentError, ArgumentTypeError
from ...nn import Module, init

M_co = TypeVar("M_co", bound=Module, covariant=True)
W_contra = TypeVar("W_contra", contravariant=True)

_BUILDERS: dict[str, Callable[..., Module]] = {}


@dataclass(eq=False)
class Weights:
    """Where a checkpoint lies (url), how its images are prepared (transforms, a function) and facts about it (meta).

    The tensors in it have the shapes and dtypes of the model's parameters.  Never raises.  Source: the format of torchvision 0.13.

        >>> from cltensor.vision.models import Weights
        >>> Weights("https://example.org/net.pth", transforms=None, meta={"num_params": 7}).meta["num_params"]
        7
    """

    url: str
    transforms: Callable
    meta: dict[str, Any]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Weights):
            return NotImplemented
        return (self.url, self.meta, _parts(self.transforms)) == (other.url, other.meta, _parts(other.transforms))

    __hash__ = None


def _parts(fn):
    """What tells one function from another; partials are made of parts."""
    return (fn.func, fn.args, fn.keywords) if isinstance(fn, functools.partial) else fn


class WeightsEnum(Enum):
    """The published weights of one model, each member a Weights; DEFAULT is the best of them.

    Its members have url, meta and transforms, and get_state_dict() downloads the tensors, whose shapes and dtypes are the model's.
    Raises ArgumentTypeError where another model's weights are given.  Source: the format of torchvision 0.13.

        >>> from cltensor.vision.models import ResNet18_Weights
        >>> ResNet18_Weights.DEFAULT
        ResNet18_Weights.IMAGENET1K_V1
    """

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """The member that obj is or names; None for None.  Raises ArgumentTypeError for anything else."""
        if obj is None or isinstance(obj, cls):
            return obj
        if isinstance(obj, str):
            return cls[obj.removeprefix(f"{cls.__name__}.")]
        given = type(obj).__name__ if isinstance(obj, Enum) else repr(obj)
        raise ArgumentTypeError(f"weights must be None, a member of {cls.__name__} or its name, but {given} was given; there are "
                                f"{', '.join(cls.__members__)}")

    def get_state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The tensors by name, from the cache or the network; arguments as cltensor.hub.load_state_dict_from_url after the url."""
        hub = importlib.import_module("...hub", __package__)
        return hub.load_state_dict_from_url(self.url, *args, **kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}"

    @property
    def url(self) -> str:
        """Where the checkpoint lies; its name ends in the first digits of its SHA-256."""
        return self.value.url

    @property
    def transforms(self) -> Callable:
        """A function that makes the preparation of an image: weights.transforms()(image)."""
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        """Facts: num_params, min_size, categories (the names of the classes in order) and others."""
        return self.value.meta


def register_model(name: str | None = None) -> Callable[[Callable[..., M_co]], Callable[..., M_co]]:
    """A decorator that enters a function making a model into the registry, under its name in lower case.

    Shapes and dtypes are the model's.  Raises ArgumentError where the name is taken.  Source: the registry of torchvision 0.14.

        >>> from cltensor.vision.models import get_model, register_model
        >>> @register_model("one_layer_of_an_example")
        ... def layer(**kwargs):
        ...     return ct.nn.Linear(2, 3, **kwargs)
        >>> get_model("one_layer_of_an_example")
        Linear(in_features=2, out_features=3, bias=True)
    """
    def entered(fn):
        key = (fn.__name__ if name is None else name).lower()
        if key in _BUILDERS:
            raise ArgumentError(f"register_model: there is a model named {key!r} already; give register_model another name")
        _BUILDERS[key] = fn
        return fn

    return entered


class Builder(Protocol[W_contra, M_co]):
    """A function that makes a model, with published weights or new ones."""

    def __call__(self, *, weights: W_contra | str | None = None, progress: bool = True, **kwargs: Any) -> M_co: ...


def builder(weights_class: type[WeightsEnum], source: str, prepare: Callable[..., Any] | None = None,
            named: Callable[[dict], dict] = dict) -> Callable[[Callable[..., M_co]], Builder[Any, M_co]]:
    """Derive from a function of a model's arguments the public one, which also loads weights, and register it.

    prepare(weights, kwargs) sets arguments that the weights ask for, and may return what is to be done to the model in the end;
    named(state_dict) gives old checkpoints today's names.
    """
    def derive(fn):
        @functools.wraps(fn)
        def build(*, weights=None, progress=True, **kwargs):
            weights = weights_class.verify(_from_pretrained(weights_class, weights, kwargs))
            if weights is None:
                return fn(**kwargs)
            require_classes(weights, kwargs)
            finish = None if prepare is None else prepare(weights, kwargs)
            with init.skipped():  # what is loaded replaces the first values
                model = fn(**kwargs)
            model.load_state_dict(named(weights.get_state_dict(progress=progress, check_hash=True)))
            if finish is not None:
                finish(model)
            return model

        present(build, weights_class, source)
        return register_model()(build)

    return derive


def present(build: Callable, weights_class: type[WeightsEnum], source: str) -> None:
    """Give a function that wraps another the signature and the docstring of those that make models."""
    made = typing.get_type_hints(build.__wrapped__)["return"]
    keyword, rest = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD
    chosen = typing.Optional[weights_class]  # noqa: UP045  as strings and enumerations have no `|` in Python 3.10
    build.__annotations__ = {"weights": chosen, "progress": bool, "kwargs": Any, "return": made}
    build.__signature__ = inspect.Signature([
        inspect.Parameter("weights", keyword, default=None, annotation=chosen),
        inspect.Parameter("progress", keyword, default=True, annotation=bool),
        inspect.Parameter("kwargs", rest, annotation=Any)], return_annotation=made)
    facts = weights_class.DEFAULT.meta
    build.__doc__ = f"""{build.__doc__.strip()}  Images (N, 3, H, W) to scores (N, num_classes).

    The default weights have {facts['num_params']} parameters; H and W are {facts['min_size'][0]} or more.
    weights: a member of {weights_class.__name__}, its name, or None for new random values; they are
    downloaded once, with a progress bar if `progress`.  kwargs go to {made.__name__}.  Floating dtypes.
    Raises ArgumentTypeError for weights of another model, ArgumentError where num_classes is not theirs.
    Source: {source}.

        >>> from cltensor.vision import models
        >>> models.get_model_weights("{build.__name__}").DEFAULT
        {weights_class.DEFAULT!r}
    """


def require(kwargs: dict, name: str, value: Any) -> None:
    """Set a model's argument to what its weights were trained with.  Raises ArgumentError where another value was given."""
    if kwargs.setdefault(name, value) != value:
        raise ArgumentError(f"{name}={kwargs[name]!r} was given where {name}={value!r} is needed; leave the argument out")


def require_classes(weights: WeightsEnum, kwargs: dict) -> None:
    """Set num_classes to that of the weights, where they know theirs."""
    if weights.meta["categories"] is not None:
        require(kwargs, "num_classes", len(weights.meta["categories"]))


def _from_pretrained(weights_class, weights, kwargs):
    """The weights that the older argument `pretrained`, or a bool for `weights`, stands for."""
    if "pretrained" not in kwargs and not isinstance(weights, bool):
        return weights
    chosen = next(iter(weights_class)) if kwargs.pop("pretrained", weights) else None
    warnings.warn(f"`pretrained` and a bool for `weights` are the arguments of older versions; weights={chosen!r} is taken",
                  stacklevel=3)
    return chosen


def get_model_builder(name: str) -> Callable[..., Module]:
    """The function that makes the model of a name, in upper or lower case.

    The model's docstring has its shapes and dtypes.  Raises ArgumentError for an unknown name.
    Source: the registry of torchvision 0.14.

        >>> from cltensor.vision.models import get_model_builder
        >>> get_model_builder("resnet18").__name__
        'resnet18'
    """
    try:
        return _BUILDERS[name.lower()]
    except KeyError:
        raise ArgumentError(f"there is no model named {name!r}; list_models() names them all") from None


def get_model(name: str, **config: Any) -> Module:
    """The model of a name, made with the arguments config, weights among them.

    The model's docstring has its shapes and dtypes.  Raises ArgumentError for an unknown name.
    Source: the registry of torchvision 0.14.

        >>> from cltensor.vision.models import get_model
        >>> get_model("lenet5", num_classes=3).classifier[-1].out_features
        3
    """
    return get_model_builder(name)(**config)


def get_model_weights(name: Callable[..., Module] | str) -> type[WeightsEnum]:
    """The enumeration of the published weights of a model, named or given as the function that makes it.

    Shapes and dtypes are the model's.  Raises ArgumentError for an unknown name, and for a function that says nothing of weights.
    Source: the registry of torchvision 0.14.

        >>> from cltensor.vision.models import get_model_weights
        >>> get_model_weights("vgg16")
        <enum 'VGG16_Weights'>
    """
    fn = name if callable(name) else get_model_builder(name)
    hint = typing.get_type_hints(fn).get("weights")
    for kind in (*typing.get_args(hint), hint):
        if isinstance(kind, type) and issubclass(kind, WeightsEnum):
            return kind
    raise ArgumentError(f"{fn.__name__} has no published weights: its argument `weights` is not annotated with a WeightsEnum")


def get_weight(name: str) -> WeightsEnum:
    """The published weights of a name such as "ResNet50_Weights.IMAGENET1K_V2".

    Shapes and dtypes are the model's.  Raises ArgumentError for a name without a dot or an unknown enumeration, KeyError for an
    unknown member.  Source: the registry of torchvision 0.12.

        >>> from cltensor.vision.models import get_weight
        >>> get_weight("ResNet50_Weights.DEFAULT")
        ResNet50_Weights.IMAGENET1K_V2
    """
    enumeration, dot, member = name.partition(".")
    if not dot:
        raise ArgumentError(f"{name!r} names no weights; write the enumeration and the member, such as ResNet50_Weights.DEFAULT")
    models = sys.modules[__package__]
    rooms = (models, *(value for value in vars(models).values() if isinstance(value, ModuleType)))
    found = next((kind for room in rooms if isinstance(kind := vars(room).get(enumeration), type)), None)
    if found is None or not issubclass(found, WeightsEnum):
        raise ArgumentError(f"there are no weights named {enumeration!r}; get_model_weights(name) has those of a model")
    return found[member]


def list_models(module: ModuleType | None = None, include: Iterable[str] | str | None = None,
                exclude: Iterable[str] | str | None = None) -> list[str]:
    """The names of all models, in order: those of a module, that match a pattern of include and none of exclude.

    Their docstrings have shapes and dtypes.  Never raises.  Source: the registry of torchvision 0.14.

        >>> from cltensor.vision.models import list_models
        >>> list_models(include="vgg*", exclude="*_bn")
        ['vgg11', 'vgg13', 'vgg16', 'vgg19']
    """
    inside = [name for name, fn in _BUILDERS.items() if module is None or fn.__module__.rpartition(".")[0] == module.__name__]
    wanted = [name for name in inside if not include or _matches(name, include)]
    return sorted(name for name in wanted if not exclude or not _matches(name, exclude))


def _matches(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns))
