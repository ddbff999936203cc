"""Annotations: a parameter's type, from its name and default, and a function's return type."""

import inspect
import re

_SIZES = "int | Sequence[int]"

#: types of names that PyTorch uses for parameters everywhere
_NAMED = {text: names.split() for text, names in {
    "Tensor": "input tensor mat1 mat2 mat vec vec1 vec2 batch1 batch2 input1 input2 input3 weight target index mask condition x1 "
              "x2 query key value anchor positive negative log_probs boundaries sorted_sequence logits A B LU pivots LU_data "
              "LU_pivots y_true running_mean running_var mat_a",
    "Tensor | Number": "other src source exponent end",
    "Tensor | None": "bias attn_mask per_sample_weights pos_weight prepend append generator_state",
    "Sequence[Tensor]": "tensors matrices arrays",
    "Iterable[Any]": "params parameters",
    _SIZES: "kernel_size stride padding dilation output_padding output_size size sizes shape normalized_shape repeats dims shifts "
            "new_shape",
    "int": "dim dim0 dim1 dim2 start_dim end_dim k n in_features out_features in_channels out_channels groups num_features "
           "num_embeddings embedding_dim hidden_size input_size num_layers num_heads embed_dim nhead d_model num_groups "
           "num_channels num_samples num_classes batch_size num_workers steps chunks sections length diagonal offset "
           "upscale_factor downscale_factor step_size T_max last_epoch rank minlength bins max_iter "
           "window_length",
    "int | None": "padding_idx ignore_index",
    "float": "start_factor p lr eps momentum dampening weight_decay lambd negative_slope margin delta gamma factor "
             "min_val max_val threshold tau rtol atol maxnorm max_norm std mean low high",
    "Number": "alpha beta fill_value",
    "str": "reduction mode padding_mode rounding_mode nonlinearity equation reduce norm approximate",
    "dtype | None": "dtype",
    "device | str | int | None": "device",
    "Generator | None": "generator",
    "bool": "requires_grad keepdim inplace bias_ training pin_memory non_blocking largest sorted descending stable affine "
            "track_running_stats ceil_mode count_include_pad return_indices bidirectional batch_first drop_last shuffle",
    "str | PathLike[str] | IO[bytes]": "f path",
    "Callable[..., Any]": "fn func function hook closure",
    "Any": "value in_dims out_dims argnums",
}.items()}
BY_NAME = {name: text for text, names in _NAMED.items() for name in names}
#: parameters with these names keep their name's type, whatever the default's type
_FIRM = frozenset("dim size kernel_size stride padding dilation output_size output_padding other input repeats p".split())
_WIDER = {bool: "bool", int: "float", float: "float", str: "str"}
#: parameters that count or locate; int if the default is an int
_COUNTS = frozenset("""n k dim groups steps diagonal offset start num_workers batch_size start_dim end_dim dim0 dim1 dim2
    num_layers last_epoch step correction decimals""".split())


_HIDDEN = re.compile(r"(?<![\w.])(bool|int|float|dtype|device|tuple|str)\b(?!\()")


def visible(text):
    """The annotation of a type, unambiguous where a function, method or dtype has the same name, as cltensor.int has."""
    return _HIDDEN.sub(lambda m: f"_{m[1]}" if m[1] in ("dtype", "device") else f"builtins.{m[1]}", text)


def parameter(p, operands=()):
    """The annotation of an inspect.Parameter, "Any" if nothing is known.  operands: names that also take numbers."""
    return visible(_of_parameter(p, operands))


def _of_parameter(p, operands):
    if isinstance(p.annotation, str):
        return p.annotation
    if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
        return "Any"
    known = BY_NAME.get(p.name, "")
    if p.name in operands:
        return "Tensor | Number"
    if p.default is p.empty:
        return known or "Any"
    return _with_default(p, known)


def _with_default(p, known):
    kind = type(p.default)
    if p.name == "dim" and kind in (type(None), tuple):
        return f"{_SIZES} | None"
    if p.default is None:
        known = known.removesuffix(" | None")
        return f"{known} | None" if known else "Any"
    if p.name in _FIRM and known:
        return _joined(known, kind)
    if kind is int and p.name in _COUNTS:
        return "int"
    if kind in _WIDER:
        return _joined(known, kind) if known and known not in ("Tensor", "Tensor | Number") else _WIDER[kind]
    return known or "Any"


def _joined(known, kind):
    """known, widened by the type of the default if it does not include it."""
    accepts = {bool: ("bool", "Any"), int: ("int", "float", "Number", "Any"), float: ("float", "Number", "Any"),
               str: ("str", "Any")}
    if kind not in accepts or any(word in known for word in accepts[kind]):
        return known
    return f"{known} | {_WIDER[kind]}"


def returned(signature, default):
    """The return annotation: the function's own, or else `default`."""
    return visible(_returned(signature, default))


def _returned(signature, default):
    found = signature.return_annotation
    if found is inspect.Signature.empty:
        return default
    if found is None:
        return "None"
    if found is tuple:
        return "tuple[Tensor, ...]"
    if found is object:
        return "Any"
    if isinstance(found, type) and hasattr(found, "_fields"):
        return f"_results.{result_name(found)}"
    if isinstance(found, type) and found.__module__ == "numpy":
        return f"np.{found.__name__}[Any, Any]"
    return found if isinstance(found, str) else found.__name__


def result_name(made):
    """The name in the stubs of a named tuple; the tuple itself has the name of the function that returns it."""
    return f"{made.__name__}_result"
