"""The messages of TensorBoard's files, as the package tensorboard defines them, imported on first use."""

import functools
from types import SimpleNamespace

from ...base.extras import extra

_HOMES = {
    "tensorboard.summary.writer.event_file_writer": "EventFileWriter",
    "tensorboard.summary.writer.record_writer": "RecordWriter",
    "tensorboard.compat.proto.event_pb2": "Event SessionLog TaggedRunMetadata",
    "tensorboard.compat.proto.summary_pb2": "HistogramProto Summary SummaryMetadata",
    "tensorboard.compat.proto.tensor_pb2": "TensorProto",
    "tensorboard.compat.proto.tensor_shape_pb2": "TensorShapeProto",
    "tensorboard.compat.proto.attr_value_pb2": "AttrValue",
    "tensorboard.compat.proto.graph_pb2": "GraphDef",
    "tensorboard.compat.proto.node_def_pb2": "NodeDef",
    "tensorboard.compat.proto.versions_pb2": "VersionDef",
    "tensorboard.plugins.custom_scalar.layout_pb2": "Layout Category Chart MultilineChartContent MarginChartContent",
    "tensorboard.plugins.hparams.api_pb2": "Experiment HParamInfo MetricInfo MetricName",
    "tensorboard.plugins.hparams.plugin_data_pb2": "HParamsPluginData SessionStartInfo SessionEndInfo",
    "tensorboard.plugins.mesh.plugin_data_pb2": "MeshPluginData",
    "tensorboard.plugins.pr_curve.plugin_data_pb2": "PrCurvePluginData",
    "tensorboard.plugins.projector.projector_config_pb2": "ProjectorConfig",
}


@functools.cache
def protocol(call):
    """The message classes and writers by name.  Raises MissingPackageError, for the public call that needs them."""
    found = {}
    for home, names in _HOMES.items():
        module = extra(home, "tensorboard", call)
        found.update((name, getattr(module, name)) for name in names.split())
    return SimpleNamespace(**found)
