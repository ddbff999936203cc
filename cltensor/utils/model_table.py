"""The table that a model's summary is printed as."""

COLUMNS = {"kernel_size": "Kernel Shape", "input_size": "Input Shape", "output_size": "Output Shape", "num_params": "Param #",
           "params_percent": "Param %", "mult_adds": "Mult-Adds", "trainable": "Trainable"}
ROWS = ("ascii_only", "depth", "var_names")
_SCALES = ((1e12, "tera"), (1e9, "giga"), (1e6, "mega"), (1e3, "kilo"))


def table(found, columns, rows, col_width, depth):
    """The text of a ModelStatistics with these settings."""
    model = found.summary_list[0]
    lines = list(_lines(model, rows, depth))
    head = "Layer (type" + (" (var_name)" if "var_names" in rows else "") + (":depth-idx)" if "depth" in rows else ")")
    width = max(len(head), *(len(text) for text, _, _ in lines)) + 2
    cells = [[_cell(name, info, found, leaf) for name in columns] for _, info, leaf in lines]
    sizes = [max(len(COLUMNS[name]), *(len(row[i]) for row in cells)) + 2 for i, name in enumerate(columns)]
    sizes = [max(size, col_width if name.endswith("_size") and size <= col_width else size)
             for size, name in zip(sizes, columns, strict=True)]
    total = width + sum(sizes)
    made = [[text, *row] for (text, _, _), row in zip(lines, cells, strict=True)]
    shown = [_row([head, *(COLUMNS[name] for name in columns)], width, sizes), "=" * total, *(_row(r, width, sizes) for r in made)]
    return "\n".join(["=" * total, *shown, "=" * total, *_totals(found, total)])


def _row(cells, width, sizes):
    return (cells[0].ljust(width) + "".join(c.ljust(size) for c, size in zip(cells[1:], sizes, strict=True))).rstrip()


def _lines(model, rows, depth):
    """(text, LayerInfo, whether what is inside is not shown) of each row."""
    counts = {}

    def walk(info, before, last):
        counts[info.depth] = counts.get(info.depth, 0) + 1
        branch, further = ("+ ", "|  ") if "ascii_only" in rows else ("└─" if last else "├─", "   " if last else "│  ")
        lead = before + branch if info.depth else ""
        leaf = not info.children or info.depth == depth
        yield lead + _title(info, rows, counts), info, leaf
        if not leaf:
            inside = before + further if info.depth else before
            for i, child in enumerate(info.children):
                yield from walk(child, inside, i == len(info.children) - 1)

    return walk(model, "", True)


def _title(info, rows, counts):
    name = f" ({info.name})" if "var_names" in rows and info.name else ""
    number = f": {info.depth}-{counts[info.depth]}" if "depth" in rows and info.depth else ""
    return f"{info.class_name}{name}{number}"


def _cell(name, info, found, leaf):
    if name in ("input_size", "output_size"):
        sizes = info.input_sizes if name == "input_size" else info.output_sizes
        return "--" if not sizes else str(list(sizes[0])) + (f" +{len(sizes) - 1}" if len(sizes) > 1 else "")
    if name == "kernel_size":
        return str(list(info.kernel_size)) if info.kernel_size else "--"
    if name == "trainable":
        return _trainable(info)
    if name == "mult_adds":
        own = info.mult_adds - (0 if leaf else sum(child.mult_adds for child in info.children))
        return f"{own:,}" if own else "--"
    if info.recursive and info.num_params:
        return "(recursive)"
    count = info.num_params if leaf else info.own_params
    if not count:
        return "--"
    note = " (unused)" if info.unused else ""
    text = f"{count:,}" if info.trainable_params or not count else f"({count:,})"
    return text + note if name == "num_params" else f"{100 * count / found.total_params:.2f} %"


def _trainable(info):
    if not info.num_params:
        return "--"
    return "True" if info.trainable_params == info.num_params else "Partial" if info.trainable_params else "False"


def _totals(found, width):
    yield f"Total params: {found.total_params:,}"
    yield f"Trainable params: {found.trainable_params:,}"
    yield f"Non-trainable params: {found.total_params - found.trainable_params:,}"
    if found.input_size:
        yield f"Total mult-adds{scaled(found.total_mult_adds)}"
        yield f"Total FLOPs{scaled(found.total_flops)}"
    yield "=" * width
    if found.input_size:
        yield f"Input size (MB): {found.total_input / 1e6:.2f}"
        yield f"Forward/backward pass size (MB): {found.total_output_bytes / 1e6:.2f}"
    yield f"Params size (MB): {found.total_param_bytes / 1e6:.2f}"
    if found.input_size:
        yield f"Estimated total size (MB): {(found.total_input + found.total_output_bytes + found.total_param_bytes) / 1e6:.2f}"
    yield "=" * width


def scaled(n):
    """" (mega): 1.23" for a count of some millions; ": 12" for a small one."""
    for scale, name in _SCALES:
        if n >= scale:
            return f" ({name}): {n / scale:.2f}"
    return f": {n}"
