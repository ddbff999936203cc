## Winograd's convolution with 3 x 3 kernels, m x m results per tile:  y = A' [(G w G') . (B' d B)] A  for tiles d of n x n,
## n = m + 2.  Between input and output, conv_product computes one matrix product for each of the n * n places in a tile.
##
## form  "weights": w (lane, step, 3, 3), any strides -> panels (n * n, count, 1 + L, LANES), row 0 being 0, and steps (L,): p * P
##       "input":   x (N, C, H, W), any strides -> v (n * n, C, P), places `place` apart, for the
##            th * tw tiles of each of `images` images from image `first` on; at most P tiles
##       "output":  v (n * n, C, P) -> y (N, C, H, W), any strides, plus bias
## Source: Winograd 1980; Lavin and Gray 2016; the matrices are Cook and Toom's.
## cpu: TILES tiles at a time, side by side in vectors.  gpu: a work-item per tile.
<%!
from cltensor.codegen.activation import PARAMETER as ACTIVATION
from cltensor.codegen.cook_toom import matrices
from cltensor.codegen.parameters import TRUTH, Parameter, one_of, whole

PARAMETERS = dict(
    style="cpu", form=Parameter("input", "what is computed", one_of("weights", "input", "output")), dtype="float32",
    m=Parameter(2, "height and width of a tile's results", one_of(2, 4)),
    bias=Parameter(False, "whether there is a bias, in the output", TRUTH),
    LANES=Parameter(16, "lanes of a panel, for the weights", whole(1, 64)), activation=ACTIVATION)
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
T, S = types.compute_type(dtype), types.storage_type(dtype)
n, TILES = m + 2, 64
AT, G, BT = matrices(m)
assert form == "output" or not (bias or activation)
needs = ["The results overlap nothing.", f"The kernel conv_product that reads the panels has {LANES} lanes."] if form == "weights" else [
    "The results overlap nothing, and P >= images * th * tw.",
    f"conv_product makes the v of the output: groups = {n * n}, xg and yg are the places of both v, xs3 = ys3 = 1 and ks = P."]
if form == "weights":
    work = {"cpu": "count * L", "gpu": f"count * {LANES} * L"}[style]
else:
    work = {"cpu": f"images * channels * ceil(th * tw, {TILES})", "gpu": "images * th * tw * channels"}[style]
if style == "cpu":
    interface.launched(["1"], ["groups"], True, needs, groups=Choice("work-groups, any number >= 1", f"max(1, min(8, {work}))"))
else:
    interface.launched(["128"], [f"max(1, ceil({work}, 128)) * 128"], True, needs)
def stride(name, of, along): return Number(name, f"from one element of {of} to the next along {along}", unit="elements")
v = Buffer("v", T, "out" if form == "input" else "in", (n * n, "channels", "images * th * tw"),
           f"the tiles, transformed: for each of {n * n} places an element of each tile", ("place", "P", 1), restrict=True)
image = Buffer("image", S, "in" if form == "input" else "out", ("first + images", "channels", "h", "w"),
               "the images" if form == "input" else "the results; those from `first` on are written", ("n_s", "c_s", "h_s", "w_s"), "image_o",
               restrict=True)
finished = lambda sum: activations.applied(activation, sum + " + b" if bias else sum)
def combined(row, names):
    """The sum of a matrix row times these names."""
    terms = []
    for c, name in zip(row, names):
        if c:
            size = name if abs(c) == 1 else f"{types.literal(abs(c), T)} * {name}"
            terms.append((" - " if c < 0 else " + " if terms else "") + size)
    return "".join(terms).strip() if terms[0][0] != " - " else "-" + "".join(terms)[3:]
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
${activations.definition(activation, T)}
## Left and right by a matrix: rows of `matrix` over the index named by `names`
<%def name="lines(matrix, target, source, size)">
% for i, row in enumerate(matrix):
    ${target(i)} = ${combined(row, [source(j) for j in range(size)])};
% endfor
</%def>
% if style == "cpu":
${vectors.SERIAL}
% endif
% if form == "weights":
__kernel void winograd(
    ${interface.declare("winograd",
        Buffer("w", S, "in", ("lanes", "L", 3, 3), "the weights", ("lane_s", "step_s", "r_s", "c_s"), "w_o", restrict=True),
        stride("lane_s", "w", "lanes"), stride("step_s", "w", "L"), stride("r_s", "w", "rows"), stride("c_s", "w", "columns"),
        Number("lanes", "output channels", allowed=">= 1"), Number("count", "panels", allowed=f"lanes / {LANES}, rounded up"),
        Number("L", "input channels: steps of the products"),
        Number("P", "from one channel of the transformed input to the next", unit="elements"),
        Buffer("panels", T, "out", (n * n, "count", "1 + L", LANES), "for each place in a tile, panels for conv_product", restrict=True),
        Buffer("steps", "long", "out", ("L",), "where each step reads in the transformed input: p * P", restrict=True))})
{
<%def name="transformed()">
    ${T} d[9], t[${3 * n}];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            d[i * 3 + j] = live ? ${types.load(dtype, "w", "from + i * r_s + j * c_s")} : 0;
% for j in range(3):
    ${lines(G, lambda i: f"t[{i * 3 + j}]", lambda i: f"d[{i * 3 + j}]", 3)}
% endfor
% for i in range(n):
    ${lines(G, lambda j: f"to[{i * n} * place + {j} * place]", lambda j: f"t[{i * 3 + j}]", 3)}
% endfor
</%def>
    const size_t place = (size_t)count * (1 + L) * ${LANES};
% if style == "cpu":
    const size_t all = (size_t)count * L, last = (get_group_id(0) + 1) * all / get_num_groups(0);
    for (size_t u = get_group_id(0) * all / get_num_groups(0); u < last; u++) {
        const size_t panel = u / L, p = u % L;
        if (panel == 0) steps[p] = p * P;
        if (p == 0)
            for (size_t t = 0; t < ${n * n}; t++)
                for (size_t l = 0; l < ${LANES}; l++) panels[t * place + panel * (1 + L) * ${LANES} + l] = 0;
        for (size_t l = 0; l < ${LANES}; l++) {
            const size_t lane = panel * ${LANES} + l;
            const int live = lane < (size_t)lanes;
            const size_t from = w_o + lane * lane_s + p * step_s;
            __global ${T} *to = panels + (panel * (1 + L) + 1 + p) * ${LANES} + l;
            ${transformed()}
        }
    }
% else:
    const size_t item = get_global_id(0), lane = item % ((size_t)count * ${LANES}), p = item / ((size_t)count * ${LANES});
    if (p < (size_t)L) {
        const size_t panel = lane / ${LANES}, l = lane % ${LANES};
        const int live = lane < (size_t)lanes;
        const size_t from = w_o + lane * lane_s + p * step_s;
        if (lane == 0) steps[p] = p * P;
        if (p == 0)
            for (size_t t = 0; t < ${n * n}; t++) panels[t * place + panel * (1 + L) * ${LANES} + l] = 0;
        __global ${T} *to = panels + (panel * (1 + L) + 1 + p) * ${LANES} + l;
        ${transformed()}
    }
% endif
}
% else:
__kernel void winograd(
    ${interface.declare("winograd",
        [image, v] if form == "input" else [v, *([
            Buffer("bias", S, "in", ("channels",), "what is added to each channel", ("bias_s",), "bias_o", restrict=True),
            stride("bias_s", "bias", "channels")] if bias else []), image],
        Number("first", "the first image"), Number("images", "how many images, from the first on"),
        Number("channels", "channels of an image"), Number("h", "rows of an image"), Number("w", "columns of an image"),
        stride("n_s", "image", "images"), stride("c_s", "image", "channels"), stride("h_s", "image", "h"), stride("w_s", "image", "w"),
        Number("th", "tiles along the results' height", allowed=f"their height / {m}, rounded up"),
        Number("tw", "tiles along the results' width", allowed=f"their width / {m}, rounded up"),
        [Number("top", "the padding above an image"), Number("left", "the padding to its left")] if form == "input" else [],
        Number("P", "from one channel of v to the next", unit="elements", allowed=">= images * th * tw"),
        Number("place", "from one place of v to the next", unit="elements", allowed=">= channels * P"))})
{
% if style == "cpu":
    const size_t plane_tiles = (size_t)th * tw, chunks = (plane_tiles + ${TILES - 1}) / ${TILES}, all = (size_t)images * channels * chunks;
    const size_t last = (get_group_id(0) + 1) * all / get_num_groups(0);
    ${T} d[${n * n}][${TILES}], t[${n * n}][${TILES}];
    for (size_t u = get_group_id(0) * all / get_num_groups(0); u < last; u++) {
        const size_t p0 = u % chunks * ${TILES}, at = u / chunks % images, c = u / chunks / images;
        const size_t plane = image_o + (first + at) * n_s + c * c_s, to = c * P + at * plane_tiles + p0;
        const size_t tiles = plane_tiles - p0 < ${TILES} ? plane_tiles - p0 : ${TILES};
        const size_t full = (tiles + 7) / 8 * 8;
        size_t ty = p0 / tw, tx = p0 % tw;
% if form == "input":
        for (size_t j = 0; j < tiles; j++) {
            const long y0 = (long)(ty * ${m}) - top, x0 = (long)(tx * ${m}) - left;
            const size_t corner = plane + y0 * h_s + x0 * w_s;
            if (y0 >= 0 && y0 + ${n} <= h && x0 >= 0 && x0 + ${n} <= w) {
% for r in range(n):
% for s in range(n):
                d[${r * n + s}][j] = ${types.load(dtype, "image", f"corner + {r} * h_s + {s} * w_s")};
% endfor
% endfor
            } else {
                const long r1 = h - y0 < ${n} ? h - y0 : ${n}, s1 = w - x0 < ${n} ? w - x0 : ${n};
% for i in range(n * n):
                d[${i}][j] = 0;
% endfor
                for (long r = y0 < 0 ? -y0 : 0; r < r1; r++)
                    for (long s = x0 < 0 ? -x0 : 0; s < s1; s++)
                        d[r * ${n} + s][j] = ${types.load(dtype, "image", "corner + r * h_s + s * w_s")};
            }
            if (++tx == (size_t)tw) { tx = 0; ty++; }
        }
        // whole vectors only: the rest is not stored
        for (size_t j = tiles; j < full; j++)
            for (size_t i = 0; i < ${n * n}; i++) d[i][j] = 0;
% for s in range(n):
        for (size_t j = 0; j < full; j++) {
            ${lines(BT, lambda i: f"t[{i * n + s}][j]", lambda r: f"d[{r * n + s}][j]", n)}
        }
% endfor
% for i in range(n):
        for (size_t j = 0; j < tiles; j++) {
            ${lines(BT, lambda s: f"v[{i * n + s} * place + to + j]", lambda q: f"t[{i * n + q}][j]", n)}
        }
% endfor
% else:
% if bias:
        const ${T} b = ${types.load(dtype, "bias", "bias_o + c * bias_s")};
% endif
        for (size_t j = tiles; j < full; j++)
            for (size_t i = 0; i < ${m * n}; i++) t[i][j] = 0;
% for s in range(n):
        for (size_t j = 0; j < tiles; j++) {
            ${lines(AT, lambda i: f"t[{i * n + s}][j]", lambda r: f"v[{r * n + s} * place + to + j]", n)}
        }
% endfor
% for i in range(m):
        for (size_t j = 0; j < full; j++) {
            ${lines(AT, lambda o: f"d[{i * m + o}][j]", lambda s: f"t[{i * n + s}][j]", n)}
        }
% endfor
        for (size_t j = 0; j < tiles; j++) {
            const size_t y0 = ty * ${m}, x0 = tx * ${m}, corner = plane + y0 * h_s + x0 * w_s;
            const size_t high = h - y0 < ${m} ? h - y0 : ${m}, wide = w - x0 < ${m} ? w - x0 : ${m};
            if (high == ${m} && wide == ${m})
            {
% for r in range(m):
% for s in range(m):
                ${types.store(dtype, "image", f"corner + {r} * h_s + {s} * w_s", finished(f"d[{r * m + s}][j]"))}
% endfor
% endfor
            } else
                for (size_t r = 0; r < high; r++)
                    for (size_t s = 0; s < wide; s++) { ${types.store(dtype, "image", "corner + r * h_s + s * w_s", finished(f"d[r * {m} + s][j]"))} }
            if (++tx == (size_t)tw) { tx = 0; ty++; }
        }
% endif
    }
% else:
    const size_t all = (size_t)images * th * tw, item = get_global_id(0), p = item % all, c = item / all;
    if (c < (size_t)channels) {
        const size_t tx = p % tw, ty = p / tw % th, at = p / tw / th, plane = image_o + (first + at) * n_s + c * c_s, to = c * P + p;
        ${T} d[${n * n}], t[${n * n}];
% if form == "input":
        for (int r = 0; r < ${n}; r++)
            for (int s = 0; s < ${n}; s++) {
                const long y = (long)(ty * ${m}) - top + r, x = (long)(tx * ${m}) - left + s;
                d[r * ${n} + s] = y >= 0 && y < h && x >= 0 && x < w ? ${types.load(dtype, "image", "plane + y * h_s + x * w_s")} : 0;
            }
% for s in range(n):
        ${lines(BT, lambda i: f"t[{i * n + s}]", lambda i: f"d[{i * n + s}]", n)}
% endfor
% for i in range(n):
        ${lines(BT, lambda s: f"v[{i * n + s} * place + to]", lambda s: f"t[{i * n + s}]", n)}
% endfor
% else:
        for (int i = 0; i < ${n * n}; i++) d[i] = v[i * place + to];
% for s in range(n):
        ${lines(AT, lambda i: f"t[{i * n + s}]", lambda i: f"d[{i * n + s}]", n)}
% endfor
% for i in range(m):
        ${lines(AT, lambda o: f"d[{i * m + o}]", lambda s: f"t[{i * n + s}]", n)}
% endfor
% if bias:
        const ${T} b = ${types.load(dtype, "bias", "bias_o + c * bias_s")};
% endif
        for (int i = 0; i < ${m}; i++)
            for (int j = 0; j < ${m}; j++)
                if (ty * ${m} + i < (size_t)h && tx * ${m} + j < (size_t)w) {
                    ${types.store(dtype, "image", f"plane + (ty * {m} + i) * h_s + (tx * {m} + j) * w_s", finished(f"d[i * {m} + j]"))}
                }
% endif
    }
% endif
}
% endif
