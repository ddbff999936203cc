"""Optimizer: groups of parameters with settings, the state of each parameter, and the step that updates them."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd.modes import enable_grad, set_grad_enabled
from ..base import calls
from ..base.context import Notes, context
from ..base.errors import ArgumentError, ArgumentTypeError, CLTensorError
from ..dispatch.node import Handle
from ..dispatch.tensor_base import SparseBase
from ..tensor import Tensor
from ..tensor.core.foreach import Foreach, recorded
from ..tensor.math.complex_numbers import view_as_real
from .host_values import host_state, host_values, restore
from .saved_state import fitted, saved, settings_for
from .settings import Numbers, check_one, check_ways, tensors_in
from .skipped import Skipped
from .step_hooks import counted, register_optimizer_step_post_hook, register_optimizer_step_pre_hook

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]


class Optimizer:
    """Base of every optimiser.

    Subclasses call super().__init__(params, defaults) and define `step`; or `next_step` and `update_rule`, with which `step`
    updates all parameters of a group in as few launches as possible, and `check_group` for the settings.

    params: an iterable of tensors, of (name, tensor) pairs, or of dicts with "params" and settings of their own.
    defaults: the settings of groups that do not give them.

    param_groups: list of dicts, each with "params" and the settings of that group.
    state: for each parameter, a dict of the values kept between steps; tensors of the parameter's shape and dtype, and counts.

    The keywords foreach, fused and capturable of the optimisers choose nothing here: an update is always a few launches, whose
    numbers are kernel arguments.  With differentiable=True steps are recorded for gradients, also those of settings given as
    tensors, and parameters need not be leaves.

    Raises ArgumentTypeError for a tensor in place of a list, ArgumentError for an empty list and settings out of range.
    Source: the interface is PyTorch 2.13's torch.optim.Optimizer.

        class Descent(optim.Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})

            @cltensor.no_grad()
            def step(self):
                for group in self.param_groups:
                    for p in group["params"]:
                        p.sub_(p.grad, alpha=group["lr"])
    """

    OptimizerPreHook = Callable[["Optimizer", tuple[Any, ...], dict[str, Any]], "tuple[tuple[Any, ...], dict[str, Any]] | None"]
    OptimizerPostHook = Callable[["Optimizer", tuple[Any, ...], dict[str, Any]], None]

    counts = ("step",)  # entries of the state that are numbers here and 0-d tensors where they are saved
    found_inf = None  # a 0-d float32 tensor while GradScaler steps: where it is not 0, the step leaves everything as it is
    _step_supports_amp_scaling = True  # whether `step` heeds found_inf; not if a subclass has a step of its own
    _pending = None  # a Skipped, while it is unknown whether the last step was
    _replaced = 0  # how often the state as a whole was set

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = counted(cls.step)
            cls._step_supports_amp_scaling = vars(cls).get("_step_supports_amp_scaling", False)

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]):
        if isinstance(params, Tensor):
            raise ArgumentTypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, "
                                    "but got a Tensor; put it into a list")
        self.defaults, self.state, self.param_groups = defaults, defaultdict(dict), []
        self._hooks = {name: OrderedDict() for name in ("step_pre", "step_post", "state_dict_pre", "state_dict_post",
                                                        "load_state_dict_pre", "load_state_dict_post")}
        self._opt_called = False
        check_one(defaults.get("lr"), "lr")
        check_ways(defaults)
        groups = list(params)
        if not groups:
            raise ArgumentError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]):
        """Add a dict with "params" and settings that differ from the defaults.

        Raises ArgumentTypeError for anything but tensors, ArgumentError for non-leaves, for parameters of another group, and for
        names given to some parameters only.  A parameter listed twice warns, and is updated twice a step.
        """
        if not isinstance(param_group, dict):
            raise ArgumentTypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise ArgumentTypeError("optimizer parameters need to be organized in ordered collections; the order of a "
                                    "set changes between runs. Please use a list instead.")
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        self._check_names(names, params)
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        group = {**param_group, "params": params, **({"param_names": names} if names else {})}
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        self._check_params(params)
        self.check_group(group)
        self.param_groups.append(group)

    def _check_names(self, names, params):
        if len(names) not in (0, len(params)):
            raise ArgumentError(f"all optimizer params should be with/without names. Some param names are missing: {len(names)} of "
                                f"{len(params)} have one")
        if self.param_groups and bool(names) != ("param_names" in self.param_groups[0]):
            raise ArgumentError("all optimizer param groups should be with/without names. cannot add param group "
                                f"{'with' if names else 'without'} names to the optimizer")

    def _check_params(self, params):
        seen, own = {id(p) for group in self.param_groups for p in group["params"]}, set()
        for p in params:
            if not isinstance(p, Tensor):
                raise ArgumentTypeError(f"optimizer can only optimize Tensors, but one of the params is "
                                        f"{calls.kind(p)}")
            if not (p.is_leaf or p.retains_grad or self.defaults.get("differentiable")):
                raise ArgumentError("can't optimize a non-leaf Tensor; optimize the leaf it was computed from")
            if id(p) in seen:
                raise ArgumentError("some parameters appear in more than one parameter group; list each once")
            own.add(id(p))
        if len(own) < len(params):
            warnings.warn("optimizer contains a parameter group with duplicate parameters, which are updated as often as they are "
                          "listed; list each once", UserWarning, stacklevel=5)

    def check_group(self, group: dict[str, Any]):
        """Override to check the settings of a group."""

    # --- the step ----------------------------------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True):
        """Drop the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    if set_to_none:
                        p.grad = None
                    else:
                        p.grad = p.grad.detach().zero_()

    def step(self, closure: Callable[..., Any] | None = None):
        """Update every parameter that has a gradient.

        closure: a function that computes the loss again, with gradients, and returns it.  Returns its loss, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._anew(functools.partial(self._begin, self.found_inf), self._undecided())
        with set_grad_enabled(bool(self.defaults.get("differentiable"))):
            for number, group in enumerate(self.param_groups):
                self._update(number, group)
        return loss

    def _begin(self, found):
        """Begin a step, on the condition that found, a tensor, is 0 if there is one."""
        self._take_back()
        self._pending = None if found is None else Skipped(found)
        return ()

    @staticmethod
    def _anew(compute, reads=()):
        """compute(), a tuple of numbers, which a recorder has computed anew each time; reads: tensors that it reads."""
        return compute() if context.recorder is None else context.recorder.action(compute, reads=reads)

    @property
    def state(self) -> defaultdict[Any, dict[str, Any]]:
        """{parameter: what is kept of it between steps}."""
        self._settle()
        return self._state

    @state.setter
    def state(self, state: defaultdict[Any, dict[str, Any]]):
        self._state, self._pending = state, None
        self._unused.clear()
        self._replaced += 1

    def _settle(self):
        """Take back the counts of the last step if GradScaler has skipped it.  That waits for the device to have decided."""
        self._anew(self._take_back, self._undecided())

    def _take_back(self):
        pending, self._pending = self._pending, None
        if pending is not None:
            self._unused.update(pending.settle(self._state))
        return ()

    def _undecided(self):
        """The tensors that tell whether the last step was skipped."""
        return () if self._pending is None else (self._pending.found,)

    @functools.cached_property
    def _numbers(self):
        return Numbers()

    @functools.cached_property
    def _launches(self):
        return {}

    @functools.cached_property
    def _unused(self):
        return {}  # parameter: the tensors of a state whose first step was skipped

    def _update(self, number, group):
        """Update a group's parameters: those at the same step in as few launches as possible."""
        params = []
        for p in group["params"]:
            g = p.grad
            if isinstance(g, SparseBase):
                if self.found_inf is None or not bool(self.found_inf):
                    self.update_sparse(p, g, self._settings(number))
            elif g is not None:
                params.append(p)
        rules = Notes()

        def numbers_of_step():
            rules[:] = self._rules(params, self._settings(number))
            return tuple(numbers[name] for op, _, numbers, _ in rules for name in op.attr_names)

        values = iter(self._anew(numbers_of_step, tensors_in(group)))
        for place, (op, kept, _, members) in enumerate(rules):
            rows = [(p, p.grad, *[self._state[p][name] for name in kept]) for p in members]
            own = itertools.islice(values, len(op.attr_names))
            self._apply((number, place), op, rows, dict(zip(op.attr_names, own, strict=True)))

    def _settings(self, number):
        """The settings of a group, tensors among them as numbers."""
        group = self.param_groups[number]
        return group if group.get("differentiable") else self._numbers.of(group)

    def _rules(self, params, group):
        """[(op, names of state, {attribute: number}, parameters)], one for each step count among the parameters."""
        steps = {}
        for p in params:
            steps.setdefault(self._next(p, group), []).append(p)
        return [(*self.update_rule(step, group), members) for step, members in steps.items()]

    def _next(self, p, group):
        """next_step of p: its state is remembered if the step may turn out to be skipped; what a skipped one made is used again."""
        state = self._state[p]
        if self._pending is not None:
            self._pending.remember(p, state)
        made = {} if state else self._unused.pop(p, {})
        step = self.next_step(p, state, group)
        state.update({name: t for name, t in made.items() if state[name]._spec is t._spec})
        return step

    def _apply(self, place, op, rows, numbers, fresh=("g",)):
        """Run an update op in place on rows of tensors.  place: tells apart the uses of op; fresh: inputs that are only read."""
        if any(t.dtype.is_complex for row in rows for t in row):  # updated part by part, as in PyTorch
            rows = [tuple(view_as_real(t) if t.dtype.is_complex else t for t in row) for row in rows]
        values = tuple([numbers[name] for name in op.attr_names])
        skip = self.found_inf
        update = self._launches.get((place, op, skip is None))
        if update is None:
            writes = [i for i, name in enumerate(op.inputs) if name not in fresh]
            update = Foreach(op, writes, [op.inputs.index(name) for name in fresh], skips=skip is not None)
            self._launches[place, op, skip is None] = update
        if self.defaults.get("differentiable"):
            recorded(update, rows, values, skip)
        else:
            update(rows, values, skip=skip)

    def update_sparse(self, p: Tensor, g: SparseBase, group: dict[str, Any]):
        """Update p by a sparse gradient.  Optimisers that can override it; others raise CLTensorError."""
        raise CLTensorError(f"{type(self).__name__} does not support sparse gradients, please consider SparseAdam, Adagrad or SGD "
                            "instead, or an embedding with sparse=False")

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        """Count one more step of parameter p; return its number, or whatever else update_rule's numbers depend on.

        Override it, together with update_rule.  state: p's dictionary, empty at its first step: create p's state there.
        """
        raise ArgumentTypeError(f"{type(self).__name__} defines neither next_step and update_rule nor step")

    def update_rule(self, step, group: dict[str, Any]):
        """The update of parameters at this step: (op, names, numbers).  Override it, together with next_step.

        op: an elementwise op over p, g and the state tensors, which returns p and those tensors updated; names: of those tensors
        in the state, in op's order; numbers: {attribute of op: number}.
        """
        raise ArgumentTypeError(f"{type(self).__name__} defines neither next_step and update_rule nor step")

    def _host_values(self):
        return list(host_values(self.param_groups, self._state, self.counts))

    def _host_state(self):
        return host_state(self.param_groups, self._state)

    def _restore_host_state(self, state):
        restore(state)

    def __getstate__(self):
        self._take_back()
        return {name: value for name, value in self.__dict__.items() if name not in ("_launches", "_numbers", "_unused")}

    # --- state -------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """{"state": {number: state}, "param_groups": [settings with parameters as numbers]}, sharing the tensors.

        Counts, such as "step", become 0-d float32 tensors: keys and values are PyTorch's.
        """
        for hook in self._hooks["state_dict_pre"].values():
            hook(self)
        numbers, groups = {}, []
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            settings = {name: value for name, value in group.items() if name != "params"}
            groups.append({**settings, "params": [numbers[id(p)] for p in group["params"]]})
        state = {numbers.get(id(p), p): saved(kept, p, self.counts) if isinstance(p, Tensor) else kept
                 for p, kept in self.state.items() if kept}
        found = {"state": state, "param_groups": groups}
        for hook in self._hooks["state_dict_post"].values():
            changed = hook(self, found)
            found = found if changed is None else changed
        return found

    def load_state_dict(self, state_dict: dict[str, Any]):
        """Restore settings and state from a state_dict; tensors get the device and dtype of their parameter.

        state_dict: of this class or of PyTorch's; its tensors may be arrays.

        Raises ArgumentError when the groups or their sizes differ.
        """
        state_dict = dict(state_dict)
        for hook in self._hooks["load_state_dict_pre"].values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        settings = settings_for(self.param_groups, state_dict, self.defaults)
        by_number = {n: p for group, wanted in zip(self.param_groups, settings, strict=True)
                     for n, p in zip(wanted["params"], group["params"], strict=True)}
        state = defaultdict(dict)
        for number, kept in state_dict["state"].items():
            p = by_number.get(number)
            state[number if p is None else p] = fitted(kept, p, self.counts)
        self.state = state
        self.param_groups = [{**wanted, "params": group["params"]}
                             for group, wanted in zip(self.param_groups, settings, strict=True)]
        for hook in self._hooks["load_state_dict_post"].values():
            hook(self)

    # --- hooks -------------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call hook(optimizer, args, kwargs) before each step; it may return new (args, kwargs)."""
        return self._register("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call hook(optimizer, args, kwargs) after each step."""
        return self._register("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call hook(optimizer) before state_dict.  prepend: before the hooks that are there."""
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call hook(optimizer, state_dict) on the result of state_dict; it may return another."""
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call hook(optimizer, state_dict) before load_state_dict; it may return another."""
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call hook(optimizer) after load_state_dict."""
        return self._register("load_state_dict_post", hook, prepend)

    def _register(self, event, hook, prepend=False):
        handle = Handle(self._hooks[event], hook)
        if prepend:
            self._hooks[event].move_to_end(handle.key, last=False)
        return handle

    def __repr__(self):
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


Optimizer.step = counted(Optimizer.step)


def __dir__():
    return sorted(__all__)
