"""Results of layers inside a model, by the layers' paths."""

from __future__ import annotations

import copy
import re
import threading
from typing import Any

from ... import nn
from ...base.errors import ArgumentError

__all__ = ["create_feature_extractor", "get_graph_node_names"]


class _AllFound(BaseException):
    """Ends a forward pass whose remaining layers nobody asked for."""


class FeatureExtractor(nn.Module):
    """A model that returns {new name: result} of some of its layers, in the order in which they end; it stops after the last.

    Parameters, buffers and layers are the model's own, under the same names.  A hook on each wanted layer runs during a call
    alone.  A result that a later layer overwrites, as ReLU(inplace=True) does, shows what was written.  Shapes and dtypes are the
    layers'.  Raises ArgumentError where a wanted layer did not run.  Source: the interface of torchvision 0.11.

        >>> from cltensor.vision.models import lenet5
        >>> from cltensor.vision.models.feature_extraction import create_feature_extractor
        >>> list(create_feature_extractor(lenet5(), ["features.2"])(ct.zeros(1, 1, 28, 28)))
        ['features.2']
    """

    def __init__(self, model: nn.Module, train_nodes: dict[str, str], eval_nodes: dict[str, str]) -> None:
        super().__init__()
        self.training = model.training
        body = copy.copy(model)
        for shared in ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"):
            self.__dict__[shared] = body.__dict__[shared]
        self.__dict__["_body"] = body  # no child: its names are this module's own
        self._nodes = {True: train_nodes, False: eval_nodes}

    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        nodes, found, missing = self._nodes[self.training], {}, set(self._nodes[self.training])
        calls, thread = {}, threading.get_ident()

        def noting(path):
            def note(module, inputs, result):
                if threading.get_ident() != thread:
                    return
                calls[path] = calls.get(path, -1) + 1
                node = f"{path}_{calls[path]}" if calls[path] else path
                if node in missing:
                    missing.discard(node)
                    found[nodes[node]] = result
                if not missing:
                    raise _AllFound
            return note

        paths = {_layer(self, node) for node in nodes}
        handles = [self.get_submodule(path).register_forward_hook(noting(path)) for path in paths]
        self._body.training = self.training
        try:
            if missing:
                self._body(*args, **kwargs)
        except _AllFound:
            pass
        finally:
            for handle in handles:
                handle.remove()
        if missing:
            raise ArgumentError(f"{', '.join(sorted(missing))} did not run in this call of {type(self._body).__name__}, in "
                                f"{'training' if self.training else 'evaluation'} mode; ask for layers that do")
        return found


def _layer(model, node):
    """The path of the layer that a node is a result of: the node's name itself, or without the number of the call."""
    paths = {path for path, _ in model.named_modules() if path}
    if node in paths:
        return node
    shorter = re.sub(r"_[1-9]\d*$", "", node)
    if shorter in paths and shorter != node:
        return shorter
    raise ArgumentError(f"create_feature_extractor: {node!r} is no layer of the model; get_graph_node_names(model) names them all")


def _named(nodes):
    """{node: new name} of a list of nodes or such a dictionary."""
    return {str(node): str(name) for node, name in (nodes.items() if isinstance(nodes, dict) else zip(nodes, nodes, strict=True))}


def _no_tracer(tracer_kwargs, concrete_args):
    if tracer_kwargs is not None or concrete_args is not None:
        raise ArgumentError("tracer_kwargs and concrete_args are settings of a tracer, and none is used; leave them out")


def get_graph_node_names(model: nn.Module, tracer_kwargs: dict[str, Any] | None = None, suppress_diff_warning: bool = False,
                         concrete_args: dict[str, Any] | None = None) -> tuple[list[str], list[str]]:
    """The names that create_feature_extractor takes, twice: for training and for evaluation, which are the same here.

    These are the paths of all layers and containers in the order of registration, such as "layer1.0.conv1" and "layer1".  The
    results of later calls of one layer are named path_1, path_2 and so on; functions, such as a sum, and inputs have no name.
    suppress_diff_warning has nothing to suppress.  Shapes and dtypes are the layers'.  Raises ArgumentError for settings of a
    tracer.  Source: the interface of torchvision 0.11.

        >>> from cltensor.vision.models import lenet5
        >>> from cltensor.vision.models.feature_extraction import get_graph_node_names
        >>> get_graph_node_names(lenet5())[0][:3]
        ['features', 'features.0', 'features.1']
    """
    _no_tracer(tracer_kwargs, concrete_args)
    names = [path for path, _ in model.named_modules() if path]
    return names, list(names)


def create_feature_extractor(model: nn.Module, return_nodes: list[str] | dict[str, str] | None = None,
                             train_return_nodes: list[str] | dict[str, str] | None = None,
                             eval_return_nodes: list[str] | dict[str, str] | None = None,
                             tracer_kwargs: dict[str, Any] | None = None, suppress_diff_warning: bool = False,
                             concrete_args: dict[str, Any] | None = None) -> FeatureExtractor:
    """A module that returns {new name: result} of some layers of a model, whose parameters it shares.

    return_nodes: names of get_graph_node_names, or {name: new name}; or else different ones for training and evaluation.  The
    results come from hooks, in the order in which layers end, and the pass stops after the last.  All layers stay, those that no
    result needs as well.  Shapes and dtypes are the layers'.  Raises ArgumentError for unknown names, where none or both
    kinds of names are given, and for settings of a tracer.  Source: the interface of torchvision 0.11.

        >>> from cltensor.vision.models import resnet18
        >>> from cltensor.vision.models.feature_extraction import create_feature_extractor
        >>> with ct.device("meta"):
        ...     extractor = create_feature_extractor(resnet18(), {"layer1.0.relu_1": "early", "layer4": "late"})
        ...     found = extractor(ct.empty(1, 3, 64, 64))
        >>> {name: tuple(value.shape) for name, value in found.items()}
        {'early': (1, 64, 16, 16), 'late': (1, 512, 2, 2)}
    """
    _no_tracer(tracer_kwargs, concrete_args)
    split = train_return_nodes is not None, eval_return_nodes is not None
    if (return_nodes is None) != all(split) or (return_nodes is not None and any(split)):
        raise ArgumentError("create_feature_extractor: give return_nodes, or else both train_return_nodes and eval_return_nodes")
    train, evaluation = (return_nodes, return_nodes) if return_nodes is not None else (train_return_nodes, eval_return_nodes)
    train, evaluation = _named(train), _named(evaluation)
    for node in (*train, *evaluation):
        _layer(model, node)
    return FeatureExtractor(model, train, evaluation)
