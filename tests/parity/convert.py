"""PyTorch's arguments as cltensor's: tensors with their strides and shared memory, dtypes, devices, containers."""

import inspect

import torch

import cltensor

from .database import rebound


class Inconvertible(Exception):
    """An argument that has no counterpart here (sparse, quantized, on another device)."""


class Converter:
    """Converts the arguments of one call; tensors that share memory in PyTorch share it here too."""

    def __init__(self):
        self.tensors, self.memories = {}, {}

    def __call__(self, x):
        """x's counterpart.  Raises Inconvertible."""
        if isinstance(x, torch.Tensor):
            return self.tensor(x)
        if isinstance(x, torch.Size):
            return cltensor.Size(x)
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*map(self, x))
        if isinstance(x, (list, tuple)):
            return type(x)(map(self, x))
        if isinstance(x, dict):
            return {k: self(v) for k, v in x.items() if not _is_default(k, v)}
        return _plain(x)

    def tensor(self, t):
        """t's counterpart: same values, strides, dtype and requires_grad; one object for one object."""
        if id(t) not in self.tensors:
            made = self._tensor(t)
            self.tensors[id(t)] = (t, made.requires_grad_() if t.requires_grad else made)
        return self.tensors[id(t)][1]

    def _tensor(self, t):
        dtype = _dtype(t.dtype)
        if t.layout in (torch.sparse_coo, torch.sparse_csr):
            return self._sparse(t.detach())
        if t.layout != torch.strided or t.device.type != "cpu" or t.is_quantized:
            raise Inconvertible(f"a {t.layout} tensor on {t.device}")
        t = t.detach().resolve_conj().resolve_neg()
        size = t.untyped_storage().nbytes() // t.element_size()
        if t.numel() and t.storage_offset() + sum((n - 1) * s for n, s in zip(t.shape, t.stride(), strict=True)) >= size:
            raise Inconvertible("a tensor larger than its storage, which an earlier error left behind")
        key = (t.untyped_storage().data_ptr() if size else len(self.memories), t.dtype)
        if key not in self.memories:
            self.memories[key] = self.flat(torch.as_strided(t, (size,), (1,), 0), dtype)
        with cltensor.no_grad():
            return self.memories[key].as_strided(tuple(t.shape), t.stride(), t.storage_offset()).detach()


    def _sparse(self, t):
        if t.layout == torch.sparse_csr:
            if t.ndim > 2:
                raise Inconvertible("a batch of sparse matrices")
            return cltensor.sparse_csr_tensor(*map(self, (t.crow_indices(), t.col_indices(), t.values())), tuple(t.shape))
        return cltensor.sparse_coo_tensor(self(t._indices()), self(t._values()), tuple(t.shape), is_coalesced=t.is_coalesced())

    def flat(self, t, dtype):
        """A tensor that holds the values of a whole storage."""
        return _flat(t, dtype)


def _flat(t, dtype):
    if t.dtype is torch.bfloat16:
        return cltensor.tensor(t.float().numpy()).to(dtype)
    if t.dtype is torch.complex32:
        return cltensor.tensor(t.cfloat().numpy()).to(dtype)
    return cltensor.tensor(t.numpy(force=True), dtype=dtype)


def _dtype(d):
    name = str(d).removeprefix("torch.")
    found = getattr(cltensor, name, None)
    if not isinstance(found, cltensor.dtype):
        raise Inconvertible(f"dtype {name}")
    return found


def _is_default(name, value):
    """Whether a keyword says what holds anyway: the strided layout, the CPU."""
    return name == "layout" and value is torch.strided


def _plain(x):
    if isinstance(x, torch.dtype):
        return _dtype(x)
    if isinstance(x, torch.device) or (isinstance(x, str) and x in ("cpu", "cuda", "meta", "cuda:0")):
        if str(x).startswith(("cuda", "meta")):
            raise Inconvertible(f"device {x}")
        return None
    if isinstance(x, (torch.memory_format, torch.layout)):
        name = str(x).removeprefix("torch.")
        if not hasattr(cltensor, name):
            raise Inconvertible(f"cltensor.{name} does not exist")
        return getattr(cltensor, name)
    if isinstance(x, torch.nn.Module):
        return _module(x)
    if inspect.isfunction(x):
        return rebound(x)
    if type(x).__module__.startswith("torch") or x is torch.Tensor:
        raise Inconvertible(f"a {type(x).__name__}")
    return x


def _module(m):
    if isinstance(m, torch.nn.TransformerEncoderLayer):
        return _encoder_layer(m)
    made = getattr(getattr(cltensor, "nn", None), type(m).__name__, None)
    if made is None or list(m.parameters()):
        raise Inconvertible(f"module {type(m).__name__}")
    return made()


def _encoder_layer(m):
    """A TransformerEncoderLayer of the same sizes and settings; its values are of no matter, since what holds it is loaded."""
    return cltensor.nn.TransformerEncoderLayer(
        m.self_attn.embed_dim, m.self_attn.num_heads, m.linear1.out_features, m.dropout.p, m.activation.__name__, m.norm1.eps,
        m.self_attn.batch_first, m.norm_first, m.linear1.bias is not None)


def widened(x):
    """x with float32 and complex64 tensors and dtypes in nested containers as float64 and complex128."""
    if isinstance(x, torch.Tensor):
        return x.detach().to(_WIDER[x.dtype]) if x.dtype in _WIDER else x
    if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
        return type(x)(map(widened, x))
    if isinstance(x, dict):
        return {k: widened(v) for k, v in x.items()}
    return _WIDER.get(x, x) if isinstance(x, torch.dtype) else x


_WIDER = {torch.float32: torch.float64, torch.complex64: torch.complex128}
_NARROWER = {wide: narrow for narrow, wide in _WIDER.items()}


def narrowed(x):
    """x with float64 and complex128 tensors in nested containers as float32 and complex64."""
    if isinstance(x, torch.Tensor):
        return x.to(_NARROWER[x.dtype]) if x.dtype in _NARROWER else x
    if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
        return type(x)(map(narrowed, x)) if type(x) in (list, tuple) else tuple(map(narrowed, x))
    return x


def leaves(x):
    """The tensors of either library in nested containers, in order."""
    if isinstance(x, (torch.Tensor, cltensor.Tensor, cltensor.sparse.SparseTensor)):
        return [x]
    if isinstance(x, (list, tuple)):
        return [t for y in x for t in leaves(y)]
    if isinstance(x, dict):
        return [t for y in x.values() for t in leaves(y)]
    return []
