"""Public names and parameters of PyTorch's that cannot exist here, or exist here alone, each with the reason.

docs/missing.md is made of this list.

A name covers what lies inside it: `nn.quantized` every name of that module, `nn.Module.xpu` one method, `nn.functional.f(x)` one
parameter.  A star stands for any text.
"""

import fnmatch
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "missing.md"

#: reason -> names
EXCEPTIONS = {
    "kernels of PyTorch's for CUDA alone":
        "torch.addmm(out_dtype) torch.baddbmm(out_dtype) torch.bmm(out_dtype) torch.mm(out_dtype)",
    "of PyTorch's compiler; compile here keeps eight programs for a function and calls it by its own name":
        "torch.compile(name) torch.compile(recompile_limit) torch.compile(isolate_recompiles) torch.compile(shapes_spec)",
    "the constructor of PyTorch 0.3; use new_tensor, new_empty and their like":
        "Tensor.new(storage) Tensor.new(other) Tensor.new(size)",
    "every device here is an OpenCL one; use .to('gpu')":
        "nn.modules.module.Module.cuda nn.modules.module.Module.ipu nn.modules.module.Module.mtia nn.modules.module.Module.xpu",
    "there are no quantized dtypes; use float16 or bfloat16 to save memory":
        "nn.intrinsic nn.qat nn.quantizable nn.quantized",
    "there are no 8-bit floating dtypes, which these products scale":
        "nn.functional.ScalingType nn.functional.SwizzleType nn.functional.scaled_mm nn.functional.scaled_grouped_mm",
    "chooses among libraries for NVIDIA's GPUs; attention has one kernel here, which nn.attention.sdpa_kernel can force":
        "nn.attention.*_flash_attention_impl nn.attention.list_flash_attention_impls nn.attention.WARN_FOR_UNFUSED_KERNELS",
    "not documented: plumbing of PyTorch's Python code that its modules happen to expose":
        "nn.functional.assert_int_or_pair nn.functional.boolean_dispatch nn.functional.handle_torch_function "
        "nn.functional.has_torch_function*",
    "not documented: steps of PyTorch's own forward; the layers here check and permute inside theirs":
        "nn.modules.rnn.*.check_input nn.modules.rnn.*.check_hidden_size nn.modules.rnn.*.check_forward_args "
        "nn.modules.rnn.*.get_expected_*_size nn.modules.rnn.*.permute_hidden",
    "belongs to torch.compile and to CUDA's graphs and streams":
        "autograd.graph.region_activation_memory_budget autograd.graph.set_warn_on_accumulate_grad_stream_mismatch "
        "autograd.graph.set_override_stale_capture_stream cuda.Event(external)",
    "True by default, as for load: weights from elsewhere run no code unless asked to":
        "hub.load_state_dict_from_url(weights_only) torch.load(weights_only) serialization.load(weights_only)",
    "a property, as it is of PyTorch's own nodes":
        "autograd.graph.Node.metadata",
    "not documented: plumbing of PyTorch's dispatcher and decorators":
        "overrides.enable_reentrant_dispatch utils._contextlib._DecoratorContextManager.clone",
    "not documented: a Function's ctx is PyTorch's node itself; here output.grad_fn is the node, with name, next_functions, hooks "
    "and metadata":
        "autograd.function._SingleLevelFunction.clear_saved_tensors_on_access "
        "autograd.function._SingleLevelFunction.boxed_grads_call _C._FunctionBase.name _C._FunctionBase.maybe_clear_saved_tensors "
        "_C._FunctionBase.register_hook _C._FunctionBase.register_prehook _C._FunctionBase.saved_variables "
        "_C._FunctionBase.next_functions _C._FunctionBase.to_save _C._FunctionBase.non_differentiable "
        "_C._FunctionBase.dirty_tensors _C._FunctionBase.saved_for_forward _C._FunctionBase.requires_grad "
        "_C._FunctionBase.metadata _C._FunctionBase.materialize_grads",
    "deprecated and not documented; autograd.Function takes nests of tensors as they are":
        "autograd.NestedIOFunction",
    "only raises, in PyTorch too; autograd.variable is a module here":
        "autograd.variable",
    "tangents are computed one after another, never as a batch":
        "autograd.gradcheck(check_batched_forward_grad)",
    "Tensor itself, which torch.fft imports for its annotations":
        "fft.Tensor",
    "not documented: puts a name into PyTorch's profiler":
        "optim.optimizer.Optimizer.profile_hook_step",
    "parts of Kineto, PyTorch's library that traces for its profiler; export_chrome_trace writes what it would":
        "profiler.kineto_available profiler.ExecutionTraceObserver",
    "state that processes write to together; memory of a device is not shared between processes":
        "optim.adagrad.Adagrad.share_memory",
    "DataPipes, which PyTorch no longer develops; use Dataset and IterableDataset":
        "utils.data.DFIterDataPipe utils.data.DataChunk utils.data.IterDataPipe utils.data.MapDataPipe "
        "utils.data.argument_validation utils.data.functional_datapipe utils.data.guaranteed_datapipes_determinism "
        "utils.data.non_deterministic utils.data.runtime_validation utils.data.runtime_validation_disabled",
    "not documented: warns of more workers than processors":
        "utils.data.dataloader.DataLoader.check_worker_number_rationality",
    "not documented: parts of PyTorch's reentrant checkpoint; the recomputation here is autograd.recompute":
        "utils.checkpoint.CheckpointFunction utils.checkpoint.check_backward_validity utils.checkpoint.detach_variable "
        "utils.checkpoint.get_device_states utils.checkpoint.set_device_states utils.checkpoint.DefaultDeviceType "
        "utils.checkpoint.GraphExecGroup",
    "a checkpointed function always runs to its end again, and its errors always name the ops that differ":
        "utils.checkpoint.set_checkpoint_early_stop utils.checkpoint.set_checkpoint_debug_enabled",
    "for now a checkpointed function is recomputed whole, or split into several by hand":
        "utils.checkpoint.CheckpointPolicy utils.checkpoint.SelectiveCheckpointContext "
        "utils.checkpoint.create_selective_checkpoint_contexts utils.checkpoint.SAC_IGNORED_OPS",
    "ONNX files are read by cltensor.onnx.load, whose models add_graph logs":
        "utils.tensorboard.writer.SummaryWriter.add_onnx_graph utils.tensorboard.writer.FileWriter.add_onnx_graph",
    "one process only, for now; nn.DataParallel splits a batch over the devices of one process":
        "nn.parallel.DistributedDataParallel",
}

#: reason -> parameters that cltensor has beyond PyTorch's
ADDED = {
    "safetensors is the format by default, and files may be split":
        "torch.save(+format) torch.save(+max_shard_size) serialization.save(+format) serialization.save(+max_shard_size)",
    "as for hub.load":
        "hub.help(+source) hub.list(+source)",
    "taken, with the one value there is, wherever a tensor is made":
        "torch.asarray(+layout) torch.asarray(+pin_memory) torch.tensor(+layout) Tensor.new_tensor(+layout) "
        "torch.sparse_coo_tensor(+layout) signal.windows.*(+pin_memory)",
    "the same function as cltensor.softmax and cltensor.log_softmax":
        "special.softmax(+out) special.log_softmax(+out)",
    "nodes are made by ops, not by programs":
        "autograd.graph.Node",
}

#: what PyTorch's stubs or docstrings tell otherwise than its functions, which were asked -> parameters
MISTOLD = {
    "accepted, but not told":
        "torch.range(+layout) torch.sparse_coo_tensor(+pin_memory) torch.sparse_csr_tensor(+pin_memory) "
        "torch.sparse_csr_tensor(+layout) Tensor.*(+memory_format) nn.functional.*(+out) linalg.lstsq(+out) "
        "linalg.lu_factor(+pivot) linalg.matrix_rank(+tol) linalg.pinv(+rcond) special.round(+decimals) "
        "fft.fftfreq(+pin_memory) fft.rfftfreq(+pin_memory)",
    "told, but refused":
        "torch.full(names) torch.linspace(start* torch.logspace(start* Tensor.add(out) Tensor.floor_divide(out) Tensor.mul(out) "
        "Tensor.sub(out) Tensor.true_divide(out)",
    "told as positional, but taken by name alone":
        "torch.tensor(dtype) torch.tensor(device) torch.tensor(requires_grad) torch.tensor(pin_memory) Tensor.new_tensor(dtype) "
        "Tensor.new_tensor(device) Tensor.new_tensor(requires_grad) Tensor.new_tensor(pin_memory)",
    "told under another name":
        "Tensor.requires_grad_(mode) Tensor.requires_grad_(+requires_grad) Tensor.to(other) Tensor.to(+tensor)",
}

REASONS = {name: why for table in (EXCEPTIONS, ADDED, MISTOLD) for why, names in table.items() for name in names.split()}


def covers(pattern, name):
    """Whether an entry of the list covers a full name."""
    return fnmatch.fnmatchcase(name, pattern) or name.startswith((f"{pattern}.", f"{pattern}("))


def reason(name):
    """Why a name is missing, or None where nothing covers it."""
    return next((why for pattern, why in REASONS.items() if covers(pattern, name)), None)


def page(modules):
    """The text of docs/missing.md."""
    rows, added = (_rows(table) for table in (EXCEPTIONS, ADDED))
    listed = ", ".join(f"`{m}`" for m in modules)
    return f"""# What PyTorch has and cltensor has not

Made by `python -m tests.parity.surface --write` from the list in `tests/parity/exceptions.py`. A test compares every public name,
parameter, position and default of these modules of PyTorch 2.13 with cltensor's: {listed}. All are here but for:

| missing | reason |
|---|---|
{rows}

Parameters that PyTorch has not, besides those of names that are cltensor's own:

| added | reason |
|---|---|
{added}
"""


def _rows(table):
    return "\n".join(f"| {', '.join(f'`{n}`' for n in names.split())} | {why} |" for why, names in table.items())
