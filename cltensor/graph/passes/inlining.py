"""Inlining: expressions of several nodes over one list of operands and one of numbers."""

from ...codegen import expr
from ..ir import Use


class Inlining:
    """The operands and numbers that expressions use, by name: x0, x1 and so on, and s0, s1 and so on.

    uses: {Use: Input}, in order; numbers: a list; names: those of the numbers.
    """

    def __init__(self):
        self.uses, self.numbers = {}, []

    @property
    def names(self):
        """The names of the numbers, in order."""
        return [f"s{k}" for k in range(len(self.numbers))]

    def exprs(self, node, found, as_operand=lambda use: use):
        """The expressions of an elementwise node.

        found: {Value: expression} of operands that are no memory here; as_operand: a Use -> the Use that stands for it.
        """
        given = {}
        for name, operand in zip(node.op.inputs, node.operands, strict=True):
            if not isinstance(operand, Use):
                given[name] = self._number(operand)
            elif operand.value in found:
                given[name] = found[operand.value]
            else:
                given[name] = self.use(as_operand(operand))
        for name, number in zip(node.op.attr_names, node.numbers, strict=True):
            given[name] = self._number(number)
        return expr.substitute(node.op.exprs, given)

    def use(self, operand):
        """The Input that stands for a Use."""
        return self.uses.setdefault(operand, expr.Input(f"x{len(self.uses)}"))

    def _number(self, number):
        self.numbers.append(number)
        return expr.Input(f"s{len(self.numbers) - 1}")
