"""Public names and parameters of PyTorch's that cannot exist here, each with the reason; docs/missing.md is made of this list.

A name covers what lies inside it: `nn.quantized` every name of that module, `nn.Module.xpu` one method, `nn.functional.f(x)` one
parameter.  A star stands for any text.
"""

import fnmatch
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "missing.md"

#: reason -> names
EXCEPTIONS = {
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
        "autograd.graph.set_override_stale_capture_stream",
    "a property, as it is of PyTorch's own nodes":
        "autograd.graph.Node.metadata",
    "not documented: plumbing of PyTorch's dispatcher and decorators":
        "overrides.enable_reentrant_dispatch utils._contextlib._DecoratorContextManager.clone",
    "one process only, for now; nn.DataParallel splits a batch over the devices of one process":
        "nn.parallel.DistributedDataParallel",
}

REASONS = {name: why for why, names in EXCEPTIONS.items() for name in names.split()}


def covers(pattern, name):
    """Whether an entry of the list covers a full name."""
    return fnmatch.fnmatchcase(name, pattern) or name.startswith((f"{pattern}.", f"{pattern}("))


def reason(name):
    """Why a name is missing, or None where nothing covers it."""
    return next((why for pattern, why in REASONS.items() if covers(pattern, name)), None)


def page(modules):
    """The text of docs/missing.md."""
    rows = "\n".join(f"| {', '.join(f'`{n}`' for n in names.split())} | {why} |" for why, names in EXCEPTIONS.items())
    listed = ", ".join(f"`{m}`" for m in modules)
    return f"""# What PyTorch has and cltensor has not

Made by `python -m tests.parity.surface --write` from the list in `tests/parity/exceptions.py`. A test compares every public name,
parameter, position and default of these modules of PyTorch 2.13 with cltensor's: {listed}. All are here but for:

| missing | reason |
|---|---|
{rows}
"""
