"""Summaries of hyperparameters, of charts over several scalars, and of meshes."""

import json

import numpy as np

from ...base.errors import ArgumentError, ArgumentTypeError, MismatchError
from ...dispatch.tensor_base import TensorBase
from ..host_arrays import array_of
from .protocol import protocol
from .values import metadata, one_value, strings_message, tensor_message

_STRING, _BOOL, _FLOAT = "DATA_TYPE_STRING", "DATA_TYPE_BOOL", "DATA_TYPE_FLOAT64"


def hyperparameters(given, metrics, domains):
    """(experiment, start, end): the three Summaries of a run with hyperparameters and the names of its metrics."""
    if not isinstance(given, dict) or not isinstance(metrics, dict):
        raise ArgumentTypeError("add_hparams: hparam_dict and metric_dict should be dictionaries, got "
                                f"{type(given).__name__} and {type(metrics).__name__}")
    p = protocol("SummaryWriter")
    domains = dict(domains or {})
    unknown = set(domains) - set(given)
    if unknown:
        raise ArgumentError(f"add_hparams: hparam_domain_discrete names {sorted(unknown)[0]!r}, which is not in hparam_dict")
    infos, start = [], p.SessionStartInfo()
    for name, value in given.items():
        kind, value = _typed(name, value)
        if kind is None:
            continue
        info = p.HParamInfo(name=name, type=kind)
        for x in domains.get(name, ()):
            other, x = _typed(name, x)
            if other != kind:
                raise ArgumentTypeError(f"add_hparams: hparam_domain_discrete[{name!r}] must hold values of the type in "
                                        f"hparam_dict, got {x!r}")
            _set(info.domain_discrete.values.add(), kind, x)
        infos.append(info)
        _set(start.hparams[name], kind, value)
    names = [p.MetricInfo(name=p.MetricName(tag=tag)) for tag in metrics]
    parts = {"_hparams_/experiment": {"experiment": p.Experiment(hparam_infos=infos, metric_infos=names)},
             "_hparams_/session_start_info": {"session_start_info": start},
             "_hparams_/session_end_info": {"session_end_info": p.SessionEndInfo(status="STATUS_SUCCESS")}}
    return [one_value(tag, metadata=metadata("hparams", p.HParamsPluginData(version=0, **part).SerializeToString()))
            for tag, part in parts.items()]


def _typed(name, value):
    """(type, value) of a hyperparameter; (None, None) for None, which is left out."""
    if value is None:
        return None, None
    if isinstance(value, (TensorBase, np.generic)):
        value = value.item()
    for kind, types in ((_BOOL, bool), (_FLOAT, (int, float)), (_STRING, str)):
        if isinstance(value, types):
            return kind, float(value) if kind == _FLOAT else value
    raise ArgumentError(f"add_hparams: hparam_dict[{name!r}] should be an int, float, str, bool or a tensor of one element, got "
                            f"{type(value).__name__}")


def _set(message, kind, value):
    if kind == _BOOL:
        message.bool_value = value
    elif kind == _FLOAT:
        message.number_value = value
    else:
        message.string_value = value


def charts(layout):
    """The Summary that lays out charts: {category: {chart: ["Multiline" or "Margin", tags]}}."""
    p = protocol("SummaryWriter")
    made = p.Layout(category=[p.Category(title=title, chart=[_chart(p, name, *chart) for name, chart in inside.items()])
                              for title, inside in layout.items()])
    text = strings_message(made.SerializeToString())
    return one_value("custom_scalars__config__", tensor=text, metadata=metadata("custom_scalars"))


def _chart(p, title, kind, tags):
    if kind == "Margin":
        if len(tags) != 3:
            raise ArgumentError(f"add_custom_scalars: a margin chart has three tags, value, lower and upper, got {len(tags)}")
        value, lower, upper = tags
        series = p.MarginChartContent.Series(value=value, lower=lower, upper=upper)
        return p.Chart(title=title, margin=p.MarginChartContent(series=[series]))
    if kind != "Multiline":
        raise ArgumentError(f"add_custom_scalars: a chart is 'Multiline' or 'Margin', got {kind!r}")
    return p.Chart(title=title, multiline=p.MultilineChartContent(tag=list(tags)))


def mesh(tag, vertices, colors, faces, settings):
    """The Summary of points (batch, points, 3), their colours and the faces between them."""
    p = protocol("SummaryWriter")
    parts = {name: array_of(value, "add_mesh") for name, value in (("VERTEX", vertices), ("FACE", faces), ("COLOR", colors))
             if value is not None}
    for name, values in parts.items():
        if values.ndim != 3 or values.shape[2] != 3:
            raise MismatchError(f"add_mesh: {name.lower()} must be of shape (batch, n, 3), got {list(values.shape)}")
    kinds, values = p.MeshPluginData.ContentType, []
    components = sum(1 << kinds.Value(name) for name in parts)
    for name, array in parts.items():
        content = p.MeshPluginData(version=0, name=tag, content_type=name, json_config=json.dumps(settings or {}, sort_keys=True),
                                   shape=array.shape, components=components).SerializeToString()
        values.append(p.Summary.Value(tag=f"{tag}_{name}", tensor=tensor_message(array.astype(np.float32)),
                                      metadata=metadata("mesh", content)))
    return p.Summary(value=values)
