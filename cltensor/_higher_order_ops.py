"""The names of torch._higher_order_ops that concern control flow."""

from .control_flow import associative_scan, cond, map, scan, while_loop

__all__ = ["associative_scan", "cond", "map", "scan", "while_loop"]
