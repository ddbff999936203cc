"""Differences from PyTorch that are meant, each as narrow as can be said, with the reason."""

import re
from dataclasses import dataclass

_GRADIENT = "backward|create_graph"


@dataclass(frozen=True)
class Intended:
    """A kind of mismatch, the statement and the message it shows in, and why it stays."""

    kind: str
    statement: str  # a pattern of the statement's text
    message: str  # a pattern of the mismatch's message
    reason: str
    program: str = ""  # a pattern of the program's text up to there
    finite: bool = True  # whether it holds among finite numbers as well

    def covers(self, program, mismatch):
        """Whether it speaks of a mismatch."""
        upto = program.upto(mismatch.position)
        return (re.fullmatch(self.kind, mismatch.kind) is not None and (self.finite or not mismatch.finite)
                and re.search(self.statement, upto.statements[-1].text) is not None
                and re.search(self.message, mismatch.message) is not None and re.search(self.program, upto.text) is not None)


INTENDED = (
    # --- what PyTorch has no kernel, no derivative or no check for ---
    Intended("accepted", "",
             "must be either float or double|is not yet implemented for|[Nn]ot supported for|not support bool|promoting not|"
             "(on|with) a bool tensor is not supported|view size is not compatible.*kron",
             "PyTorch has no kernel for the dtype or layout; the definition holds for it all the same"),
    Intended("accepted", "", "derivative for aten::|is not differentiable with respect to argument 'target'",
             "PyTorch has no formula; the derivative is that of the definition, 0 for steps"),
    Intended("dtype", "create_graph", "dtype is NoneType in PyTorch", "the same: PyTorch has no gradient there"),
    Intended("refused", "", r"(index is|Dimension) out of (bounds for dimension \d+ with size 0|range)|output type bool",
             "PyTorch looks at dimensions, indices and dtypes only where there is an element", "index_|scatter|put|cum|roll"),
    Intended("accepted", _GRADIENT, "self indexing axis dim should be positive", "the gradient of a write of no elements is empty"),
    Intended("accepted", r"addmm|baddbmm|addbmm|addmv|addr", "can't be cast to the desired output type",
             "a fraction times whole numbers is cut off; PyTorch refuses it where the product has no terms"),
    Intended("accepted", r"\.repeat_interleave\(", "Dimension out of range",
             "the one dimension that a number has as a vector is its last as well as its first"),
    Intended("accepted", r"ct\.kron\(", "view size is not compatible", "kron takes any layout"),
    # --- memory that is written to and shared ---
    Intended("refused", "", "refer to a single memory location|more than one element of the written-to tensor",
             "a write to places that overlap each other or the input is refused wherever it is; PyTorch refuses what it can tell "
             "cheaply, and leaves the rest to the order of its loops"),
    Intended("accepted", "", "refer to a single memory location|ZeroDivisionError",
             "the input is read before anything is written, so that the result is that of a clone"),
    Intended("accepted", r"(\] = -?[\d.]+$|\.(zero_|fill_)\()", "more than one element of the written-to",
             "one number may be written to a place several times"),
    Intended("values", "", "",
             "an overlapping view is written from what was there before; PyTorch goes through it element by element",
             r"(as_strided|unfold)\([^\n]*\)(\.\w+_\(|\[[^\n]*\] .?= |(.|\n)*\.(scatter|index|put|masked)\w*_\()|"
             r"masked_scatter_\("),
    Intended("values", r"ct\.(matmul|mm|bmm)\([^\n]*out=", "",
             "a product reads its factors before it writes to one of them; PyTorch clears the target first where it does not see "
             "that they are one"),
    Intended("values", r"(select|slice|diagonal)_scatter\(", "",
             "a copy of an overlapping view has each element once; PyTorch's overlaps as well", r"as_strided\(|unfold\("),
    Intended("accepted", "", "a function that returns multiple views",
             "one of several views may be written to: what is written goes into the history of what they are views of"),
    Intended("accepted|values", "", "", "the same, where PyTorch does not say so",
             r"\.(split|chunk|unbind|tensor_split|hsplit|vsplit|dsplit)\([^\n]*\)\[\d+\] .="),
    Intended("values|refused", "", "", "a byte other than 0 and 1 is no bool", r"\.view\(ct\.bool\)"),
    Intended("values", "", "int64", "the indices of what is not 0 are rows in memory; PyTorch has them as columns, so that "
             "flatten makes a copy", r"(argwhere|nonzero)\((.|\n)*(flatten|view|reshape|ravel)"),
    # --- history ---
    Intended("accepted", _GRADIENT, "modified by an inplace operation",
             "a gradient keeps what it needs, or a copy; PyTorch takes a write beside it, or to the result it kept, for fatal"),
    Intended("refused", _GRADIENT,
             r"(Div|Mul|Matmul|WhereSelect|L1|KlLog|Kl|GaussianNll|PoissonNll(Log)?|CrossEntropyNumbers|Tanhshrink|Softsign)"
             r"Backward0: one of the variables|float\d+ \[(\d+, )*0(, \d+)*\], is at version",
             "an op keeps its inputs and tells when they have changed, also if they hold no element; PyTorch keeps something "
             "computed from them in some ops"),
    Intended("refused", _GRADIENT, "one of the variables",
             "what a write reads of its own target has changed when its gradient is asked for; PyTorch is given a copy here",
             r"(x\d+)\[[^\n]*\]\.addc(mul|div)_\(\1"),
    Intended("requires_grad|grad", f"{_GRADIENT}|index_add_", "requires_grad is False in PyTorch|grad is None in PyTorch",
             "whether a gradient that is constant in its input still counts as depending on it follows from how it is computed"),
    Intended("requires_grad|grad|refused", _GRADIENT, "False in cltensor|None in cltensor|'int' object has no attribute 'backward'",
             "the distance of vectors without elements, and the product and extremes of none, depend on nothing",
             r"cdist\(|prod\(|cum(max|min)\("),
    Intended("requires_grad", "", r"x\d+: requires_grad is",
             "comparisons written into a tensor have no gradient; PyTorch marks some, even integers", r"\.(eq|ne|lt|le|gt|ge)_\("),
    Intended("accepted", "", "a leaf Variable that requires grad",
             "a view of what a write has made depend on an input is no leaf",
             r"x\d+\.(\w+\([^\n]*\)\.)?\w+_\([^\n]*x\d+|x\d+(\.\w+\([^\n]*\))?\[[^\n]*\] .?= x\d+"),
    Intended("values", "backward", "",
             "a write through detach() leaves the history of the other views; PyTorch loses that of views of a leaf",
             r"\.detach\(\)\["),
    Intended("values", _GRADIENT, "",
             "the slope of x * 2**n is 2**n; PyTorch's gradient takes 2 to a negative integer for 0", "ldexp"),
    # --- NaN, infinities and signs ---
    Intended("values", _GRADIENT, "",
             "what a gradient is among infinities and NaN depends on the form of its formula: 0 times infinity is NaN, a term that "
             "is left out is 0", finite=False),
    Intended("values", "", "PyTorch has nan, cltensor (-?inf|0.0)",
             "the limit exists: the mean among which is an infinity, i0 and hardswish of infinities, the similarity to zeros in "
             "float16, where PyTorch's least length is 0",
             r"ct\.(std|var)_mean|special\.i0|hardswish\(|cosine_similarity\(|normalize\("),
    Intended("values", r"trunc|floor|ceil|frac|fmod|remainder|//|\.(int|long|short)\(|\.to\(ct\.u?int",
             "PyTorch has (0.0|1.0|0|1), cltensor (0.0|1.0|0|1)$", "a step is taken at a 1 that was rounded",
             r"cosine_similarity\(|normalize\("),
    Intended("values", "", "", "the same mean, seen through another function", r"(std|var)_mean\((.|\n)*", finite=False),
    Intended("values", "", "has (0.0|nan), cltensor (0.0|nan)",
             "whether a product overflows before it meets a 0 depends on the order of its factors", r"prod\("),
    Intended("values", "", "int", "the bits of a NaN that was computed are not defined", r"\.view\(ct\.(b?float|double)",
             finite=False),
    Intended("values", "copysign|signbit", "", "the sign of a NaN that was computed is not defined", finite=False),
    Intended("values", "copysign|signbit|atan2", "", "the sign of a NaN that was computed, and of a zero that was added to, is not "
             "defined", r" [-+*/%@] |remainder|fmod|add|einsum|prod|matmul|sum|div"),
    Intended("values", r"reciprocal| / |div(ide)?_?\(", "has -?inf, cltensor -?inf", "the same, seen in the sign of an infinity"),
    Intended("values", "", "",
             "the sign of a zero that a product adds up to depends on the number it starts from; a quotient shows it as that of an "
             "infinity", r"( @ |dot|mm|mv|matmul|einsum|outer|kron)(.|\n)*(reciprocal| / |div)", finite=False),
    Intended("values", r"\.(float|double)\(", "float(32|64)",
             "several numbers added to one place round after each addition in 16 bits; PyTorch's do in some functions",
             r"float16(.|\n)*(scatter_add|index_add|put_|scatter_reduce)"),
    Intended("values", _GRADIENT, r"shape \[(\d{3,}|[2-9]\d|1[7-9])",
             "which of equal numbers comes first is only settled by a stable sort", r"(msort|sort|topk)\("),
)


def intended(program, mismatch):
    """The entry that covers a mismatch, or None."""
    return next((entry for entry in INTENDED if entry.covers(program, mismatch)), None)
