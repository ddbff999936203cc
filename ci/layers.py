"""Check that imports inside cltensor go downward only and without circles, and that no module sets another module's attributes.

    python3 ci/layers.py            prints each offending line, and exits with status 1 if there is one

Imports inside functions count; those under `if TYPE_CHECKING:` do not.  Modules of one layer may import each other,
save the pairs in APART.  An assignment to an attribute of an imported module, class or function is refused: it would be an
import upwards in disguise.  Attributes of instances, such as the execution context, may be set.
"""

import ast
import os
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "cltensor"

# Lowest first.  A name covers everything inside it.
LAYERS = (
    ("base", "version"),
    ("codegen", "runtime", "opencl"),
    ("tune",),
    ("dispatch",),
    ("ops.kinds",),
    ("autograd",),
    ("ops.pointwise",),
    ("ops.reduce", "ops.gemm", "ops.random", "ops.optim"),
    ("ops.index",),
    ("ops.conv", "ops.fft"),
    ("ops.complex",),
    ("ops.nn", "ops.vision"),
    ("ops",),  # its __init__ loads them all
    ("tensor.core",),
    ("tensor.api",),
    ("tensor.shape",),
    ("tensor.math",),
    ("tensor.index",),
    ("tensor.random",),
    ("tensor.linalg",),
    ("tensor.sparse",),
    ("tensor", "linalg", "sparse", "special", "fft", "array_api", "return_types"),
    ("graph", "nn", "optim", "amp", "utils", "io", "func", "signal", "random", "testing", "multiprocessing", "overrides"),
    ("distributions", "serialization", "quantize", "compiler", "control_flow", "_dynamo", "_higher_order_ops"),
    ("hub", "profiler", "autograd.profiler", "export"),
    ("vision", "train"),
    ("onnx",),
    ("",),  # the public namespace, cltensor/__init__.py
    ("selftest",),
    ("cli", "__main__"),
)
APART = {("codegen", "runtime"), ("codegen", "opencl")}

RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


@dataclass(frozen=True)
class Import:
    """`source` imports `target` (dotted module names without the package's own) at a line of a file."""

    source: str
    target: str
    path: Path
    line: int


def module_name(path, root):
    """"ops.spec" for root/ops/spec.py, "ops" for root/ops/__init__.py, "" for root/__init__.py."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(root):
    """{module name: path} of the package at root."""
    return {module_name(path, root): path for path in sorted(root.rglob("*.py"))}


def room(module):
    """The longest name in LAYERS that covers a module, or None."""
    parts = module.split(".")
    return next((name for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in RANK), None)


def statements(tree):
    """Every node of a module, without what stands under `if TYPE_CHECKING:`."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))


def absolute(module, is_package, level, name):
    """The full dotted name that a `from` import of `level` dots names."""
    if level == 0:
        return name or ""
    parents = [PACKAGE, *filter(None, module.split("."))]
    parents = parents[: len(parents) - level + is_package]
    return ".".join([*parents, *filter(None, [name])])


def named(node, module, is_package):
    """The full dotted names a node imports, each with the names taken from it."""
    if isinstance(node, ast.Import):
        return [(alias.name, []) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(absolute(module, is_package, node.level, node.module), [alias.name for alias in node.names])]
    called = isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", ""))
    if called in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
        name = str(node.args[0].value)
        level = len(name) - len(name.lstrip("."))
        return [(absolute(module, is_package, level, name.lstrip(".")), [])]
    return []


def targets(full, names, known):
    """The modules of the package that an import of `names` from `full` reaches."""
    if full != PACKAGE and not full.startswith(PACKAGE + "."):
        return []
    base = full.removeprefix(PACKAGE).removeprefix(".")
    inside = {f"{base}.{name}".removeprefix("."): name for name in names}
    found = [module for module in inside if module in known]
    return [*found, base] if len(found) < len(names) or not names else found


def imports_of(module, path, known):
    """Every import of a module that stays inside the package."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for node in statements(tree):
        for full, names in named(node, module, path.name == "__init__.py"):
            for target in targets(full, names, known):
                yield Import(module, target, path, node.lineno)


def fault(found):
    """What is wrong with an import, or None."""
    above, below = room(found.source), room(found.target)
    if below is None:
        return f"there is no {shown(found.target)}"
    if (above, below) in APART or (below, above) in APART:
        return f"{above} and {below} may not import each other"
    if RANK[below] > RANK[above]:
        return f"{shown(above)} is below {shown(below)}; imports go downward only"
    return None


def shown(module):
    return f"{PACKAGE}.{module}".removesuffix(".")


def circles(edges):
    """Lists of imports that lead from a module back to itself.  edges: {module: [Import]}."""
    trail, left = [], set()

    def visit(module):
        on_trail = [step.source for step in trail]
        for step in edges.get(module, ()):
            if step.target in [*on_trail, module]:
                yield [*trail, step][[*on_trail, module].index(step.target) :]
            elif step.target not in left:
                trail.append(step)
                yield from visit(step.target)
                trail.pop()
        left.add(module)

    for start in edges:
        if start not in left:
            yield from visit(start)


def defined(path):
    """The names of the classes and functions that stand at the top of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))}


def foreign(module, path, known):
    """The names by which a module knows other modules, and classes and functions of theirs."""
    tree, found = ast.parse(path.read_text(encoding="utf-8"), str(path)), set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        is_package = path.name == "__init__.py"
        for alias in node.names:
            full = alias.name if isinstance(node, ast.Import) else absolute(module, is_package, node.level, node.module)
            base = full.removeprefix(PACKAGE).removeprefix(".")
            if full != PACKAGE and not full.startswith(PACKAGE + "."):
                continue
            inside = f"{base}.{alias.name}".removeprefix(".")
            if isinstance(node, ast.Import) or inside in known or (base in known and alias.name in defined(known[base])):
                found.add(alias.asname or alias.name)
    return found


def settings(tree):
    """(line, name) of every assignment to an attribute of a plain name, and of every setattr and delattr on one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)) and isinstance(node.value, ast.Name):
            yield node.lineno, node.value.id
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("setattr", "delattr"):
            yield from ((node.lineno, first.id) for first in node.args[:1] if isinstance(first, ast.Name))


def patches(module, path, known):
    """One line for each assignment to an attribute of another module, or of its classes and functions."""
    others = foreign(module, path, known)
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return [f"{at(path, line)}\n    {name} belongs to another module; hand it what it needs instead"
            for line, name in settings(tree) if name in others]


def at(path, number):
    line = path.read_text(encoding="utf-8").splitlines()[number - 1].strip()
    return f"{os.path.relpath(path)}:{number}: {line}"


def where(found):
    return at(found.path, found.line)


def faults(root):
    """Lines that describe each fault of the package at root."""
    known = modules(root)
    homeless = [path for module, path in known.items() if room(module) is None]
    if homeless:
        return [f"{path}: its module has no layer; add it to LAYERS in ci/layers.py" for path in homeless]
    edges = {module: [i for i in imports_of(module, path, known) if i.target != module]
             for module, path in known.items()}
    upward = [f"{where(i)}\n    {fault(i)}" for found in edges.values() for i in found if fault(i)]
    circular = ["import circle:" + "".join(f"\n    {where(step)}" for step in steps) for steps in circles(edges)]
    return upward + circular + [line for module, path in known.items() for line in patches(module, path, known)]


def main(arguments=None):
    """Check the package in the folder given, or the one beside this file's folder."""
    given = sys.argv[1:] if arguments is None else arguments
    if {"-h", "--help"} & {*given}:
        print(__doc__.strip())
        return 0
    root = Path(given[0]) if given else Path(__file__).resolve().parent.parent / PACKAGE
    found = faults(root)
    print("\n".join(found) if found else f"{len(modules(root))} modules; imports go downward only, without circles, and none sets "
                                           "attributes of another")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
