"""torch._dynamo's public functions, for programs that name it: see cltensor.compiler."""

from .compiler import disable, mark_dynamic, mark_static, maybe_mark_dynamic, reset

__all__ = ["disable", "mark_dynamic", "mark_static", "maybe_mark_dynamic", "reset"]
