## Reduction: outputs (kept dimensions) from inputs (kept and reduced dimensions), one state per output.
##
## dtype      dtype of the accumulation, and of every operand if inputs and outputs are not given
## inputs     (name, dtype, C type, class): class of the stride along the vectorised dimension: "c" 1, "b" 0, "s" any
## states     (C type, identity) of each accumulated value; a0.. is the running state, b0.. the new element's
## map_*      statements and expressions taking the input names, the scalars and `index` (position in the reduced range)
## combine_*  statements and expressions taking a0.., b0..
## finish_*   statements and expressions taking a0.. and `n` (the number of reduced elements): one per output
## layout     "row": the innermost loop runs along a reduced dimension; "col": along a kept one
##            gpu style: a work-group has one output, or SIDE outputs in WGS / SIDE pieces; an item has AHEAD states,
##            but uses only one if a row has several reduced dimensions
## columns    (run time) kept elements reduced side by side, at most W
## summed     whether complex elements are only added: then their parts are, as one row of real numbers
## mode       (run time) 0: finish; 1: write states to the partial buffers; 2: combine S partial states and finish
<%!
from cltensor.codegen.parameters import DTYPE, NAME, TEXT, TEXTS, TRUTH, TYPE, Parameter, one_of, powers, row, several, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", layout=Parameter("row", "what the innermost loop runs along", one_of("row", "col")),
    kept_rank=Parameter(1, "the number of kept dimensions", whole(1, 64)),
    reduced_rank=Parameter(1, "the number of reduced dimensions", whole(1, 64)),
    inputs=Parameter(None, "the operands; None: x0 of class c", several(
        row(name=NAME, dtype=DTYPE, type=TYPE, stride=one_of("c", "b", "s")), or_none=True)),
    scalars=Parameter((), "numbers passed by value", several(row(name=NAME, type=TYPE))),
    outputs=Parameter(None, "the results; None: y0", several(row(name=NAME, dtype=DTYPE), or_none=True)),
    states=Parameter(None, "what is accumulated; None: one number that begins with 0", several(row(type=TYPE, identity=TEXT), or_none=True)),
    map_body=Parameter((), "C statements before the states of an element", TEXTS),
    map_results=Parameter(("x0",), "an expression for each state", TEXTS),
    combine_body=Parameter((), "C statements before two states combined", TEXTS),
    combine_results=Parameter(("a0 + b0",), "an expression for each state", TEXTS),
    finish_body=Parameter((), "C statements before the results", TEXTS),
    finish_results=Parameter(("a0",), "an expression for each output", TEXTS),
    summed=Parameter(False, "whether complex elements are only added", TRUTH),
    LANES=Parameter(16, "sums of a row side by side, in the cpu style", powers(2, 64)),
    UNROLL=Parameter(1, "vectors of them, or rows at a time", whole(1, 16)),
    BLOCK=Parameter(4096, "elements that are summed before their sum is added to the total, in the cpu style", whole(1, 1 << 20)),
    W=Parameter(1024, "the most columns side by side, in the cpu style", whole(1, 8192)),
    WGS=Parameter(64, "work-items of a group, in the gpu style", powers(1, 1024)),
    SIDE=Parameter(32, "columns of a group, in the gpu style", powers(1, 1024)),
    AHEAD=Parameter(4, "states of a work-item, in the gpu style", whole(1, 16)))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
D = lambda d: dtypes.BY_NAME.get(d, d)
C = types.compute_type(dtype)
ins = [(n, D(d), c, k) for n, d, c, k in ((("x0", dtype, C, "c"),) if inputs is None else inputs)]
outs = [(n, D(d)) for n, d in outputs or (("y0", dtype),)]
held = ((C, types.literal(0, C)),) if states is None else states
used = [d for _, d, _, _ in ins] + [d for _, d in outs] + [dtype]
S = range(len(held))
# Whole vectors of a row, where it is stored as it is computed with, and the declaration needs no more than operators.
by_vectors = (style == "cpu" and layout == "row" and LANES in (2, 4, 8, 16) and types.part_type(C) == C and [t for t, _ in held] == [C]
              and all(k == "b" or (k == "c" and types.storage_type(d) == C) for _, d, _, k in ins))
if summed and style == "cpu" and layout == "row" and LANES <= 8 and all(k == "c" and types.storage_type(d) == C for _, d, _, k in ins):
    by_vectors, lifted, vec_results = True, [[], []], ("x0", "a0 + b0")
else:
    lifted = ([vectors.lifted(*part, C) for part in ((map_body, map_results), (combine_body, combine_results))] if by_vectors
              else [None])
    by_vectors, vec_results = None not in lifted, (map_results[0], combine_results[0])
PART, PARTS = types.part_type(C), 2 if types.part_type(C) != C else 1
def first_part(n, place):
    return f"{n}_p + {place}" if PARTS == 1 else f"(__global const {PART} *)({n}_p + {place})"
KR, RR = kept_rank, reduced_rank
assert len(outs) == len(finish_results) and len(held) == len(map_results) == len(combine_results)
assert style == "cpu" or SIDE <= WGS
kept, reduced = (tuple(f"{p}d{r}" for r in range(n)) for p, n in (("k", KR), ("r", RR)))
needs = ["One launch in mode 0, with parts = 1; or one in mode 1, and then one in mode 2 with the same arguments besides.",
         "The results overlap nothing."]
parts_ = "parts if mode == 1 else 1"
if style == "gpu":
    interface.launched(["WGS", "1"], [("units" if layout == "row" else "ceil(units, SIDE)") + " * WGS", parts_], True, needs)
else:
    interface.launched(["1", "1"], ["groups", parts_], True, needs,
                       groups=Choice("work-groups over the results, any number >= 1", "max(1, min(8, units))"))
def strides(n):
    return (*(f"{n}_ks{r}" for r in range(KR)), *(f"{n}_rs{r}" for r in range(RR)))
def dimension(p, r, rank):
    along = r == rank - 1 and (p == "r") == (layout == "row")
    return [Number(f"{p}d{r}", f"the size of {'kept' if p == 'k' else 'reduced'} dimension {r}", allowed=">= 1"),
            *(Number(f"{n}_{p}s{r}", f"from one element of {n} to the next along it", unit="elements",
                     allowed={"c": "1, or any number if the size is 1", "b": "0"}.get(k, "") if along else "") for n, _, _, k in ins)]
def step(k, n):
    return {"c": "1", "b": "0"}.get(k, f"{n}_v")
%>
${types.pragmas(used)}
${header(*types.headers(used), *(["prefetch.clh"] if by_vectors else []))}
% if by_vectors:
typedef ${PART}${LANES * PARTS} vec;
typedef vec __attribute__((aligned(${4 if PART in ("float", "int") else 8}))) loose;
% endif
<%def name="combine_vectors(into, other)">
{
    const vec a0 = ${into}, b0 = ${other};
% for s in lifted[1]:
    ${s}
% endfor
    ${into} = ${vec_results[1]};
}
</%def>
<%def name="vector_element(along, into)">
{
% for n, d, c, k in ins:
    const vec ${n} = ${f"(vec)({types.load(d, n + '_p', n + '_b')})" if k == "b" else f"*(__global const loose *)({first_part(n, f'{n}_b + {along}')})"};
% endfor
% for s in lifted[0]:
    ${s}
% endfor
    ${combine_vectors(into, vec_results[0])}
}
</%def>
<%def name="combine_into(acc)">
{
% for i in S:
    const ${held[i][0]} a${i} = ${acc(i)};
% endfor
% for s in combine_body:
    ${s}
% endfor
% for i in S:
    const ${held[i][0]} c${i}_ = ${combine_results[i]};
% endfor
% for i in S:
    ${acc(i)} = c${i}_;
% endfor
}
</%def>
<%def name="element(position, along, acc, row='')">
{
% for n, d, c, k in ins:
    const ${c} ${n} = ${types.converted(c, types.load(d, n + "_p", f"{n}_b{row}" if k == "b" else f"{n}_b{row} + ({along}) * {step(k, n)}"), d)};
% endfor
    const long index = (long)(${position});
% for s in map_body:
    ${s}
% endfor
% for i in S:
    const ${held[i][0]} b${i} = ${map_results[i]};
% endfor
    ${combine_into(acc)}
}
</%def>
<%def name="deliver(unit, acc)">
if (mode == 1) {
% for i in S:
    partial${i}[${f"split * (size_t)units + ({unit})" if style == "gpu" and layout == "col" else f"({unit}) * splits + split"}] = ${acc(i)};
% endfor
} else {
    const long n = count;
% for i in S:
    const ${held[i][0]} a${i} = ${acc(i)};
% endfor
% for s in finish_body:
    ${s}
% endfor
% for (n, d), r in zip(outs, finish_results):
    ${types.store(d, n + "_p", f"{n}_o + (size_t)({unit})", r)}
% endfor
}
</%def>
<%def name="from_partials(unit)">
% for i in S:
    ${held[i][0]} t${i}_ = partial${i}[(${unit}) * parts];
% endfor
    for (size_t part = 1; part < (size_t)parts; part++) {
% for i in S:
        const ${held[i][0]} b${i} = partial${i}[(${unit}) * parts + part];
% endfor
        ${combine_into(lambda i: f"t{i}_")}
    }
    ${deliver(unit, lambda i: f"t{i}_")}
</%def>
<%def name="kept_offsets(unit)">
    size_t rest_ = ${unit};
% for r in reversed(range(1, KR)):
    const size_t k${r} = rest_ % (size_t)kd${r}; rest_ /= (size_t)kd${r};
% endfor
    const size_t k0 = rest_;
% for n, _, _, _ in ins:
    const size_t ${n}_k = ${n}_o${"".join(f" + k{r} * {n}_ks{r}" for r in range(KR))};
% endfor
</%def>
<%def name="reduced_offsets(linear, ranks, row='', set=False)">
% if not set:
    size_t ${", ".join(f"{n}_b{row}" for n, _, _, _ in ins)};
% endif
    {
        size_t rest_ = ${linear};
% for r in reversed(range(1, ranks)):
        const size_t r${r}_ = rest_ % (size_t)rd${r}; rest_ /= (size_t)rd${r};
% endfor
        const size_t r0_ = rest_;
% for n, _, _, _ in ins:
        ${n}_b${row} = ${n}_k${"".join(f" + r{r}_ * {n}_rs{r}" for r in range(ranks))};
% endfor
    }
</%def>
## The gpu style: a partial state joins an item's first one; an item's others join the first; items' states join by halves.
<%def name="partial(place)">
{
% for i in S:
    const ${held[i][0]} b${i} = partial${i}[${place}];
% endfor
    ${combine_into(ITEM(0))}
}
</%def>
<%def name="ahead_joined()">
% for u in range(1, AHEAD):
    {
% for i in S:
        const ${held[i][0]} b${i} = s${i}_${u};
% endfor
        ${combine_into(ITEM(0))}
    }
% endfor
% for i in S:
    lane${i}_[l] = s${i}_0;
% endfor
</%def>
<%def name="tree(most, apart)">
    for (int w = ${most}; w > 0; w >>= 1) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l < w * ${apart}) {
% for i in S:
            const ${held[i][0]} b${i} = lane${i}_[l + w * ${apart}];
% endfor
            ${combine_into(LANE)}
        }
    }
</%def>
<%
DEEP = WGS // SIDE
ONE = lambda i: f"s{i}_"
ITEM = lambda u: lambda i: f"s{i}_{u}"
LANE0 = lambda i: f"lane{i}_[0]"
LANE = lambda i: f"lane{i}_[l]"
ROW = lambda u: lambda i: f"lane{i}_{u}[l]"
TOTAL = lambda i: f"total{i}_[l]"
%>
% if style == "cpu":
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
__kernel void reduction(
    ${interface.declare("reduction",
        [Buffer(f"{n}_p", types.storage_type(d), "in", (*kept, *reduced), f"the operand {n}", strides(n), offset=f"{n}_o")
         for n, d, _, _ in ins],
        [Number(n, f"the number {n}", c) for n, c in scalars],
        [Buffer(f"{n}_p", types.storage_type(d), "out", ("units",), "the result", offset=f"{n}_o", unused_if="mode == 1") for n, d in outs],
        [Buffer(f"partial{i}", held[i][0], "scratch", ("parts", "units") if style == "gpu" and layout == "col" else ("units", "parts"), f"the states a{i} of the parts", unused_if="mode == 0")
         for i in S],
        [a for r in range(KR) for a in dimension("k", r, KR)], [a for r in range(RR) for a in dimension("r", r, RR)],
        Number("units", "the number of results: the product of the sizes of kept dimensions"),
        Number("count", "the elements reduced for each: the product of the sizes of reduced dimensions"),
        Number("parts", "into how many parts to cut the reduced range", allowed=">= 1"),
        Number("columns", "results side by side", allowed="1 to W") if style == "cpu" and layout == "col" else
        Number("columns", "not used"),
        Number("mode", "0: the results; 1: the states of all parts; 2: the results from those", "int", allowed="0, 1 or 2"))})
{
% for n, _, _, k in ins:
% if k == "s":
    const size_t ${n}_v = ${f"{n}_rs{RR - 1}" if layout == "row" else f"{n}_ks{KR - 1}"};
% endif
% endfor
    const size_t split = get_group_id(1), splits = (size_t)parts;
    if (get_group_id(1) >= splits) return;
    const size_t lo = split * (size_t)count / splits, hi = (split + 1) * (size_t)count / splits;
% if style == "cpu":
    const size_t first = get_group_id(0) * (size_t)units / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * (size_t)units / get_num_groups(0);
    if (mode == 2) {
        for (size_t unit = first; unit < last; unit++) {
            ${from_partials("unit")}
        }
        return;
    }
% if layout == "row":
    const size_t run = rd${RR - 1};
    for (size_t unit = first; unit < last; unit++) {
        ${kept_offsets("unit")}
% for i in S:
        ${held[i][0]} s${i}_ = ${held[i][1]};
% for u in range(1 if by_vectors else UNROLL):
        ${held[i][0]} lane${i}_${u}[${LANES}];
% endfor
% endfor
        for (size_t at = lo; at < hi;) {
            ${reduced_offsets("at / run", RR - 1)}
            size_t along = at % run;
            const size_t room = run - along, left = hi - at, most = room < left ? room : left;
            const size_t here = most < ${BLOCK} ? most : ${BLOCK};
            const size_t end = along + here, whole = along + here / ${LANES} * ${LANES};
            const size_t shift = at - along;
            if (along < whole) {
% if by_vectors:
                vec ${", ".join(f"v_{u} = (vec)({held[0][1] if PARTS == 1 else 0})" for u in range(UNROLL))};
                for (; along + ${LANES * UNROLL} <= whole; along += ${LANES * UNROLL}) {
% for n, d, _, k in ins:
% if k == "c":
                    ${vectors.fetched_ahead(d, n + "_p", n + "_b + along", LANES * UNROLL)}
% endif
% endfor
% for u in range(UNROLL):
                    ${vector_element(f"along + {u * LANES}", f"v_{u}")}
% endfor
                }
                for (; along < whole; along += ${LANES}) {
                    ${vector_element("along", "v_0")}
                }
% for u in range(1, UNROLL):
                ${combine_vectors("v_0", f"v_{u}")}
% endfor
                *(loose *)lane0_0 = v_0;
% else:
% for u in range(UNROLL):
                for (int l = 0; l < ${LANES}; l++) {
% for i in S:
                    ${ROW(u)(i)} = ${held[i][1]};
% endfor
                }
% endfor
% if UNROLL > 1:
                for (; along + ${LANES * UNROLL} <= whole; along += ${LANES * UNROLL}) {
% for u in range(UNROLL):
                    for (int l = 0; l < ${LANES}; l++) {
                        ${element(f"shift + along + {u * LANES} + l", f"along + {u * LANES} + l", ROW(u))}
                    }
% endfor
                }
% endif
                for (; along < whole; along += ${LANES}) {
                    for (int l = 0; l < ${LANES}; l++) {
                        ${element("shift + along + l", "along + l", ROW(0))}
                    }
                }
% for u in range(1, UNROLL):
                for (int l = 0; l < ${LANES}; l++) {
% for i in S:
                    const ${held[i][0]} b${i} = ${ROW(u)(i)};
% endfor
                    ${combine_into(ROW(0))}
                }
% endfor
% endif
                for (int w = ${LANES // 2}; w > 0; w >>= 1) {
                    for (int l = 0; l < w; l++) {
% for i in S:
                        const ${held[i][0]} b${i} = lane${i}_0[l + w];
% endfor
                        ${combine_into(ROW(0))}
                    }
                }
% for i in S:
                const ${held[i][0]} b${i} = lane${i}_0[0];
% endfor
                ${combine_into(ONE)}
            }
            for (; along < end; along++) {
                ${element("shift + along", "along", ONE)}
            }
            at += here;
        }
        ${deliver("unit", ONE)}
    }
% else:
    const size_t run = kd${KR - 1}, blocks = (run + (size_t)columns - 1) / (size_t)columns;
    const size_t rows = (size_t)units / run;
    const size_t from = get_group_id(0) * (rows * blocks) / get_num_groups(0);
    const size_t to = (get_group_id(0) + 1) * (rows * blocks) / get_num_groups(0);
% for i in S:
    ${held[i][0]} lane${i}_[${W}], total${i}_[${W}];
% endfor
    for (size_t block = from; block < to; block++) {
        const size_t left = block % blocks * (size_t)columns, room = run - left;
        const size_t start = block / blocks * run + left, width = room < (size_t)columns ? room : (size_t)columns;
        ${kept_offsets("start")}
        for (size_t l = 0; l < width; l++) {
% for i in S:
            total${i}_[l] = ${held[i][1]};
% endfor
        }
        for (size_t at = lo; at < hi;) {
            const size_t stop = hi - at < 256 ? hi : at + 256;
            for (size_t l = 0; l < width; l++) {
% for i in S:
                lane${i}_[l] = ${held[i][1]};
% endfor
            }
            for (; at + ${UNROLL} <= stop; at += ${UNROLL}) {
% for u in range(UNROLL):
                ${reduced_offsets(f"at + {u}", RR, u)}
% endfor
                for (size_t l = 0; l < width; l++) {
% for u in range(UNROLL):
                    ${element(f"at + {u}", "l", LANE, u)}
% endfor
                }
            }
% if UNROLL > 1:
            for (; at < stop; at++) {
                ${reduced_offsets("at", RR)}
                for (size_t l = 0; l < width; l++) {
                    ${element("at", "l", LANE)}
                }
            }
% endif
            for (size_t l = 0; l < width; l++) {
% for i in S:
                const ${held[i][0]} b${i} = lane${i}_[l];
% endfor
                ${combine_into(TOTAL)}
            }
        }
        for (size_t l = 0; l < width; l++) {
            ${deliver("start + l", TOTAL)}
        }
    }
% endif
% else:
    const int l = get_local_id(0);
% for i in S:
    __local ${held[i][0]} lane${i}_[${WGS}];
% for u in range(AHEAD):
    ${held[i][0]} s${i}_${u} = ${held[i][1]};
% endfor
% endfor
% if layout == "row":
    if (get_group_id(0) >= (size_t)units) return;
    const size_t unit = get_group_id(0);
    if (mode == 2) {
        for (size_t part = l; part < (size_t)parts; part += ${WGS}) {
            ${partial("unit * parts + part")}
        }
    } else {
        const size_t run = rd${RR - 1};
        ${kept_offsets("unit")}
        size_t at = lo + l, along = at % run;
% if RR > 1:
        size_t over = at / run;
        const size_t runs_apart = ${WGS} / run, left_apart = ${WGS} % run;
% endif
        ${reduced_offsets("over" if RR > 1 else "0", RR - 1)}
% if RR == 1:
        for (; at + ${(AHEAD - 1) * WGS} < hi; at += ${AHEAD * WGS}) {
% for u in range(AHEAD):
            ${element(f"at + {u * WGS}", f"at + {u * WGS}", ITEM(u))}
% endfor
        }
        for (; at < hi; at += ${WGS}) {
            ${element("at", "at", ITEM(0))}
        }
% else:
        for (; at < hi; at += ${WGS}) {
            ${element("at", "along", ITEM(0))}
            size_t further = runs_apart;
            along += left_apart;
            if (along >= run) { along -= run; further++; }
            if (further) {
                over += further;
                ${reduced_offsets("over", RR - 1, set=True)}
            }
        }
% endif
    }
    ${ahead_joined()}
    ${tree(WGS // 2, 1)}
    if (l == 0) {
        ${deliver("unit", LANE0)}
    }
% else:
    const size_t unit = get_group_id(0) * ${SIDE} + l % ${SIDE};
    if (unit < (size_t)units) {
        const size_t y = l / ${SIDE};
        if (mode == 2) {
            for (size_t part = y; part < (size_t)parts; part += ${DEEP}) {
                ${partial("part * (size_t)units + unit")}
            }
        } else {
            const size_t along = unit % (size_t)kd${KR - 1};
            ${kept_offsets("unit - along")}
            size_t at = lo + y;
            for (; at + ${(AHEAD - 1) * DEEP} < hi; at += ${AHEAD * DEEP}) {
% for u in range(AHEAD):
                ${reduced_offsets(f"at + {u * DEEP}", RR, u)}
% endfor
% for u in range(AHEAD):
                ${element(f"at + {u * DEEP}", "along", ITEM(u), u)}
% endfor
            }
            for (; at < hi; at += ${DEEP}) {
                ${reduced_offsets("at", RR)}
                ${element("at", "along", ITEM(0))}
            }
        }
    }
    ${ahead_joined()}
    ${tree(DEEP // 2, SIDE)}
    if (l < ${SIDE} && unit < (size_t)units) {
        ${deliver("unit", LANE)}
    }
% endif
% endif
}
