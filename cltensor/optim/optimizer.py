"""Optimizer: groups of parameters with settings, the state of each parameter, and the step that updates them."""

from __future__ import annotations

import copy
import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd.modes import enable_grad, no_grad
from ..base import calls
from ..base.context import context
from ..base.errors import ArgumentError, ArgumentTypeError
from ..dispatch.node import Handle
from ..tensor import Tensor
from ..tensor.core.foreach import Foreach


def check(group, **rules):
    """Raise ArgumentError unless each named setting of the group satisfies its rule (a function of its value)."""
    for name, holds in rules.items():
        if not holds(group[name]):
            label = "learning rate" if name == "lr" else f"{name} value"
            raise ArgumentError(f"Invalid {label}: {group[name]}")


def check_betas(betas):
    """Raise ArgumentError unless both decay rates lie in [0, 1)."""
    for i, beta in enumerate(betas):
        if not 0 <= beta < 1:
            raise ArgumentError(f"Invalid beta parameter at index {i}: {beta}; it must be at least 0 and below 1")


def not_negative(value):
    """The rule of most settings."""
    return value >= 0


class Optimizer:
    """Base of every optimiser.

    Subclasses call super().__init__(params, defaults) and define `step`; or `next_step` and `update_rule`, with which `step`
    updates all parameters of a group in as few launches as possible, and `check_group` for the settings.

    param_groups: list of dicts, each with "params" and the settings of that group.
    state: for each parameter, a dict of the values kept between steps.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _counted(cls.step)

    def __init__(self, params: Iterable[Any], defaults):
        if isinstance(params, Tensor):
            raise ArgumentTypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, "
                                    "but got a Tensor; put it into a list")
        self.defaults, self.state, self.param_groups = defaults, defaultdict(dict), []
        self._hooks = {name: {} for name in ("step_pre", "step_post", "state_dict_pre", "state_dict_post",
                                             "load_state_dict_pre", "load_state_dict_post")}
        self._opt_called = False
        groups = list(params)
        if not groups:
            raise ArgumentError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group):
        """Add a dict with "params" and settings that differ from the defaults.

        Raises ArgumentTypeError for anything but tensors, ArgumentError for non-leaves and parameters already there.
        """
        if not isinstance(param_group, dict):
            raise ArgumentTypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise ArgumentTypeError("optimizer parameters need to be organized in ordered collections; the order of a "
                                    "set changes between runs. Please use a list instead.")
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        self._check_params(params)
        group = {**param_group, "params": params, **({"param_names": names} if names else {})}
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        self.check_group(group)
        self.param_groups.append(group)

    def _check_params(self, params):
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise ArgumentTypeError(f"optimizer can only optimize Tensors, but one of the params is "
                                        f"{calls.kind(p)}")
            if not p.is_leaf:
                raise ArgumentError("can't optimize a non-leaf Tensor; optimize the leaf it was computed from")
            if id(p) in seen:
                raise ArgumentError("some parameters appear in more than one parameter group, or twice in one; list "
                                    "each once")
            seen.add(id(p))

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
        with no_grad():
            for number, group in enumerate(self.param_groups):
                self._update(number, group)
        return loss

    def _update(self, number, group):
        """Update a group's parameters: those at the same step in as few launches as possible."""
        rules, params = [], [p for p in group["params"] if p.grad is not None]

        def numbers_of_step():
            rules[:] = self._rules(params, _with_numbers(group))
            return tuple(n for _, _, numbers, _ in rules for n in numbers)

        numbers = numbers_of_step() if context.recorder is None else context.recorder.action(numbers_of_step)
        numbers, launches = iter(numbers), self.__dict__.setdefault("_launches", {})
        for place, (op, kept, _, members) in enumerate(rules):
            update = launches.get((number, place, op))
            if update is None:
                writes = [i for i, name in enumerate(op.inputs) if name != "g"]
                update = launches[number, place, op] = Foreach(op, writes, fresh=[op.inputs.index("g")])
            rows = [(p, p.grad, *[self.state[p][name] for name in kept]) for p in members]
            update(rows, tuple(itertools.islice(numbers, len(op.attr_names))))

    def _rules(self, params, group):
        """[(op, names of state, the op's numbers, parameters)], one for each step count among the parameters."""
        steps = {}
        for p in params:
            steps.setdefault(self.next_step(p, self.state[p], group), []).append(p)
        found = [(self.update_rule(step, group), members) for step, members in steps.items()]
        return [(op, kept, [numbers[name] for name in op.attr_names], members) for (op, kept, numbers), members in found]

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

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "_launches"}

    # --- state -------------------------------------------------------------------------------------------------------

    def state_dict(self):
        """{"state": {number: state}, "param_groups": [settings with parameters as numbers]}, sharing the tensors."""
        for hook in self._hooks["state_dict_pre"].values():
            hook(self)
        numbers, groups = {}, []
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            settings = {name: value for name, value in group.items() if name != "params"}
            groups.append({**settings, "params": [numbers[id(p)] for p in group["params"]]})
        state = {numbers.get(id(p), p): kept for p, kept in self.state.items() if kept}
        found = {"state": state, "param_groups": groups}
        for hook in self._hooks["state_dict_post"].values():
            changed = hook(self, found)
            found = found if changed is None else changed
        return found

    def load_state_dict(self, state_dict: dict[str, Any]):
        """Restore settings and state from a state_dict; tensors get the device and dtype of their parameter.

        Raises ArgumentError when the groups or their sizes differ.
        """
        state_dict = dict(state_dict)
        for hook in self._hooks["load_state_dict_pre"].values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = copy.deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ArgumentError(f"loaded state dict has a different number of parameter groups: {len(saved)}, this "
                                f"optimizer has {len(self.param_groups)}")
        by_number = {}
        for group, wanted in zip(self.param_groups, saved, strict=True):
            if len(group["params"]) != len(wanted["params"]):
                raise ArgumentError(f"loaded state dict contains a parameter group that doesn't match the size of "
                                    f"optimizer's group: {len(wanted['params'])} parameters, here "
                                    f"{len(group['params'])}")
            by_number.update(zip(wanted["params"], group["params"], strict=True))
        self.state = defaultdict(dict)
        for number, kept in state_dict["state"].items():
            p = by_number.get(number)
            self.state[number if p is None else p] = _fitted(kept, p)
        self.param_groups = [{**wanted, "params": group["params"]}
                             for group, wanted in zip(self.param_groups, saved, strict=True)]
        for hook in self._hooks["load_state_dict_post"].values():
            hook(self)

    # --- hooks -------------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]):
        """Call hook(optimizer, args, kwargs) before each step; it may return new (args, kwargs)."""
        return Handle(self._hooks["step_pre"], hook)

    def register_step_post_hook(self, hook: Callable[..., Any]):
        """Call hook(optimizer, args, kwargs) after each step."""
        return Handle(self._hooks["step_post"], hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]):
        """Call hook(optimizer) before state_dict."""
        return Handle(self._hooks["state_dict_pre"], hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]):
        """Call hook(optimizer, state_dict) on the result of state_dict; it may return another."""
        return Handle(self._hooks["state_dict_post"], hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]):
        """Call hook(optimizer, state_dict) before load_state_dict; it may return another."""
        return Handle(self._hooks["load_state_dict_pre"], hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]):
        """Call hook(optimizer) after load_state_dict."""
        return Handle(self._hooks["load_state_dict_post"], hook)

    def __repr__(self):
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _counted(step):
    """A step method that runs the step hooks and records its call, for the learning rate schedulers."""

    @functools.wraps(step)
    def counted(self, *args, **kwargs):
        self._opt_called = True
        for hook in list(self._hooks["step_pre"].values()):
            changed = hook(self, args, kwargs)
            args, kwargs = (args, kwargs) if changed is None else changed
        result = step(self, *args, **kwargs)
        for hook in list(self._hooks["step_post"].values()):
            hook(self, args, kwargs)
        return result

    return counted


Optimizer.step = _counted(Optimizer.step)


def _with_numbers(group):
    """The settings of a group; tensors, by themselves or in a tuple, become numbers."""
    found = {name: _number(value) for name, value in group.items() if _holds_tensor(value)}
    return {**group, **found} if found else group


def _holds_tensor(value):
    return isinstance(value, Tensor) or (isinstance(value, tuple) and any(isinstance(v, Tensor) for v in value))


def _number(value):
    if isinstance(value, tuple):
        return tuple(map(_number, value))
    return value.item() if isinstance(value, Tensor) else value


def _fitted(value, p, name=None):
    """A saved state for parameter p: counts as numbers, tensors on p's device, floating ones in p's dtype."""
    if isinstance(value, Tensor):
        if name in ("step", "mu_product"):
            return value.item()
        if p is None:
            return value
        floating = p.is_floating_point() and value.is_floating_point()
        return value.detach().to(device=p.device, dtype=p.dtype if floating else value.dtype, copy=True)
    if isinstance(value, dict):
        return {k: _fitted(v, p, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(_fitted(v, p) for v in value)
    return value
