"""Calls for either library, by name, in the terms of the lists of autocast: float32 tensors `r`, bfloat16 ones `h`."""


def calls(lib):
    """{name: function without arguments} of one library's functions."""
    F, nn = lib.nn.functional, lib.nn

    def r(*shape):
        return lib.ones(*shape) * 0.5

    def h(*shape):
        return r(*shape).to(lib.bfloat16)

    def ints(*values):
        return lib.tensor(values if len(values) > 1 else [*values])

    def h_eye():
        return lib.eye(2).to(lib.bfloat16)

    products = {
        "matmul": lambda: r(2, 3) @ r(3, 2), "mm": lambda: lib.mm(r(2, 3), r(3, 2)), "bmm": lambda: lib.bmm(r(1, 2, 3), r(1, 3, 2)),
        "mv": lambda: lib.mv(r(2, 3), r(3)), "dot": lambda: lib.dot(r(3), r(3)),
        "addmm": lambda: lib.addmm(r(2, 2), r(2, 3), r(3, 2)),
        "addmv": lambda: lib.addmv(r(2), r(2, 3), r(3)), "addr": lambda: lib.addr(r(2, 3), r(2), r(3)),
        "baddbmm": lambda: lib.baddbmm(r(1, 2, 2), r(1, 2, 3), r(1, 3, 2)),
        "addbmm": lambda: lib.addbmm(r(2, 2), r(1, 2, 3), r(1, 3, 2)), "vecdot": lambda: lib.linalg.vecdot(r(3), r(3)),
        "multi_dot": lambda: lib.linalg.multi_dot([r(2, 2), r(2, 2)]), "einsum": lambda: lib.einsum("ij,jk->ik", r(2, 3), r(3, 2)),
        "linear": lambda: F.linear(r(2, 3), r(4, 3), r(4)), "bilinear": lambda: F.bilinear(r(2, 3), r(2, 3), r(4, 3, 3)),
        "conv1d": lambda: F.conv1d(r(1, 2, 5), r(2, 2, 3), r(2)), "conv2d": lambda: F.conv2d(r(1, 2, 5, 5), r(2, 2, 3, 3), r(2)),
        "conv3d": lambda: F.conv3d(r(1, 1, 4, 4, 4), r(1, 1, 2, 2, 2)),
        "conv_transpose2d": lambda: F.conv_transpose2d(r(1, 2, 5, 5), r(2, 2, 3, 3), r(2)),
        "attention": lambda: F.scaled_dot_product_attention(r(1, 2, 3, 4), r(1, 2, 3, 4), r(1, 2, 3, 4)),
        "lstm": lambda: nn.LSTM(3, 4)(r(5, 2, 3))[0], "lstm low": lambda: nn.LSTM(3, 4)(h(5, 2, 3))[0],
        "rnn": lambda: nn.RNN(3, 4)(r(5, 2, 3))[0],
        "gru": lambda: nn.GRU(3, 4)(r(5, 2, 3))[0], "gru low": lambda: nn.GRU(3, 4)(h(5, 2, 3))[0],
        "gru_cell": lambda: nn.GRUCell(3, 4)(r(2, 3)), "gru_cell low": lambda: nn.GRUCell(3, 4)(h(2, 3)),
        "lstm_cell": lambda: nn.LSTMCell(3, 4)(r(2, 3))[0], "lstm_cell low": lambda: nn.LSTMCell(3, 4)(h(2, 3))[0],
        "rnn_cell": lambda: nn.RNNCell(3, 4)(r(2, 3)),
        "prelu": lambda: F.prelu(h(2, 3), h(1)), "double": lambda: r(2, 2).double() @ r(2, 2).double(),
        "integers": lambda: lib.ones(2, 2, dtype=lib.int64) @ lib.ones(2, 2, dtype=lib.int64)}
    pointwise = {name: lambda name=name: getattr(lib, name)(h(2, 3)) for name in (
        "exp expm1 log log2 log10 log1p acos asin cosh sinh tan erfinv reciprocal rsqrt sqrt sum prod mean sin sigmoid tanh relu "
        "var norm neg").split()}
    functions = {
        "softmax": lambda: F.softmax(h(2, 3), 1), "log_softmax": lambda: F.log_softmax(h(2, 3), 1),
        "cumsum": lambda: lib.cumsum(h(2, 3), 1), "cumprod": lambda: lib.cumprod(h(2, 3), 1), "pow": lambda: h(2, 3) ** 2,
        "rpow": lambda: 2 ** h(2, 3), "rdiv": lambda: 1 / h(2, 3), "div": lambda: h(2) / h(2),
        "softplus": lambda: F.softplus(h(2, 3)),
        "gelu": lambda: F.gelu(h(2, 3)), "layer_norm": lambda: F.layer_norm(h(2, 3), (3,), r(3), r(3)),
        "group_norm": lambda: F.group_norm(h(2, 4, 3), 2, r(4), r(4)), "batch_norm": lambda: F.batch_norm(h(4, 3), r(3), r(3)),
        "dist": lambda: lib.dist(h(3), h(3)), "cdist": lambda: lib.cdist(h(2, 3), h(2, 3)),
        "renorm": lambda: lib.renorm(h(2, 3), 2, 0, 1.0), "cosine_similarity": lambda: F.cosine_similarity(h(2, 3), h(2, 3)),
        "normalize": lambda: F.normalize(h(2, 3)), "cat": lambda: lib.cat([h(2), r(2)]), "cat low": lambda: lib.cat([h(2), h(2)]),
        "stack": lambda: lib.stack([h(2), r(2)]), "addcmul": lambda: lib.addcmul(h(2), h(2), h(2)),
        "atan2": lambda: lib.atan2(h(2), h(2)), "cross": lambda: lib.cross(h(1, 3), h(1, 3), dim=1),
        "quantile": lambda: lib.quantile(h(3), 0.5), "trace": lambda: lib.trace(h(2, 2)),
        "avg_pool2d": lambda: F.avg_pool2d(h(1, 1, 4, 4), 2), "avg_pool3d": lambda: F.avg_pool3d(h(1, 1, 4, 4, 4), 2),
        "max_pool3d": lambda: F.max_pool3d(h(1, 1, 4, 4, 4), 2), "reflect": lambda: F.pad(h(1, 1, 4), (1, 1), mode="reflect"),
        "grid_sample": lambda: F.grid_sample(h(1, 1, 4, 4), h(1, 2, 2, 2), align_corners=False),
        "inverse": lambda: lib.inverse(h_eye()), "cholesky": lambda: lib.linalg.cholesky(h_eye()),
        "svdvals": lambda: lib.linalg.svdvals(h_eye()),
        "solve": lambda: lib.linalg.solve(h_eye(), h(2)), "index_copy": lambda: lib.index_copy(r(2), 0, ints(0), h(1))}
    losses = {name: lambda name=name: getattr(F, name)(h(2, 3), h(2, 3)) for name in (
        "mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div poisson_nll_loss "
        "soft_margin_loss hinge_embedding_loss").split()}
    losses |= {
        "cross_entropy": lambda: F.cross_entropy(h(2, 3), ints(0, 1)), "nll_loss": lambda: F.nll_loss(h(2, 3), ints(0, 1)),
        "multi_margin_loss": lambda: F.multi_margin_loss(h(2, 3), ints(0, 1)),
        "triplet_margin_loss": lambda: F.triplet_margin_loss(h(2, 3), h(2, 3), h(2, 3)),
        "cosine_embedding_loss": lambda: F.cosine_embedding_loss(h(2, 3), h(2, 3), h(2)),
        "gaussian_nll_loss": lambda: F.gaussian_nll_loss(h(2, 3), h(2, 3), h(2, 3))}
    return products | pointwise | functions | losses
