"""Unification: programs captured for a few sizes are gone through side by side, and Rules made of what differs."""

import copy
import functools
from dataclasses import replace

from ..base.observed_sizes import computed, positions
from ..dispatch.spec import Spec, dense, spec
from .alike import alike, alike_functions, equal, follows_rule, same, shapes_by_rule
from .captured import ReturnedLeaf, ReturnedTensor, ReturnedValue
from .formulas import Formula, NotGeneral, bytes_rule
from .ir import Action, Block, Graph, Node, Origin, Region, Result, Scalar, Use, Value
from .rules import Rule, once

#: elements of a tensor from which on kernels compute positions in another way
_WIDE = 2**31


class Unification:
    """Makes rules from the parts of several programs that stand at the same place.  The first program is the base."""

    def __init__(self, symbols, offsets, observations, actions=None):
        self._symbols, self._specs, self._sizes_by_rule, self._offsets = symbols, {}, {}, offsets
        self._outer = {}  # Block of a region -> the Block around it that it stands for
        self._paired, self._blocks = {}, {}  # Block of the base -> those of the others; -> its BlockRule
        self._observations, self._given = observations, {}  # numbers that ops were given -> their formula
        for asked in zip(*(o.questions() for o in observations), strict=True):
            if asked[0][0] == "given" and len({form for _, form, _, _ in asked}) == 1:
                self._given.setdefault(tuple([n for _, _, n, _ in asked]), asked[0][1])
        self._actions = {} if actions is None else actions  # Action of the base -> its rule

    def captured(self, found):
        """The rule of Captureds."""
        base = found[0]
        if any(c.template != base.template or c.same != base.same or (c.backward is None) != (base.backward is None)
               or list(map(_leaf, c.leaves)) != list(map(_leaf, base.leaves)) for c in found):
            raise NotGeneral("other results or gradients come out")
        first, last = ([c.stages[k][1] for c in found] for k in (0, -1))
        parts = {"follow": [follows_rule(n) for n in first[0].nodes], "before": self.of(first),
                 "graph": self.of(last), "actions": self.each(c.actions for c in found),
                 "results": self.each(c.results for c in found), "leaves": self.each([x[1:3] for x in c.leaves] for c in found)}
        for name in ("gradients", "fresh"):
            parts[name] = self.each(getattr(c, name) for c in found)
        parts["arguments"] = self.each([b for b, _, _ in c.arguments] for c in found)
        backward = None if base.backward is None else self._backward([c.backward for c in found])
        for block, rule in self._blocks.items():
            rule.finish(self, (block, *self._paired[block]))
        return Rule(functools.partial(_made_captured, base, parts, backward))

    def _backward(self, found):
        base = found[0]
        if any((b.places, b.positions, b.from_arguments) != (base.places, base.positions, base.from_arguments)
               or not same(b.leaves, base.leaves) for b in found):
            raise NotGeneral("gradients go to other places")
        offsets = [[*[(0, 1)] * len(base.specs), *(given[i] for i in base.from_arguments), *[(0, 1)] * len(base.saved)]
                   for given in self._offsets]
        program = Unification(self._symbols, offsets, self._observations, self._actions).captured([b.program for b in found])
        saved, specs = self.each(b.saved for b in found), self.each(b.specs for b in found)

        def make(at):
            made = copy.copy(base)
            made.saved, made.specs, made.program = at.list(saved), at.list(specs), at.of(program)
            return made

        return Rule(make)

    # --- parts -----------------------------------------------------------------------------------------------------------

    def each(self, lists):
        """The rules of the parts of lists."""
        lists = list(map(list, lists))
        if len(set(map(len, lists))) > 1:
            raise NotGeneral(f"there are {' and '.join(str(len(x)) for x in lists)} of something")
        return [self.of(parts) for parts in zip(*lists, strict=True)]

    def of(self, found):
        """The rule of parts that stand at the same place, or what they all are."""
        first = found[0]
        kind = type(first)
        if any(type(x) is not kind for x in found):
            raise NotGeneral(f"there is {', '.join(repr(x) for x in found)} at one place")
        special = _KINDS.get(kind)
        if special is not None:
            return special(self, found)
        if kind in (int, float):
            return self.number(found)
        if kind in (tuple, list):
            rules = self.each(found)
            return Rule(lambda at: kind(at.list(rules))) if any(isinstance(r, Rule) for r in rules) else first
        if not all(equal(x, first) for x in found):
            raise NotGeneral(f"there is {', '.join(repr(x) for x in found)} at one place")
        return first

    def number(self, found):
        """A rule for numbers."""
        try:
            fitted = self._symbols.fit(found)
        except NotGeneral:
            rule = self._multiple(found) or self._by_formula(tuple(found))
            if rule is None:
                raise
            return rule
        return Rule(lambda at: at.number(fitted)) if isinstance(fitted, Formula) else fitted

    def _multiple(self, found):
        """A rule for multiples of a size that an op's own rule gives; None for other numbers."""
        for sizes, size in self._sizes_by_rule.items():
            factor, rest = divmod(found[0], sizes[0])
            if not rest and all(n == factor * s for n, s in zip(found, sizes, strict=True)):
                return Rule(lambda at, size=size, factor=factor: factor * at.of(size))
        return None

    def _by_formula(self, found):
        """A rule for numbers that the program has computed from sizes and given to an op; None for others."""
        form = self._given.pop(found, None)  # its sizes must follow from something else
        if form is None:
            return None
        sizes = {k: self.number([o.sizes[k] for o in self._observations]) for k in positions(form)}
        self._given[found] = form
        return Rule(lambda at: computed(form, {k: at.of(n) for k, n in sizes.items()}))

    def spec(self, found):
        """A rule for Specs."""
        found = tuple(found)
        if found not in self._specs:
            self._specs[found] = self._spec(found)
        return self._specs[found]

    def _spec(self, found):
        first = found[0]
        if all(s is first for s in found):
            return first
        if any((s.dtype, s.device, s.ndim) != (first.dtype, first.device, first.ndim) for s in found):
            raise NotGeneral("dtypes or numbers of dimensions differ")
        shape = [self._size(sizes) for sizes in zip(*(s.shape for s in found), strict=True)]
        strides = None if all(s.contiguous for s in found) else self._strides(found, shape)
        wide = any(s.numel >= _WIDE for s in found)

        def make(at):
            sizes = tuple(at.list(shape))
            made = spec(sizes, tuple(at.list(strides)), first.dtype, first.device) if strides else dense(
                sizes, first.dtype, first.device)
            if made.numel >= _WIDE and not wide:
                raise NotGeneral("a tensor is too large")
            return made

        return Rule(once(make))

    def _size(self, sizes):
        rule = self.number(sizes)
        if not isinstance(rule, Rule):
            return rule
        if min(sizes) < 2:
            raise NotGeneral("a size is 0 or 1 for some sizes of the arguments")
        return Rule(lambda at: at.size(rule))

    def _strides(self, found, shape):
        """Rules for strides: constants, products of an inner dimension's stride and size, or by a formula."""
        strides, rules = list(zip(*(s.strides for s in found), strict=True)), {}
        for d in sorted(range(len(strides)), key=lambda d: strides[d][0]):
            if len(set(strides[d])) == 1:
                rules[d] = strides[d][0]
                continue
            inner = next((k for k in rules if all(s.strides[d] == s.strides[k] * s.shape[k] for s in found)), None)
            if inner is None:
                rules[d] = self.number(strides[d])
            else:
                rules[d] = Rule(lambda at, k=inner, step=rules[inner]: at.of(step) * at.of(shape[k]))
        return [rules[d] for d in range(len(strides))]

    def _use(self, found):
        spec_, value = self.of([u.spec for u in found]), self.of([u.value for u in found])
        offset, block = self._offset(found), self._blocks[found[0].block]
        if all(u.covers() for u in found):
            block.covered = block.covered or spec_
        return Rule(once(lambda at: Use(at.of(value), at.of(spec_), at.of(offset))))

    def _offset(self, found):
        """A rule for offsets.  Those into arguments count from the argument's own, which a replay moves."""
        offsets, base = [u.offset for u in found], 0
        block = found[0].block
        while block in self._outer:
            block = self._outer[block]
        if block.origin is Origin.ARGUMENT and len(set(offsets)) > 1:
            starts = [given[block.source] for given in self._offsets]
            if any(start * size % u.spec.itemsize for (start, size), u in zip(starts, found, strict=True)):
                raise NotGeneral("an argument is viewed as another dtype")
            starts = [start * size // u.spec.itemsize for (start, size), u in zip(starts, found, strict=True)]
            offsets, base = [n - start for n, start in zip(offsets, starts, strict=True)], starts[0]
        rule = self.number(offsets)
        return Rule(lambda at: at.offset(rule, base)) if base or isinstance(rule, Rule) else rule

    def _value(self, found):
        if len({v.version for v in found}) > 1:
            raise NotGeneral("memory is written to in another order")
        block, version = self.block([v.block for v in found]), found[0].version
        return Rule(lambda at: Value(at.of(block), version))

    def block(self, found):
        """The rule of Blocks."""
        base, *others = found
        known = self._paired.get(base)
        if known is None:
            if any(b.origin is not base.origin or b.device is not base.device for b in others):
                raise NotGeneral("memory comes from other places")
            if base.origin is not Origin.CONSTANT and any(b.source is not base.source and b.source != base.source for b in others):
                raise NotGeneral("memory from other places is used")
            self._paired[base], self._blocks[base] = others, BlockRule(base)
        elif not same(known, others):
            raise NotGeneral("memory is used in another way")
        return self._blocks[base].rule

    def _node(self, found):
        base = found[0]
        if not all(alike(n.op, base.op) for n in found):
            raise NotGeneral(f"other ops run: {', '.join(dict.fromkeys(n.op.name for n in found))}")
        for region in base.regions:
            places = region.parameters.items()
            self._outer.update((b, base.operands[place].block) for b, place in places if place < len(base.operands))
        parts = {name: self.each(getattr(n, name) for n in found) for name in ("operands", "attrs", "numbers", "regions")}
        if shapes_by_rule(base.op, base.operands, base.attrs) is not None and not base.regions:
            self._results_by_rule(base.op, parts["operands"], parts["attrs"], [n.results for n in found])
        parts["results"] = self.each(n.results for n in found)
        return Rule(lambda at: replace(base, **{name: tuple(at.list(rules)) for name, rules in parts.items()}))

    def _results_by_rule(self, op, operands, attrs, found):
        """Take Specs of results that follow no formula from the op's own rule, such as how many parts a sum is computed in."""
        for k, results in enumerate(zip(*found, strict=True)):
            specs = tuple([r.use.spec for r in results])
            try:
                self.spec(specs)
            except NotGeneral:
                if not all(s.contiguous and s.dtype is specs[0].dtype for s in specs):
                    raise
                rule = self._specs[specs] = Rule(once(functools.partial(_by_rule, op, operands, attrs, k, specs[0])))
                for d, sizes in enumerate(zip(*(s.shape for s in specs), strict=True)):
                    if len(set(sizes)) > 1:
                        self._sizes_by_rule[sizes] = Rule(lambda at, rule=rule, d=d: at.of(rule).shape[d])

    def _record(self, found):
        """A rule for dataclasses, field by field."""
        base = found[0]
        parts = {name: self.of([getattr(x, name) for x in found]) for name in base.__dataclass_fields__}
        return Rule(lambda at: replace(base, **{name: at.of(rule) for name, rule in parts.items()}))

    def _dict(self, found):
        pairs = self.each(x.items() for x in found)
        return Rule(lambda at: dict(at.list(pairs)))

    def _action(self, found):
        """A rule for Actions: the same one, or a partial with other numbers."""
        base = found[0]
        if base not in self._actions:
            self._actions[base] = self._computed(base, found)
        return self._actions[base]

    def _computed(self, base, found):
        if all(alike_functions(a.compute, base.compute) for a in found):
            return base
        computes = [a.compute for a in found]
        if any(type(c) is not functools.partial or c.func != base.compute.func or c.keywords for c in computes):
            raise NotGeneral("what runs in Python differs")
        arguments = self.each(c.args for c in computes)
        return Rule(once(lambda at: Action(functools.partial(base.compute.func, *at.list(arguments)), base.serial)))

    def _scalar(self, found):
        action, base = self.of([s.action for s in found]), found[0]
        if any(s.place != base.place for s in found):
            raise NotGeneral("numbers that Python computes go elsewhere")
        return Rule(lambda at: Scalar(at.of(action), base.place)) if isinstance(action, Rule) else base

    def result(self, found):
        """The rule of what a program returns: tensors and other values."""
        base = found[0]
        if any(_fixed(r) != _fixed(base) for r in found):
            raise NotGeneral("other tensors are returned")
        rules = {name: self.of([getattr(r, name) for r in found]) for name in ("use", "value", "grad") if hasattr(base, name)}

        def make(at):
            made = copy.copy(base)
            for name, rule in rules.items():
                setattr(made, name, at.of(rule))
            return made

        return Rule(make)


class BlockRule:
    """How the Block of the base is made for other sizes.  covered: the rule of a Spec that shows all of it."""

    def __init__(self, base):
        self.base, self.covered, self.size, self.bytes = base, None, None, None
        self.rule = Rule(once(self._make))

    def finish(self, unified, found):
        """Find the rule of its size, once all uses are known."""
        own = self.base.origin in (Origin.MADE, Origin.CONSTANT)
        if own and self.covered is None:
            self.size = unified.number([b.nbytes for b in found])
        if self.base.origin is Origin.CONSTANT:
            self.bytes = bytes_rule([b.source for b in found])

    def _make(self, at):
        base = self.base
        if base.origin not in (Origin.MADE, Origin.CONSTANT):
            return Block(base.number, base.device, base.nbytes, base.origin, base.source)
        nbytes = at.of(self.size) if self.covered is None else at.of(self.covered).nbytes
        source = None if self.bytes is None else self.bytes(nbytes)
        if self.bytes is not None and source is None:
            raise NotGeneral("a constant is needed for a larger size")
        return Block(base.number, base.device, nbytes, base.origin, source)


def _made_captured(base, parts, backward, at):
    """A copy of a Captured with its parts for other sizes."""
    before, graph = at.of(parts["before"]), at.of(parts["graph"])
    if not all(follows_rule(n) for n, follows in zip(before.nodes, parts["follow"], strict=True) if follows):
        raise NotGeneral("an op has results of another shape")
    made = copy.copy(base)
    made.stages = (("captured", before), ("for these sizes", graph))
    made.graph, made.actions, made.replay, made.plans = graph, at.list(parts["actions"]), None, {}
    made.results, made.gradients, made.fresh = (at.list(parts[name]) for name in ("results", "gradients", "fresh"))
    made.arguments = [(b, i, offset) for b, (_, i, offset) in zip(at.list(parts["arguments"]), base.arguments, strict=True)]
    made.leaves = [(leaf, *at.of(rule), same) for (leaf, _, _, same), rule in zip(base.leaves, parts["leaves"], strict=True)]
    made.backward = at.of(backward)
    return made


def _by_rule(op, operands, attrs, k, base, at):
    shape = shapes_by_rule(op, at.list(operands), at.list(attrs))[k]
    if any(n < 2 and n != b for n, b in zip(shape, base.shape, strict=True)):
        raise NotGeneral("a size is 0 or 1")
    return base.dense(shape)


def _fixed(returned):
    """What a ReturnedTensor holds that is the same for all sizes; tensors by identity."""
    return {name: value if isinstance(value, (bool, int, type)) else id(value) for name, value in vars(returned).items()
            if name not in ("use", "value", "grad")}


def _leaf(entry):
    leaf, _, use, same = entry
    return leaf if isinstance(leaf, int) else id(leaf), use is None, same


_KINDS = {
    Spec: Unification.spec, Use: Unification._use, Value: Unification._value, Block: Unification.block, Node: Unification._node,
    Graph: Unification._record, Region: Unification._record, Result: Unification._record, dict: Unification._dict,
    Action: Unification._action, Scalar: Unification._scalar,
    **dict.fromkeys((ReturnedLeaf, ReturnedTensor, ReturnedValue), Unification.result)}
