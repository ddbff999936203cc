"""C programs made from the JSON of rendered kernels alone, compiled with gcc and run on the driver under test.

A few templates and ops run always.  All of them, in every dtype, run with CLTENSOR_GENERATOR=all (ci/test --generator).
"""

import pytest

from cltensor.base import dtypes
from cltensor.codegen import templates
from cltensor.dispatch.registry import REGISTRY
from cltensor.ops.conv import columns, implicit_gemm, winograd
from generator import by_hand, cases, convolutions, program, transforms
from generator.cases import WHOLE
from generator.compiled_c import compiled, needs_gcc, ran
from ops import samples

#: ops and dtypes that run always: a few templates of each kind
FEW = {"softmax_dim": ("float32", "float16"), "softmax_grad": ("float64",), "search_rows": ("float32",), "mode_rows": ("float32",),
       "compact": ("float32",), "sort_rows": ("float32",), "exp": ("bfloat16",), "add": ("int32",), "sub": ("float32",),
       "sum_reduce": ("float32", "complex64"), "argmax_reduce": ("int64",), "cumsum_dense": ("float32",), "matmul": ("float32",),
       "convolution": ("float32",), "gather_along": ("float32",), "scatter_along": ("float32",),
       "norm_forward": ("float32",), "attention_forward": ("float32",), "deform_sample": ("float16",),
       "deform_scatter": ("float32",), "roi_mean": ("bfloat16",), "roi_max": ("float32",), "nms_kept": ("float32",)}


def run(found, folder):
    """Run Cases as one program; everything but right is shown."""
    status, output = ran(compiled(program.written(found, folder)))
    assert status == 0, output
    assert output.count("right  ") == len(found), output


def few(style):
    return [case for name, kinds in FEW.items() for kind in kinds
            for case in cases.of_op(REGISTRY[name], dtypes.BY_NAME[kind], style, 2)]


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(600)
@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_few(style, tmp_path):
    found = few(style)
    assert len(found) >= 20
    run(found, tmp_path)


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(3600)
@pytest.mark.skipif(not WHOLE, reason="run all with CLTENSOR_GENERATOR=all")
@pytest.mark.parametrize("style", ["cpu", "gpu"])
@pytest.mark.parametrize("name", [op.name for op in samples.referenced("elementwise", "reduction", "other")
                                  if op.kind in ("elementwise", "reduction", "scan", "kernel")] if WHOLE else ["none"])
def test_all(name, style, tmp_path):
    op = REGISTRY[name]
    found = [case for dtype in samples.tried(op) if dtype in op.allowed for case in cases.of_op(op, dtype, style)]
    if not found:
        pytest.skip(f"{name} launches no kernel")
    run(found, tmp_path)


def templates_of(found):
    """The templates, with their forms, that Cases launch."""
    told = ({"template": k.facts["template"], **{p["name"]: p["value"] for p in k.facts["parameters"]}}
            for case in found for k in case.launches)
    return {" ".join(filter(None, [t["template"], t.get("form")])) for t in told}


def convolved(geometries, dtype, style, names):
    return [case for op, given in convolutions.drawn(geometries, dtypes.BY_NAME[dtype]).items() if op.name in names
            for case in cases.of_samples(op, given, dtypes.BY_NAME[dtype], style)]


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(600)
@pytest.mark.parametrize("dtype", ["float32", *(["float16", "bfloat16", "float64"] if WHOLE else [])])
@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_convolutions(style, dtype, tmp_path):
    geometries = convolutions.GEOMETRIES if WHOLE else convolutions.GEOMETRIES[4:]
    found = convolved(geometries, dtype, style, ("convolution", "convolution_input_gradient", "convolution_weight_gradient"))
    assert len(found) == 3 * len(geometries)
    assert templates_of(found) == {"conv_pad", "conv_panel", "conv_product", "conv_sum", "conv_direct map", "conv_direct weight"}
    run(found, tmp_path)


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(600)
@pytest.mark.parametrize(("style", "m"), [("cpu", 4), ("gpu", 2), *([("cpu", 2), ("gpu", 4)] if WHOLE else [])])
def test_convolutions_by_tiles(style, m, tmp_path, monkeypatch):
    monkeypatch.setattr(winograd, "chosen", lambda *_: m)
    found = [case for dtype in (("float32", "float16", "bfloat16", "float64") if WHOLE else ("float32",))
             for case in convolved(convolutions.BY_TILES, dtype, style, ("convolution", "convolution_input_gradient"))]
    assert templates_of(found) == {"conv_product", *(f"winograd {form}" for form in ("weights", "input", "output"))}
    run(found, tmp_path)


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(600)
@pytest.mark.parametrize("dtype", ["float32", *(["float64"] if WHOLE else [])])
@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_convolutions_by_columns(style, dtype, tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "suits", lambda patches, weights, groups: groups == 1)
    found = convolved(convolutions.GEOMETRIES if WHOLE else convolutions.BY_TILES, dtype, style,
                      ("convolution", "convolution_input_gradient", "convolution_weight_gradient"))
    assert {"conv_columns gather", "conv_columns sum"} < templates_of(found)
    run(found, tmp_path)


@needs_gcc
@pytest.mark.device
@pytest.mark.parametrize("dtype", ["float32", *(["float16", "float64"] if WHOLE else [])])
@pytest.mark.parametrize(("W", "NV", "MR", "STRIP", "KC"), [
    (2, 3, 5, 17, 7), *([(4, 1, 1, 16, 1), (16, 2, 16, 33, 100)] if WHOLE else [])])
def test_convolutions_by_other_strips(W, NV, MR, STRIP, KC, dtype, tmp_path, monkeypatch):
    rule = implicit_gemm.StripRule(((NV, MR),) * 4, STRIP, KC)
    for name, value in {"AVX2": rule, "AVX512": rule, "vector_elements": lambda *_: W, "lane_count": lambda *_: NV * W}.items():
        monkeypatch.setattr(implicit_gemm, name, value)
    run(convolved(convolutions.GEOMETRIES[:2], dtype, "cpu", ("convolution", "convolution_input_gradient")), tmp_path)


@needs_gcc
@pytest.mark.device
@pytest.mark.parametrize("dtype", ["float32", *(["float16", "float64"] if WHOLE else [])])
@pytest.mark.parametrize(("TM", "TN", "KC", "STEPS", "WGS"), [
    (8, 2, 8, 5, 33), *([(1, 1, 8, 1, 1), (2, 4, 32, 48, 256)] if WHOLE else [])])
def test_convolutions_by_other_tiles(TM, TN, KC, STEPS, WGS, dtype, tmp_path, monkeypatch):
    rule = implicit_gemm.TileRule(item_rows=TM, few_rows=TM, steps=KC, panel_steps=STEPS, panel_items=WGS)
    for name, value in {"GPU": rule, "lane_count": lambda *_: 16 * TN}.items():
        monkeypatch.setattr(implicit_gemm, name, value)
    run(convolved(convolutions.GEOMETRIES[:2], dtype, "gpu", ("convolution", "convolution_input_gradient")), tmp_path)


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(600)
@pytest.mark.parametrize("dtype", ["float32", *(["float64"] if WHOLE else [])])
@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_transforms(style, dtype, tmp_path):
    found = transformed(style, dtypes.BY_NAME[dtype])
    assert templates_of(found) == {"fft_lines", "fft_points", "fft_real", *(["fft_direct"] if style == "cpu" else [])}
    run(found, tmp_path)


def transformed(style, real):
    """The Cases of transforms of real numbers of a dtype, and of complex ones of them."""
    kinds = {name: real if name == "fft_r2c" else dtypes.complex_for(real) for name in transforms.drawn()}
    found = [case for name, given in transforms.drawn().items()
             for case in cases.of_samples(REGISTRY[name], given, kinds[name], style)]
    return found + cases.of_op(REGISTRY["fft_r2c"], real, style, 1)


@needs_gcc
@pytest.mark.device
@pytest.mark.limit(600)
@pytest.mark.parametrize("dtype", ["float32", *(["float16", "bfloat16", "float64"] if WHOLE else [])])
@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_by_hand(style, dtype, tmp_path):
    found = list(by_hand.every(style, dtypes.BY_NAME[dtype]))
    assert {t.split()[0] for t in templates_of(found)} >= {
        "transpose", "column_sums", "multi_tensor", "matmul_sum", "pool", "random", "counts", "rejection"}
    run(found, tmp_path)


@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_every_template_is_run_always(style):
    found = [*few(style), *transformed(style, dtypes.float32), *by_hand.every(style, dtypes.float32),
             *convolved(convolutions.GEOMETRIES[4:], "float32", style, ("convolution", "convolution_weight_gradient"))]
    elsewhere = {"winograd", "conv_columns"}  # test_convolutions_by_tiles, _by_columns
    wanted = {name for name in templates.names() if style in templates.styles(name)} - elsewhere
    assert {t.split()[0] for t in templates_of(found)} >= wanted
