## conv_columns: the patches that a convolution's kernel covers, as the columns of a matrix, and sums over such columns.
##
##     columns[(c, t), (n, o)] = image[n, c, o * stride - before + t * apart], 0 outside of the image       form "gather"
##     image[n, c, i] = sum of columns[(c, t), (n, o)] over all t and o with o * stride - before + t * apart = i   form "sum"
##
## t runs over the taps of the kernel and o over the pixels of the result, both in three dimensions.  A convolution is the product
## of its weights, as a matrix (K, c * taps), with the columns; its image's gradient is the sum of the transposed product.  That
## reads large weights once and in place, where few pixels do not pay for packing them.
## cpu: a work-group takes neighbouring channels and, in turn, TOGETHER pixels.  gpu: a work-item per element of the result.
<%!
from cltensor.codegen.parameters import Parameter, one_of, whole

PARAMETERS = dict(
    style="cpu", form=Parameter("gather", "what is computed", one_of("gather", "sum")), dtype="float32",
    TOGETHER=Parameter(64, "pixels at a time, in the cpu style", whole(1, 256)),
    TAPS=Parameter(64, "taps of a kernel, at most, for sums in the cpu style", whole(1, 256)))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
T, S = types.compute_type(dtype), types.storage_type(dtype)
gather = form == "gather"
taps, pixels = "kd * kh * kw", "n * od * oh * ow"
needs = ["The strides of the image are not negative.", "The result overlaps nothing."]
if style == "cpu":
    needs.append("The last element of a channel of all images lies less than 2^31 elements behind the first." if gather else
                 "n * od * oh * ow < 2^31.")
if not gather and style == "cpu":
    needs.append(f"kd * kh * kw <= {TAPS}.")
interface.walks(style, {"cpu": f"c * {taps}" if gather else "c", "gpu": f"c * {taps} * {pixels}" if gather else "n * c * d * h * w"}[style],
                local=128, needs=needs)
def three(names, meaning, **more): return [Number(name, f"{meaning}, dimension {i}", **more) for i, name in enumerate(names)]
image = Buffer("image", S, "in" if gather else "out", ("n", "c", "d", "h", "w"), "the images" if gather else "the sums",
               ("n_s", "c_s", "d_s", "h_s", "w_s"), offset="image_o", restrict=True)
columns = Buffer("columns", T, "out" if gather else "in", (f"c * {taps}", pixels),
                 "a row for each channel and tap, a column for each pixel of each image's result", offset="columns_o", restrict=True)
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
## the position of a pixel's tap along one dimension of the image, or of an element of the image among the results
<%def name="decode(index, names, outer)">
        size_t rest = ${index};
% for name, size in reversed(list(zip(names[1:], outer[1:]))):
        const long ${name} = rest % (size_t)${size}; rest /= (size_t)${size};
% endfor
        const long ${names[0]} = rest;
</%def>
<%def name="read_at(pixel, tap)">
    {
        ${decode(pixel, ("b", "oz", "oy", "ox"), ("n", "od", "oh", "ow"))}
        const long z = oz * s0 - p0 + kz * l0, y = oy * s1 - p1 + ky * l1, x = ox * s2 - p2 + kx * l2;
        at = z >= 0 && z < d && y >= 0 && y < h && x >= 0 && x < w ? b * n_s + z * d_s + y * h_s + x * w_s : -1;
    }
</%def>
<%def name="sum_at(place)">
    {
        ${decode(place, ("b", "z", "y", "x"), ("n", "d", "h", "w"))}
        const long z0 = z + p0 - kz * l0, y0 = y + p1 - ky * l1, x0 = x + p2 - kx * l2;
        const long oz = z0 / s0, oy = y0 / s1, ox = x0 / s2;
        const int inside = z0 >= 0 && y0 >= 0 && x0 >= 0 && oz < od && oy < oh && ox < ow && oz * s0 == z0 && oy * s1 == y0 && ox * s2 == x0;
        at = inside ? ((b * od + oz) * oh + oy) * ow + ox : -1;
    }
</%def>
% if style == "cpu":
${vectors.loop(T)}
${vectors.SERIAL}
% endif
__kernel void conv_columns(
    ${interface.declare("conv_columns", *((image, columns) if gather else (columns, image)),
        Number("n", "how many images"), Number("c", "channels of an image"), three(("d", "h", "w"), "the size of an image"),
        Number("n_s", "from one image to the next", unit="elements"), Number("c_s", "from one channel to the next", unit="elements"),
        three(("d_s", "h_s", "w_s"), "from one pixel of an image to the next", unit="elements"),
        three(("od", "oh", "ow"), "the size of the convolution's result"), three(("kd", "kh", "kw"), "the size of its kernel"),
        three(("s0", "s1", "s2"), "its stride", allowed=">= 1"), three(("p0", "p1", "p2"), "its padding before the image"),
        three(("l0", "l1", "l2"), "the distance of its taps", allowed=">= 1"))})
{
    const size_t taps = (size_t)(kd * kh * kw), pixels = (size_t)(n * od * oh * ow);
% if style == "cpu" and gather:
    const size_t units = c * taps, first = get_group_id(0) * units / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * units / get_num_groups(0);
    int places[${TOGETHER}];
    for (size_t low = 0; low < pixels; low += ${TOGETHER}) {
        const size_t here = pixels - low < ${TOGETHER} ? pixels - low : ${TOGETHER};
        for (size_t u = first; u < last;) {
            const size_t t = u / (size_t)c, channel = u % (size_t)c, many = c - channel < last - u ? c - channel : last - u;
            ${decode("t", ("kz", "ky", "kx"), ("kd", "kh", "kw"))}
            for (size_t j = 0; j < here; j++) {
                long at;
                ${read_at("low + j", "t")}
                places[j] = at;
            }
            for (size_t i = channel; i < channel + many; i++) {
                __global const ${S} *from = image + image_o + i * c_s;
                __global ${T} *to = columns + columns_o + (i * taps + t) * pixels + low;
                CT_LOOP
                for (size_t j = 0; j < here; j++) to[j] = places[j] < 0 ? 0 : ${types.load(dtype, "from", "places[j]")};
            }
            u += many;
        }
    }
% elif style == "cpu":
    const size_t all = (size_t)(n * d * h * w), first = get_group_id(0) * (size_t)c / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * (size_t)c / get_num_groups(0);
    if (first == last) return;
    int places[${TOGETHER * TAPS}];
    long to[${TOGETHER}];
    ${T} sums[${TOGETHER}];
    for (size_t low = 0; low < all; low += ${TOGETHER}) {
        const size_t here = all - low < ${TOGETHER} ? all - low : ${TOGETHER};
        for (size_t t = 0; t < taps; t++) {
            ${decode("t", ("kz", "ky", "kx"), ("kd", "kh", "kw"))}
            for (size_t j = 0; j < here; j++) {
                long at;
                ${sum_at("low + j")}
                places[t * ${TOGETHER} + j] = at;
            }
        }
        for (size_t j = 0; j < here; j++) {
            ${decode("low + j", ("b", "z", "y", "x"), ("n", "d", "h", "w"))}
            to[j] = image_o + b * n_s + z * d_s + y * h_s + x * w_s;
        }
        for (size_t i = first; i < last; i++) {
            for (size_t j = 0; j < here; j++) sums[j] = 0;
            for (size_t t = 0; t < taps; t++) {
                __global const ${T} *row = columns + columns_o + (i * taps + t) * pixels;
                const int *at = places + t * ${TOGETHER};
                CT_LOOP
                for (size_t j = 0; j < here; j++) sums[j] += at[j] < 0 ? 0 : row[at[j]];
            }
            for (size_t j = 0; j < here; j++) {
                const size_t p = to[j] + i * c_s;
                ${types.store(dtype, "image", "p", "sums[j]")}
            }
        }
    }
% elif gather:
    const size_t all = c * taps * pixels;
    for (size_t e = get_global_id(0); e < all; e += get_global_size(0)) {
        const size_t row = e / pixels, i = row / taps, t = row - i * taps;
        long at;
        ${decode("t", ("kz", "ky", "kx"), ("kd", "kh", "kw"))}
        ${read_at("e - row * pixels", "t")}
        columns[columns_o + e] = at < 0 ? 0 : ${types.load(dtype, "image", "image_o + i * c_s + at")};
    }
% else:
    const size_t all = (size_t)(n * c * d * h * w);
    for (size_t e = get_global_id(0); e < all; e += get_global_size(0)) {
        ${decode("e", ("b", "i", "z", "y", "x"), ("n", "c", "d", "h", "w"))}
        const size_t place = ((b * d + z) * h + y) * w + x;
        ${T} sum = 0;
        for (size_t t = 0; t < taps; t++) {
            long at;
            ${decode("t", ("kz", "ky", "kx"), ("kd", "kh", "kw"))}
            ${sum_at("place")}
            if (at >= 0) sum += columns[columns_o + (i * taps + t) * pixels + at];
        }
        ${types.store(dtype, "image", "image_o + b * n_s + i * c_s + z * d_s + y * h_s + x * w_s", "sum")}
    }
% endif
}
