"""Differences from PyTorch that are meant, each as narrow as can be said, with the reason."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Intended:
    """A kind of mismatch, the statement and the message it shows in, and why it stays."""

    kind: str
    statement: str  # a pattern of the statement's text
    message: str  # a pattern of the mismatch's message
    reason: str
    program: str = ""  # a pattern of the program's text up to there

    def covers(self, program, mismatch):
        """Whether it speaks of a mismatch."""
        upto = program.upto(mismatch.position)
        return (mismatch.kind == self.kind and re.search(self.statement, upto.statements[-1].text) is not None
                and re.search(self.message, mismatch.message) is not None and re.search(self.program, upto.text) is not None)


INTENDED = (
    Intended("accepted", "",
             "must be either float or double|is not yet implemented for|[Nn]ot supported for|not support bool|promoting not|"
             "on a bool tensor is not supported",
             "PyTorch has no kernel for the dtype; the definition holds for it all the same"),
    Intended("accepted", "soft_margin_loss", "is not differentiable with respect to argument 'target'",
             "the target's gradient is that of the formula, and costs nothing to have"),
    Intended("refused", "", "refer to a single memory location",
             "a write that overlaps its input in part is refused wherever it is; PyTorch refuses what it can tell cheaply, and "
             "writes what depends on the order of its loops elsewhere"),
    Intended("refused", "", "more than one element of the written-to tensor",
             "a write to an expanded tensor is refused wherever it is; PyTorch warns that indexed ones are deprecated, and leaves "
             "what tril_ and its like do there to the order of its loops"),
    Intended("accepted", "", "refer to a single memory location",
             "the input is read before anything is written, so that the result is that of a clone"),
    Intended("accepted", "backward|create_graph", "derivative for aten::floor_divide",
             "floor_divide has a derivative, 0, as floor has in PyTorch"),
    Intended("dtype", "create_graph", "dtype is NoneType in PyTorch",
             "floor_divide has a derivative, 0, as floor has in PyTorch", "floor_divide|//"),
    Intended("accepted", "backward|create_graph", "modified by an inplace operation",
             "a gradient keeps what it needs, or a copy; PyTorch takes a write beside it, or to the result it kept, for fatal"),
    Intended("requires_grad", "create_graph", r"gs\[\d+\]: requires_grad is False in PyTorch, True in cltensor",
             "whether a gradient that is constant in its input still counts as depending on it follows from how it is computed"),
    Intended("requires_grad", r"(eq|ne|lt|le|gt|ge)_\(", "requires_grad is",
             "comparisons written into floats have no gradient; PyTorch marks the target for some and not for others"),
    Intended("values", "", "PyTorch has nan, cltensor -?inf",
             "the mean of values among which is an infinity is that infinity, as ct.mean says in PyTorch as well",
             r"ct\.(std|var)_mean"),
    Intended("values", "", "PyTorch has nan, cltensor inf", "i0 grows beyond all bounds; SciPy gives inf", r"special\.i0"),
    Intended("values", "backward|create_graph", "PyTorch has (-?[0-9.e+]{12,}|-?0.0), cltensor (-?inf|nan)",
             "digamma's derivative at a pole is infinite; PyTorch takes the sine of a rounded multiple of pi there", "digamma"),
    Intended("values", "backward", "PyTorch has nan, cltensor",
             "a norm has no second derivative at 0; PyTorch divides 0 by 0",
             r"(normalize|cosine_similarity|norm|dist)\((.|\n)*create_graph"),
    Intended("values", "backward", "",
             "the slope of x * 2**n is 2**n; PyTorch's gradient takes 2 to a negative integer for 0", "ldexp"),
    Intended("values", "backward", "PyTorch has -?[0-9.]+, cltensor",
             "the second derivative jumps at 0, and is that of the exponential there",
             r"functional\.(elu|celu|selu)\((.|\n)*create_graph"),
    Intended("values", "backward", "PyTorch has nan, cltensor -?inf",
             "the second derivative is infinite at a pole; PyTorch divides 0 by 0", r"addcdiv(.|\n)*create_graph"),
    Intended("values", "backward|create_graph", "cltensor nan",
             "a variance without degrees of freedom is NaN, and so is its slope; PyTorch divides by 0 or a negative number",
             r"ct\.(var|std)(_mean)?\(.*correction="),
    Intended("values", "backward|create_graph", "PyTorch has nan, cltensor",
             "the sign of a difference that is NaN is 0", r"cdist\("),
    Intended("values", "backward|create_graph", "PyTorch has nan, cltensor 0.0",
             "-inf adds nothing to the logarithm of a sum, and has the slope 0", r"logcumsumexp\("),
    Intended("values", "", "",
             "an overlapping view is written from what was there before; PyTorch goes through it element by element",
             r"(as_strided|unfold)\([^\n]*\)(\.\w+_\(|\[[^\n]*\] = )"),
    Intended("values", "backward", "PyTorch has nan, cltensor 0.0",
             "the second derivative at the origin is taken for 0; PyTorch divides 0 by 0", r"atan2(.|\n)*create_graph"),
    Intended("values", "backward|create_graph", "PyTorch has nan, cltensor",
             "nothing equals a least value that is NaN, and nothing has a slope; PyTorch divides 0 by 0", r"ct\.(amin|amax)\("),
    Intended("values", "backward|create_graph", "PyTorch has nan, cltensor",
             "the slope of a product is that of its other factors; PyTorch divides by the one that is NaN", r"ct\.cumprod\("),
    Intended("accepted", "", "derivative for aten::hardsigmoid_backward", "hardsigmoid has a second derivative, 0"),
    Intended("accepted", "", "a function that returns multiple views",
             "one of several views may be written to: what is written goes into the history of what they are views of"),
    Intended("refused", "backward|create_graph", r"float\d+ \[(\d+, )*0(, \d+)*\], is at version",
             "a tensor of no elements counts as changed as any other"),
    Intended("grad", "backward", "grad is None in PyTorch, a tensor of shape",
             "whether a gradient that is constant in its input still counts as depending on it follows from how it is computed"),
    Intended("values", r"(select|slice|diagonal)_scatter\(", "",
             "a copy of an overlapping view has each element once; PyTorch's overlaps as well", r"as_strided\(|unfold\("),
    Intended("requires_grad", "", r"x\d+: requires_grad is True in PyTorch, False in cltensor",
             "comparisons written into a tensor have no gradient; PyTorch marks even integers", r"\.(eq|ne|lt|le|gt|ge)_\("),
    Intended("refused", "backward|create_graph", "DivBackward0: one of the variables .* input 1 of div",
             "a number divided by a tensor keeps the tensor; PyTorch multiplies with its reciprocal, and keeps that",
             r"= -?[\d.]+ / x"),
    Intended("refused", "backward|create_graph", "MulBackward0: one of the variables",
             "kron keeps its inputs, and tells when they have changed; PyTorch computes a wrong gradient", r"ct\.kron\("),
    Intended("refused", "", r"index is out of bounds for dimension \d+ with size 0",
             "no index is within a dimension of no elements; PyTorch looks only where it is the tensor's only one",
             "index_|scatter|put"),
    Intended("accepted", r"ct\.kron\(", "view size is not compatible", "kron takes any layout"),
    Intended("values", "", "", "a byte other than 0 and 1 is no bool", r"\.view\(ct\.bool\)"),
    Intended("refused", r"\.cum(sum|prod)_\(", "desired output type bool",
             "PyTorch refuses bools here as well, unless there is none"),
    Intended("refused", r"ct\.cum(min|max)\(", "Dimension out of range",
             "PyTorch does not look at the dimension where there is no element"),
    Intended("values", "backward", "",
             "a write through detach() leaves the history of the other views; PyTorch loses that of views of a leaf",
             r"\.detach\(\)\["),
    Intended("values", r"clamp|[<>]=? -\d", "",
             "a negative number is below all values of uint8; PyTorch wraps it around", r"uint8"),
    Intended("values", "", "has (0.0|nan), cltensor (0.0|nan)",
             "whether a product overflows before it meets a 0 depends on the order of its factors", r"\.prod\("),
    Intended("refused", "backward|create_graph", "MulBackward0: one of the variables",
             "cosine_similarity keeps its inputs, and tells when they have changed; PyTorch keeps scaled copies",
             r"cosine_similarity\("),
    Intended("refused", "backward|create_graph", "(L1|KlLog|Kl|GaussianNll|PoissonNll)Backward0: one of the variables",
             "a loss of one kernel keeps its inputs, and tells when they have changed; PyTorch keeps their difference",
             "_loss|kl_div"),
    Intended("values", "", "cltensor (-|)[0-9.]+",
             "the sign of a NaN that was computed is no sign", r"copysign(.|\n)*"),
    Intended("values", "", "int64", "the indices of what is not 0 are rows in memory; PyTorch has them as columns, so that "
             "flatten makes a copy", r"(argwhere|nonzero)\((.|\n)*(flatten|as_strided|view|reshape|ravel)"),
    Intended("values", "", "", "the source overlaps the target; PyTorch reads what it has written", r"masked_scatter_\("),
    Intended("accepted", "", "more than one element of the written-to tensor",
             "one number may be written to a place several times", r"expand[^\n]*(\] = -?[\d.]+$|\.(zero_|fill_)\()"),
    Intended("requires_grad", "", r"gs\[\d+\]: requires_grad is True in PyTorch, False in cltensor",
             "the distance of vectors without elements, and the product and the extremes of none, depend on nothing",
             r"cdist\(|prod\(|cum(max|min)\("),
    Intended("refused", "backward", "'int' object has no attribute 'backward'",
             "the same: there is no gradient left to differentiate", r"cdist\(|prod\(|cum(max|min)\("),
    Intended("values", r"hardswish\(", "PyTorch has nan, cltensor 0.0", "hardswish is 0 for all numbers up to -3, -infinity too"),
    Intended("values", "backward|create_graph", "",
             "the second derivative of logit outside of (0, 1) is NaN, as the first is; PyTorch has 0",
             r"logit\((.|\n)*create_graph"),
    Intended("accepted", "", "a leaf Variable that requires grad is being used in an in-place operation",
             "PyTorch takes for a leaf what a write through a view has given a history",
             r"x\d+\.(\w+\([^\n]*\)\.)?\w+_\([^\n]*x\d+"),
    Intended("values", "backward|create_graph", "PyTorch has nan, cltensor (-inf|0.0|-?[0-9.]+)",
             "what a gradient of 0, or an infinite one, is multiplied with comes in another order; PyTorch has 0 times NaN or "
             "infinity less infinity", r"create_graph"),
    Intended("values", "", "", "one of several views may be written to, PyTorch refuses it",
             r"\.(split|chunk|unbind)\([^\n]*\)\[\d+\] .="),
    Intended("values", "backward|create_graph", "PyTorch has 0.0, cltensor nan",
             "an infinite gradient times the slope 0 of sinc at 0 is NaN; PyTorch leaves the place out", r"sinc\("),
    Intended("values", "backward", "PyTorch has 0.0, cltensor nan",
             "the slope of t log t at a negative t is NaN, whatever it is multiplied with", r"kl_div\("),
    Intended("values", "backward|create_graph", "",
             "the slope of x / x is rounding error", r"div\((x\d+), \1\)(.|\n)*create_graph"),
    Intended("values", "", "", "the result of overlapping operands is contiguous; PyTorch lays it out as they are",
             r"as_strided\([^\n]*\) [-+*/](.|\n)*as_strided"),
    Intended("accepted", "backward|create_graph", "derivative for aten::heaviside is not implemented",
             "a step has a derivative, 0, as sign has in PyTorch"),
    Intended("refused", "backward|create_graph", "MatmulBackward0: one of the variables",
             "a product keeps its inputs, and tells when they have changed; PyTorch may have had to copy them first",
             r"tensordot\(|x\d+ @ "),
    Intended("refused", "backward|create_graph", "one of the variables",
             "what a write reads of its own target has changed when its gradient is asked for; PyTorch is given a copy here",
             r"(x\d+)\[[^\n]*\]\.addc(mul|div)_\(\1"),
    Intended("values", "backward|create_graph", "PyTorch has nan, cltensor",
             "the second derivative of sinc at 0 is its limit; PyTorch divides 0 by 0", r"sinc\((.|\n)*create_graph"),
    Intended("values", "backward|create_graph", "",
             "sinc at a whole number is rounding error, which a division by it blows up", r"sinc\((.|\n)*(addcdiv|/)"),
    Intended("accepted", r"\.repeat_interleave\(", "Dimension out of range",
             "the one dimension that a number has as a vector is its last as well as its first"),
)


def intended(program, mismatch):
    """The entry that covers a mismatch, or None."""
    return next((entry for entry in INTENDED if entry.covers(program, mismatch)), None)
