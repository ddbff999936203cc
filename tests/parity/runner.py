"""Running one entry: its samples through PyTorch and through us, and what differs."""

import traceback
import warnings
from dataclasses import dataclass, field

import torch

import cltensor

from . import samples
from .compare import Difference, same, shares_memory
from .convert import Converter, Inconvertible, leaves, narrowed, widened
from .database import Missing, entries, implementation, is_missing, rebound, variant

#: entries whose values are random, uninitialised or depend on a random projection: only shape and dtype are compared
RANDOM = frozenset("""
    cauchy exponential geometric log_normal normal.in_place uniform randn randn_like rand_like randint randint_like
    multinomial normal normal.number_mean bernoulli empty empty_like empty_strided empty_permuted new_empty
    new_empty_strided nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d nn.functional.alpha_dropout
    nn.functional.feature_alpha_dropout.with_train nn.functional.rrelu nn.functional.fractional_max_pool2d
    nn.functional.fractional_max_pool3d resize_ resize_as_ svd_lowrank
""".split())

#: entries whose factors are not unique; the database's own invariant function of the factors is compared instead
NOT_UNIQUE = frozenset("""
    svd linalg.svd linalg.eigh linalg.eig svd_lowrank pca_lowrank linalg.lstsq linalg.lstsq.grad_oriented
""".split())


#: entries that return indices of elements that may be equal, so that several answers are right: the place of `dim` in args
CHOICES = {"sort": 0, "argsort": 0, "topk": 1, "kthvalue": 1, "mode": 0}


@dataclass
class Failure:
    """One check that did not hold."""

    where: str
    message: str
    detail: str = ""


@dataclass
class Report:
    """What came of one entry: the checks that failed, whether the function exists, how many calls were compared."""

    name: str
    failures: list = field(default_factory=list)
    missing: str = ""
    calls: int = 0

    @property
    def status(self):
        """"pass", "fail" or "missing"."""
        return "missing" if self.missing else "fail" if self.failures or not self.calls else "pass"

    @property
    def reason(self):
        """One line that says why the entry does not pass."""
        if self.missing:
            return self.missing
        if self.failures:
            first = self.failures[0]
            return f"{first.where}: {first.message}"
        return "" if self.calls else "no sample of the dtypes tried can be expressed here"


class _Enough(Exception):
    pass


class Run:
    """All checks of one entry."""

    def __init__(self, name, most_failures):
        self.op, self.report, self.most = entries()[name], Report(name), most_failures
        self.name = name

    def all(self):
        """The Report, after at most `most_failures` failures."""
        try:
            self.fn = implementation(self.op)
            self._dtypes()
            self._errors()
        except Missing as error:
            self.report.missing = str(error)
        except _Enough:
            pass
        return self.report

    def _dtypes(self):
        supported = self.op.supported_dtypes("cpu")
        for dtype in samples.LIMITS:
            if dtype not in supported:
                continue
            grad = (dtype in samples.DIFFERENTIATED and self.op.supports_autograd
                    and dtype in self.op.supported_backward_dtypes("cpu"))
            for i, s in enumerate(samples.chosen(self.op, self.name, dtype, grad)):
                where = f"{str(dtype).removeprefix('torch.')} sample {i}"
                self._check(where, s, self._gradients if grad else self._values)
                if dtype is torch.float32 and i < samples.VARIANTS:
                    self._variants(where, s)
                if dtype is torch.float32 and i < samples.OUTS and self.op.supports_out:
                    self._check(f"{where}, out=", s, self._out)

    def _check(self, where, sample, check):
        """Run one check; note how it failed."""
        try:
            check(sample)
        except Inconvertible:
            pass
        except Missing:
            raise
        except Exception as error:
            self._failed(where, sample, error)

    def _failed(self, where, sample, error):
        if is_missing(error):
            raise Missing(str(error)) from error
        text = " ".join(str(error).split())
        message = text if isinstance(error, Difference) else f"raises {type(error).__name__}: {text}"
        frames = traceback.extract_tb(error.__traceback__)[2:]
        detail = "" if isinstance(error, Difference) else "".join(traceback.format_list(frames))
        self.report.failures.append(Failure(where, message, f"{detail}{_shown(sample)}"))
        if len(self.report.failures) >= self.most:
            raise _Enough from error

    # --- the function ------------------------------------------------------------------------------------------------

    def _values(self, s, fn=None, torch_fn=None):
        convert = Converter()
        ours, theirs = convert((s.input, s.args, s.kwargs)), (s.input, s.args, s.kwargs)
        expected = (torch_fn or self.op.op)(theirs[0], *theirs[1], **theirs[2])
        got = (fn or self.fn)(ours[0], *ours[1], **ours[2])
        self.report.calls += 1
        self._same(s, got, expected)
        self._sharing(got, expected, leaves(ours), leaves(theirs))
        return ours, theirs, got, expected

    def _same(self, s, got, expected):
        process = s.output_process_fn_grad
        if self.name in NOT_UNIQUE:
            got, expected = rebound(process)(got), process(expected)
        if self.name in CHOICES and not s.kwargs.get("stable"):
            got, expected = self._picked(s, got), self._picked(s, expected)
        values = self.name not in RANDOM and not _is_dropping(s)
        try:
            same(self.name, got, expected, values=values)
        except Difference:
            if not values or not self._right_in_double(s, got):
                raise

    def _right_in_double(self, s, got):
        """Whether a float32 result that is not PyTorch's is what PyTorch computes in float64."""
        if not any(t.dtype in (torch.float32, torch.complex64) for t in leaves((s.input, s.args, s.kwargs))):
            return False
        try:
            expected = self.op.op(widened(s.input), *widened(s.args), **widened(s.kwargs))
            same(self.name, got, narrowed(expected))
        except Exception:
            return False
        return True

    def _picked(self, s, result):
        """A result with its indices replaced by the values they pick."""
        place = CHOICES[self.name]
        dim = s.kwargs.get("dim", s.args[place] if len(s.args) > place else -1)
        if not s.input.ndim:
            return result
        indices = result if self.name == "argsort" else result[1]
        source = s.input if isinstance(indices, torch.Tensor) else Converter()(s.input)
        shape = indices.shape
        if len(shape) < s.input.ndim:
            indices = indices.unsqueeze(dim)
        return (*(() if self.name == "argsort" else result[:1]), source.gather(dim, indices).reshape(shape))

    def _sharing(self, got, expected, ours, theirs):
        for i, (g, e) in enumerate(zip(leaves(got), leaves(expected), strict=True)):
            if e.is_conj() or e.is_neg():
                continue  # a conjugate yet to be computed, which is computed at once here
            if shares_memory(e, theirs) and not shares_memory(g, ours):
                raise Difference(f"result {i} is a view of an input in PyTorch, ours is not")
            if shares_memory(g, ours) and not shares_memory(e, theirs):
                raise Difference(f"result {i} shares an input's memory, PyTorch's does not")

    def _gradients(self, s):
        ours, theirs, got, expected = self._values(s)
        if self.name in RANDOM or _is_dropping(s):
            return
        process = s.output_process_fn_grad
        got, expected = leaves(rebound(process)(got)), leaves(process(expected))
        pairs = [(g, e) for g, e in zip(got, expected, strict=True) if e.requires_grad]
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            if g.requires_grad != e.requires_grad:
                raise Difference(f"result {i}: requires_grad is {g.requires_grad}, in PyTorch {e.requires_grad}")
        inputs = [(o, t) for o, t in zip(leaves(ours), leaves(theirs), strict=True) if t.requires_grad]
        if not pairs or not inputs:
            return
        seeds = [torch.randn(e.shape, dtype=e.dtype) for _, e in pairs]
        wanted = torch.autograd.grad([e for _, e in pairs], [t for _, t in inputs], seeds, allow_unused=True)
        found = cltensor.autograd.grad([g for g, _ in pairs], [o for o, _ in inputs],
                                       Converter()(seeds), allow_unused=True)
        for i, (g, e, (_, t)) in enumerate(zip(found, wanted, inputs, strict=True)):
            e = torch.zeros_like(t) if e is None else e
            if g is None and not e.any():
                continue
            same(self.name, g, e, f"gradient of tensor {i}")

    # --- methods, in-place forms, out= -------------------------------------------------------------------------------

    def _variants(self, where, s):
        method, inplace = self.op.get_method(), self.op.get_inplace()
        if method is not None and method is not self.op.op:
            self._check(f"{where}, method", s, lambda s: self._values(s, self._variant(method), method))
        if inplace is not None and not s.broadcasts_input and isinstance(s.input, torch.Tensor):
            self._check(f"{where}, in place", s, lambda s: self._inplace(s, inplace))

    def _variant(self, torch_variant):
        try:
            return variant(self.op, torch_variant)
        except Missing as error:
            raise Difference(str(error)) from None

    def _inplace(self, s, inplace):
        fn = self._variant(inplace)
        ours = Converter()((s.input.clone(), s.args, s.kwargs))
        theirs = s.input.clone()
        try:
            inplace(theirs, *s.args, **s.kwargs)
        except Exception as error:
            self._raises(lambda: fn(ours[0], *ours[1], **ours[2]), type(error), str(error))
            return
        result = fn(ours[0], *ours[1], **ours[2])
        if result is not ours[0]:
            raise Difference("an in-place method returns something other than its tensor")
        try:
            same(self.name, ours[0], theirs, values=self.name not in RANDOM)
        except Difference:
            if self.name in RANDOM or not self._right_in_double(s, ours[0]):
                raise

    def _out(self, s):
        expected = self.op.op(s.input, *s.args, **s.kwargs)
        if "out" in s.kwargs or not _all_tensors(expected):
            return
        ours = Converter()((s.input, s.args, s.kwargs))
        targets = [cltensor.empty(0, dtype=getattr(cltensor, str(e.dtype).removeprefix("torch."))) for e in leaves(expected)]
        out = targets[0] if isinstance(expected, torch.Tensor) else tuple(targets)
        got = self.fn(ours[0], *ours[1], **ours[2], out=out)
        if any(g is not t for g, t in zip(leaves(got), targets, strict=True)):
            raise Difference("out=: the result is not the tensor given")
        self._same(s, got, expected)

    # --- errors ------------------------------------------------------------------------------------------------------

    def _errors(self):
        for i, e in enumerate(samples.errors(self.op, self.name)):
            self._check(f"error input {i}", e.sample_input, lambda s, e=e: self._error(s, e))

    def _error(self, s, error):
        ours = Converter()((s.input, s.args, s.kwargs))
        expected = error.error_type if isinstance(error.error_type, tuple) else (error.error_type,)
        try:
            self.op.op(s.input, *s.args, **s.kwargs)
        except Exception as raised:  # some entries expect errors that this build of PyTorch does not raise
            expected = (*expected, type(raised))
        else:
            return
        self._raises(lambda: self.fn(ours[0], *ours[1], **ours[2]), expected, error.error_regex)

    def _raises(self, call, expected, text):
        self.report.calls += 1
        expected = expected if isinstance(expected, tuple) else (expected,)
        names = " or ".join(c.__name__ for c in expected)
        try:
            got = call()
            for t in leaves(got):
                t.detach().cpu().numpy() if t.dtype is not cltensor.bfloat16 else None
        except expected:
            return
        except Exception as wrong:
            if is_missing(wrong):
                raise
            raise Difference(f"expected {names} ({' '.join(text.split())}), got {type(wrong).__name__}: {wrong}") from wrong
        raise Difference(f"expected {names} ({' '.join(text.split())}), but nothing was raised")


def _all_tensors(x):
    return isinstance(x, torch.Tensor) or (isinstance(x, tuple) and bool(x) and all(isinstance(t, torch.Tensor) for t in x))


def _is_dropping(s):
    return bool(s.kwargs.get("dropout_p"))


def _shown(sample):
    keywords = "".join(f", {k}={_described(v)}" for k, v in sample.kwargs.items())
    return f"sample: {', '.join(map(_described, (sample.input, *sample.args)))}{keywords}"[:2000]


def _described(x):
    """A short text for an argument; the values of small tensors only, as PyTorch cannot print all that errors left behind."""
    if isinstance(x, torch.Tensor) and x.layout != torch.strided:
        return f"<{str(x.dtype).removeprefix('torch.')} {list(x.shape)} {x.layout}>"
    if isinstance(x, torch.Tensor):
        values = f" {x.tolist()}" if x.numel() <= 12 and x.is_contiguous() else ""
        grad = " requires_grad" if x.requires_grad else ""
        return f"<{str(x.dtype).removeprefix('torch.')} {list(x.shape)} strides {list(x.stride())}{grad}{values}>"
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(_described, x))}]"
    return repr(x)


def run(name, most_failures=1):
    """Run one entry; returns its Report."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Run(name, most_failures).all()
