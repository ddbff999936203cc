"""Megakernel: one kernel that runs the work-groups of many launches, made from the texts of their kernels.

Each kernel, of work-groups of one item, becomes a function.  The launches stand in a table in memory, so the text depends on the
kernels and not on how often they are launched.  The first `workers` work-groups to arrive walk the table: each takes its own
share of every launch first, then what nobody has claimed, and waits only for work that others have claimed.  So it ends even
where one thread runs all work-groups in turn.

Parameters of the kernel `megakernel`, in order:

    table    per launch HEADER words, then the words of all arguments: a number's bits, or the number of a buffer
    state    zeros; the last work-group to leave makes them zeros again
    workers, launches, stride (ints; stride: of a launch in `state`)
    numbers  a struct of `numbers` words, which arguments may be read from
    buffers  the first `moving` start as many bytes further as the first words of `numbers` say
"""

import functools
import re
import sys
from dataclasses import dataclass
from typing import NamedTuple

HEADER = 8  # words of a launch: case, groups, grid (2 sizes), launches to wait for, lanes, groups to a claim, place of arguments
STATE = 16  # ints before the first launch in `state`, and between counters, which different workers write: a cache line
_SPINS = 500  # looks at a counter, some 20 us, before the processor is offered to others at each look
_GROUPS = re.compile(r"\bget_(?:group|global)_id\s*\(")
_COUNTS = re.compile(r"\bget_(?:num_groups|global_size)\s*\(")
_LOCAL = re.compile(r"\bget_local_(id|size)\s*\([^()]*\)")
_REFUSED = re.compile(r"__local\b|\bbarrier\s*\(|\bget_global_offset\b|\bget_work_dim\b")
_REQUIRED = re.compile(r"__attribute__\s*\(\(reqd_work_group_size\s*\([^()]*\)\)\)")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
_ARGUMENTS = r"\([^(){};]*(?:\([^(){};]*(?:\([^(){};]*\)[^(){};]*)*\)[^(){};]*)*\)"
_NAMES = (
    re.compile(rf"(\w+)\s*{_ARGUMENTS}\s*\{{\}}"),  # functions
    re.compile(r"\btypedef\b[^;]*?(\w+)\s*;"),
    re.compile(r"\b(?:struct|union|enum)\s+(\w+)"),
    re.compile(r"\b__constant\b[^;=\[(]*?(\w+)\s*(?:\[[^;=]*)?="),
)
_TYPE = re.compile(r"\btypedef\s+(\w+)\s+(\w+)\s*;")
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.M)
_READ = {"float": "as_float((int)({}))", "double": "as_double({})",
         **{t: f"({t})({{}})" for t in ("char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "size_t")}}


class Case(NamedTuple):
    """A kernel of a source text, and the positions of those arguments that are read from `numbers`."""

    text: str
    name: str
    changing: frozenset = frozenset()


@dataclass(frozen=True)
class _Function:
    """A kernel as a function: its text, with all names ending in its number, and its parameters: a type, or "" for a pointer."""

    text: str
    name: str
    parameters: tuple


@functools.cache
def walkable(text, name):
    """Whether a kernel can be run by megakernel."""
    return _parsed(text, name) is not None


@functools.cache
def constant_parameters(text, name):
    """The positions of the parameters of a kernel that point to memory which it only reads."""
    head = re.search(rf"__kernel\s+void\s+{name}\s*({_ARGUMENTS})\s*\{{", _COMMENT.sub("", text))
    declared = () if head is None else head.group(1)[1:-1].split(",")
    return frozenset(i for i, p in enumerate(declared) if re.search(r"__global\s+const\b|\bconst\s+__global\b", p))


def megakernel(cases, buffers, numbers, moving):
    """The text for these Cases, which the table names by position, and as many buffers and numbers."""
    kernels = {c[:2]: i for i, c in enumerate(dict.fromkeys(c[:2] for c in cases))}
    functions = {key: _numbered(_parsed(*key), i) for key, i in kernels.items()}
    calls = [f"case {i}: {_call(functions[c[:2]], c.changing)} break;" for i, c in enumerate(cases)]
    return "\n".join([
        "#define CT_GROUP(d) (g_[d])\n#define CT_COUNT(d) (n_[d])",
        *(f.text for f in functions.values()),
        f"typedef struct {{ long v[{numbers}]; }} numbers_;",
        _WALK.replace("BUFFERS", ", ".join(f"__global char *b{i}" for i in range(buffers)))
             .replace("PLACES", ", ".join(f"b{i}{f' + numbers.v[{i}]' if i < moving else ''}" for i in range(buffers)))
             .replace("CASES", "\n                        ".join(calls))])


def _call(function, changing):
    words = [f"numbers.v[w[{j}]]" if j in changing else f"w[{j}]" for j in range(len(function.parameters))]
    given = [_READ[p].format(w) if p else f"(__global void *)b[{w}]" for p, w in zip(function.parameters, words, strict=True)]
    return f"{function.name}({', '.join([*given, 'g', 'n'])});"


def _parsed(text, name):
    """A kernel as a _Function that calls its own place in the grid g_ and the grid n_; None if it cannot be one."""
    text = _without_others(_REQUIRED.sub("", _COMMENT.sub("", text)), name)
    head = re.search(rf"__kernel\s+void\s+{name}\s*({_ARGUMENTS})\s*\{{", text)
    if head is None or _REFUSED.search(text):
        return None
    types = {new: old for old, new in _TYPE.findall(text)}
    parameters, outside = tuple(_parameter(p, types) for p in head.group(1)[1:-1].split(",")), text[: head.start()]
    if None in parameters or _GROUPS.search(outside) or _COUNTS.search(outside):
        return None
    signature = f"__attribute__((noinline)) static void {name}({head.group(1)[1:-1]}, const size_t *g_, const size_t *n_) {{"
    text = outside + signature + text[head.end():]
    text = _LOCAL.sub(lambda m: f"(size_t){int(m.group(1) == 'size')}", text)
    return _Function(_COUNTS.sub("CT_COUNT(", _GROUPS.sub("CT_GROUP(", text)), name, parameters)


def _numbered(function, number):
    """A _Function whose names all end in a number, so that it can stand beside others."""
    names = "|".join(sorted(_names(function.text)))
    text = re.sub(rf"\b(?:{names})\b", lambda m: f"{m.group()}_{number}", function.text)
    return _Function(text, f"{function.name}_{number}", function.parameters)


def _without_others(text, name):
    """A text without its other kernels.  A prototype stays, for the attributes before it."""
    for head in reversed(list(re.finditer(rf"__kernel\s+void\s+(\w+)\s*{_ARGUMENTS}\s*\{{", text))):
        if head.group(1) != name:
            end = head.start() + len(_to_brace(text[head.start():]))
            text = f"{text[: head.start()]}void {head.group(1)}(void);{text[end:]}"
    return text


def _to_brace(text):
    """A text up to the end of its first pair of braces."""
    depth = 0
    for m in re.finditer(r"[{}]", text):
        depth += 1 if m.group() == "{" else -1
        if not depth:
            return text[: m.end()]
    return text


def _parameter(declared, types):
    """"" for a pointer to global memory, the type of a number, None for anything else.  types: {name: type} of typedefs."""
    words = [w for w in re.findall(r"\w+|\*", declared) if w not in ("const", "restrict", "volatile")]
    if words[:1] == ["__global"]:
        return "" if words.count("*") == 1 else None
    found = types.get(words[0], words[0]) if len(words) == 2 else None
    return found if found in _READ else None


def _names(text):
    """The names that a text defines for the rest of the program."""
    found = set(_MACRO.findall(text))
    outer = _outer(_DIRECTIVE.sub("", text))
    return found.union(*(pattern.findall(outer) for pattern in _NAMES))


def _outer(text):
    """A text with all that stands between braces left out."""
    made, depth, start = [], 0, 0
    for m in re.finditer(r"[{}]", text):
        if m.group() == "{":
            if not depth:
                made.append(text[start: m.end()])
            depth += 1
        else:
            depth -= 1
            if not depth:
                start = m.start()
    return "".join([*made, text[start:]])


# The system's sched_yield: OpenCL has no word for it.  PoCL's kernels may call no functions of the C library.  PoCL 6 aborts where
# a call has fewer than three arguments.
_YIELD = """#if defined(__linux__) && defined(__x86_64__)
#define CT_YIELD { long r_; \\
    __asm__ volatile("syscall" : "=a"(r_) : "a"(24L), "D"(0L), "S"(0L) : "rcx", "r11", "memory"); }
#elif defined(__INTEL_LLVM_COMPILER) && HOSTED
int sched_yield(void);
#define CT_YIELD sched_yield();
#else
#define CT_YIELD CT_PAUSE
#endif""".replace("HOSTED", str(int(sys.platform == "linux")))

_WALK = f"""#if defined(__x86_64__)
#define CT_PAUSE __builtin_ia32_pause();
#else
#define CT_PAUSE
#endif
{_YIELD}
#if defined(__clang__) && defined(__AVX512F__)
__attribute__((min_vector_width(512)))
#endif
__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void megakernel(__global const long *table, volatile __global int *state, const int workers, const int launches,
                         const int stride, const numbers_ numbers, BUFFERS)
{{
    const int me = atomic_inc(state);
    if (me < workers) {{
        __global char *const b[] = {{PLACES}};
        int known = 0;
        for (int s = 0; s < launches; s++) {{
            __global const long *h = table + {HEADER} * s;
            __global const long *w = table + h[7];
            for (; known < h[4]; known++) {{
                volatile __global int *done = state + {STATE} + (size_t)known * stride;
                const int all = (int)table[{HEADER} * known + 1];
                for (int i = 0; *done < all; i++) {{
                    if (i < {_SPINS}) {{ CT_PAUSE }}
                    else {{ CT_YIELD }}
                }}
            }}
            mem_fence(CLK_GLOBAL_MEM_FENCE);
            volatile __global int *done = state + {STATE} + (size_t)s * stride;
            const int lanes = (int)h[5];
            int lane = me % lanes;
            for (int l = 0; l < lanes; l++, lane = lane + 1 < lanes ? lane + 1 : 0) {{
                const size_t first = (size_t)lane * h[1] / lanes, last = (size_t)(lane + 1) * h[1] / lanes;
                volatile __global int *claims = done + {STATE} * (lane + 1);
                int ran = 0;
                while (first + (size_t)*claims * h[6] < last) {{
                    const size_t from = first + (size_t)atomic_inc(claims) * h[6];
                    const size_t to = from + h[6] < last ? from + h[6] : last;
                    for (size_t i = from; i < to; i++, ran++) {{
                        const size_t g[3] = {{i % h[2], i / h[2] % h[3], i / h[2] / h[3]}};
                        const size_t n[3] = {{h[2], h[3], h[1] / h[2] / h[3]}};
                        switch (h[0]) {{
                        CASES
                        }}
                    }}
                }}
                if (ran) {{
                    mem_fence(CLK_GLOBAL_MEM_FENCE);
                    atomic_add(done, ran);
                }}
            }}
        }}
    }}
    mem_fence(CLK_GLOBAL_MEM_FENCE);
    if (atomic_inc(state + 1) + 1 == (int)get_num_groups(0))
        for (size_t i = 0; i < {STATE} + (size_t)launches * stride; i++) state[i] = 0;
}}
"""
