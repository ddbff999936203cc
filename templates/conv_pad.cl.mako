## conv_pad: a zero-padded (or cropped) copy of an image batch in the compute type of convolutions.
##
## x   (n, c, d, h, w), any strides
## xp  (n, c, pd, ph, pw), rows and planes contiguous, planes `plane` elements apart; element (i, j, k) of a plane is
##     x's element (i - lo0, j - lo1, k - lo2), or zero outside x
<%!
PARAMETERS = dict(style="cpu", dtype="float32")
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
T, V = types.compute_type(dtype), vectors.width(types.compute_type(dtype))
if style == "cpu":
    interface.launched(["1"], ["groups"], True, groups=Choice("work-groups, any number >= 1", "max(1, min(8, n * c * pd * ph))"))
else:
    interface.launched(["128"], ["max(1, ceil(n * c * pd * ph * pw, 128)) * 128"], True)
images = ("n", "c", "d", "h", "w")
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]), *(["prefetch.clh"] if style == "cpu" else []))}
% if style == "cpu":
${vectors.typedef(T)}
${vectors.SERIAL}
% endif
__kernel void conv_pad(
    ${interface.declare("conv_pad",
        Buffer("x", types.storage_type(dtype), "in", images, "the images", tuple(f"s{i}" for i in images), "x_o", restrict=True),
        Number("n", "the number of images"), Number("c", "their channels"), Number("d", "planes of a channel"),
        Number("h", "rows of a plane"), Number("w", "elements of a row"),
        [Number(f"s{i}", f"from one element of x to the next along {i}", unit="elements") for i in images],
        [Number(f"lo{i}", f"the padding before the first element along {along}; negative: cropped")
         for i, along in enumerate(images[2:])],
        Number("pd", "d with its padding"), Number("ph", "h with its padding"), Number("pw", "w with its padding"),
        Number("plane", "from one channel of xp to the next", unit="elements", allowed=">= pd * ph * pw"),
        Buffer("xp", T, "out", ("n", "c", "pd", "ph", "pw"), "the padded images", ("c * plane", "plane", "ph * pw", "pw", 1),
               restrict=True))})
{
% if style == "cpu":
    const size_t rows = (size_t)(n * c * pd * ph);
    size_t row = get_group_id(0) * rows / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * rows / get_num_groups(0);
    size_t rest = row;
    long iy = rest % (size_t)ph; rest /= (size_t)ph;
    long iz = rest % (size_t)pd; rest /= (size_t)pd;
    long ic = rest % (size_t)c;
    long in = rest / (size_t)c;
    const size_t left = lo2 > 0 ? (lo2 < pw ? lo2 : pw) : 0;
    const size_t right = w + lo2 < pw ? (w + lo2 > (long)left ? w + lo2 : (long)left) : pw;
    for (; row < last; row++) {
        __global ${T} *to = xp + (in * c + ic) * plane + (iz * ph + iy) * pw;
        const long z = iz - lo0, y = iy - lo1;
        if (z < 0 || z >= d || y < 0 || y >= h) {
            for (size_t i = 0; i < (size_t)pw; i++) to[i] = 0;
        } else {
            const size_t from = x_o + in * sn + ic * sc + z * sd + y * sh - lo2 * sw;
            size_t i = 0;
            for (; i < left; i++) to[i] = 0;
            if (sw == 1)
                for (; i + ${2 * V} <= right; i += ${2 * V}) {
                    ${vectors.fetched_ahead(dtype, "x", "from + i", 2 * V)}
% for e in (0, V):
                    *(__global loose *)(to + i + ${e}) = ${vectors.loaded(dtype, "x", f"from + i + {e}", T)};
% endfor
                }
            for (; i < right; i++) to[i] = ${types.load(dtype, "x", "from + i * sw")};
            for (; i < (size_t)pw; i++) to[i] = 0;
        }
        if (++iy == ph) { iy = 0; if (++iz == pd) { iz = 0; if (++ic == c) { ic = 0; in++; } } }
    }
% else:
    const size_t total = (size_t)(n * c * pd * ph * pw);
    for (size_t i = get_global_id(0); i < total; i += get_global_size(0)) {
        size_t rest = i;
        const long x2 = (long)(rest % (size_t)pw) - lo2; rest /= (size_t)pw;
        const long x1 = (long)(rest % (size_t)ph) - lo1; rest /= (size_t)ph;
        const long x0 = (long)(rest % (size_t)pd) - lo0; rest /= (size_t)pd;
        const size_t inside = i - rest * (size_t)(pd * ph * pw);
        const size_t ic = rest % (size_t)c, in = rest / (size_t)c;
        ${T} value = 0;
        if (x0 >= 0 && x0 < d && x1 >= 0 && x1 < h && x2 >= 0 && x2 < w)
            value = ${types.load(dtype, "x", "x_o + in * sn + ic * sc + x0 * sd + x1 * sh + x2 * sw")};
        xp[rest * plane + inside] = value;
    }
% endif
}
