"""Sparse tensors compute what PyTorch's compute: values, layouts, dtypes, errors, texts, gradients."""

import copy
import io
import pickle

import numpy as np
import pytest

import cltensor as ct

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.filterwarnings("ignore:Sparse (CSR tensor support|invariant checks)")]
VALUES = [[0, 2.0, 0], [3, 0, 4]]


def tensors(lib):
    """One tensor of each kind: in order (a), by rows (c), dense (d), not in order (b), with a dense dimension (h)."""
    a = lib.tensor(VALUES).to_sparse()
    return {"lib": lib, "a": a, "c": a.to_sparse_csr(), "d": lib.ones(2, 3), "w": lib.tensor([[1.0, 2], [3, 4], [5, 6]]),
            "b": lib.sparse_coo_tensor([[0, 0], [1, 1]], [1.0, 2.0], (2, 3)),
            "h": lib.sparse_coo_tensor([[0, 2, 0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], (4, 2))}


def parts(x):
    """(layout, dtype, shape) and values of a tensor, dense or sparse; other values as they are."""
    if not hasattr(x, "layout"):
        return x, 0
    dense = x if str(x.layout).endswith("strided") else x.to_dense()
    kind = str(x.layout).partition(".")[2], str(x.dtype).partition(".")[2], tuple(x.shape)
    return kind, np.array(dense.detach().tolist(), float)


def check(ours, theirs):
    """Compare what parts says."""
    (kind, values), (wanted, expected) = parts(ours), parts(theirs)
    assert kind == wanted
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


SAME = [
    "a", "c", "b", "h", "a + a", "a - a", "a + b", "b + b", "h + h", "c + c", "d + a", "d - a", "d + c", "c + d", "a * 2",
    "2 * a", "a / 2", "a * 0", "a * d", "d * a", "a * b", "h * h", "h * 2", "c * 2", "-a", "abs(a)", "a.abs()", "b.sqrt()",
    "a.relu()", "a.tan()", "a ** 2", "a.mul(2)", "a.pow(2)", "a.sub(b)", "a.add(b, alpha=3)", "a @ w", "a.mm(w)", "a.matmul(w)",
    "w.T @ a.t()", "a.t() @ a", "a @ lib.ones(3)", "c @ w", "lib.mm(a, w)", "lib.spmm(a, w)", "lib.sparse.mm(a, a.t())",
    "lib.sparse.mm(w, a)", "lib.sparse.addmm(lib.ones(2, 2), a, w, beta=2, alpha=3)",
    "lib.sparse.sampled_addmm(c, lib.ones(2, 4), lib.ones(4, 3))",
    "lib.sparse.sampled_addmm(c, lib.ones(2, 4), lib.ones(4, 3), beta=2., alpha=3.)", "lib.sparse.sum(a)", "lib.sparse.sum(a, 0)",
    "lib.sparse.sum(a, (0, 1))", "lib.sparse.sum(h, 1)", "lib.sparse.sum(h, 0)", "lib.sparse.sum(a, dtype=lib.float64)",
    "a.sum()", "a.sum(1)", "c.sum()", "lib.sparse.softmax(a, 1)", "lib.sparse.softmax(a, 0)", "lib.sparse.log_softmax(a, 1)",
    "lib.sparse.softmax(h, 1)", "lib.sparse.softmax(h.coalesce(), 0)", "lib.sparse.softmax(a, 0, dtype=lib.float64)",
    "b.coalesce()", "b.coalesce().values()", "b.coalesce().indices()", "b._values()", "b._indices()", "b.is_coalesced()",
    "a.is_coalesced()", "h.coalesce().values()", "c.values()", "c.crow_indices()", "c.col_indices()", "a[0]", "a[-1]",
    "h.select(0, 0)", "len(a)", "a.numel()", "a._nnz()", "c._nnz()", "a.sparse_dim()", "h.sparse_dim()", "h.dense_dim()",
    "a.is_sparse", "c.is_sparse", "c.is_sparse_csr", "a.is_sparse_csr", "d.is_sparse", "a.T", "a.t()", "a.transpose(0, 1)",
    "a.permute(1, 0)", "a.unsqueeze(0)", "a.unsqueeze(2)", "a.double()", "a.to(lib.float64)", "a.int()", "a.clone()",
    "a.detach()", "a.size(1)", "a.dim()", "a.ndim", "d.sparse_mask(a)", "c.to_sparse()", "a.to_sparse()", "c.to_sparse_csr()",
    "lib.sparse_coo_tensor(size=(2, 3))", "lib.sparse_coo_tensor([[0, 1]], [1., 2.])",
    "lib.sparse_csr_tensor([0, 1, 2], [0, 1], [1., 2.])", "lib.sparse_coo_tensor([[1, 0]], [1., 2.], dtype=lib.float64)",
    "lib.tensor([[True, False]]).to_sparse()", "lib.tensor(3.).to_sparse()", "lib.tensor([[1, 0], [0, 0]]).to_sparse(1)",
    "lib.zeros(2, 3).to_sparse()", "lib.zeros(0, 3).to_sparse()", "lib.is_tensor(a)", "a.is_floating_point()", "a.element_size()",
    "lib.zeros(2, 3).to_sparse() * a", "lib.zeros(3, 2).to_sparse().t() @ w", "bool(a[0].sum())",
    "lib.tensor([[5.]]).to_sparse().item()", "lib.eye(3).to_sparse().half() @ lib.ones(3, 2).half()", "a.isnan()",
    "a.requires_grad",
]


@pytest.mark.parametrize("text", SAME)
def test_the_same(text):
    theirs, ours = (eval(text, tensors(lib)) for lib in (torch, ct))
    check(ours, theirs)


@pytest.mark.parametrize("name", "abch")
def test_the_same_text(name):
    theirs, ours = (tensors(lib)[name] for lib in (torch, ct))
    assert repr(ours).replace("cltensor.", "torch.") == repr(theirs)
    assert repr(ours.requires_grad_()).replace("cltensor.", "torch.") == repr(theirs.requires_grad_())


@pytest.mark.parametrize("text", [
    "b.values()", "b.indices()", "c.indices()", "a.crow_indices()", "a.numpy()", "a + 1", "bool(a)", "a[0, 1]", "a.item()",
    "d.coalesce()", "a + d.t()", "a @ a", "a @ d", "a.unsqueeze(3)", "lib.sparse_coo_tensor([0, 1], [1., 2.])",
    "lib.sparse_coo_tensor([[0, 1]], [1.])", "lib.sparse_coo_tensor([[0, 1]], [1., 2.], (2, 2))",
    "lib.sparse_coo_tensor([[0, 1]], [1, 2], requires_grad=True)", "d.sparse_mask(d)", "d.sparse_mask(a.t())", "a.reshape(6)",
    "h @ w", "h.t() @ h", "a.to_sparse_csr().select(5, 0)", "a[2]", "lib.ones(2).to_sparse_csr()", "d.to_sparse(3)",
    "a.add(a.t())", "lib.sparse.mm(d, d)", "a.view(6)",
])
@pytest.mark.filterwarnings("ignore")
def test_errors_where_pytorch_has_one(text):
    if "d.sparse_mask(d)" not in text and "mm(d, d)" not in text and "a[0, 1]" not in text and "add(a.t" not in text:
        with pytest.raises((RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)):
            eval(text, tensors(torch))
    with pytest.raises((ct.CLTensorError, AttributeError)):
        eval(text, tensors(ct))


@pytest.mark.parametrize(("make", "words"), [
    (lambda: ct.sparse_coo_tensor([[0, 5]], [1.0, 2.0], (3,)), "for dim 0, size is 3 but found index 5"),
    (lambda: ct.sparse_coo_tensor([[0, -1]], [1.0, 2.0], (3,)), "found index -1"),
    (lambda: ct.sparse_coo_tensor([[1, 0]], [1.0, 2.0], (3,), is_coalesced=True), "not in order"),
    (lambda: ct.sparse_coo_tensor([[0.5]], [1.0]), "indices must be an integer tensor"),
    (lambda: ct.sparse_coo_tensor(), "give indices and values, or a size"),
    (lambda: ct.sparse_coo_tensor([[0]], [[1.0, 2.0]], (2, 3)), "values must have the dense sizes"),
    (lambda: ct.sparse_csr_tensor([0, 1, 5], [0, 1], [1.0, 2.0]), "must rise from 0 to the number of values, 2"),
    (lambda: ct.sparse_csr_tensor([0, 2, 1], [0, 1], [1.0, 2.0]), "must rise"),
    (lambda: ct.sparse_csr_tensor([0, 1], [3], [1.0], (1, 3)), "size is 3 but found index 3"),
    (lambda: ct.sparse_csr_tensor([0, 1], [0], [1.0], (2, 3)), "fit 1 rows"),
    (lambda: ct.sparse_csr_tensor([[0, 1]], [0], [1.0]), "expected vectors"),
    (lambda: ct.relu(ct.eye(2).to_sparse()), "works on dense tensors; use to_dense"),
    (lambda: ct.sum(ct.eye(2).to_sparse()), "works on dense tensors; use to_dense"),
    (lambda: ct.ones(2, 2).add(ct.eye(2).to_sparse()), "works on dense tensors; use to_dense"),
    (lambda: ct.eye(2).to_sparse().exp(), "a sparse tensor has no 'exp'; use to_dense"),
    (lambda: ct.eye(2).to_sparse().nonsense, "has no attribute 'nonsense'"),
    (lambda: ct.eye(2).to_sparse() / ct.eye(2), "divided by a number"),
    (lambda: ct.eye(2).to_sparse() ** -1, "a number above 0"),
    (lambda: ct.eye(2).to_sparse(layout=ct.strided), "none of cltensor.sparse_coo and"),
    (lambda: ct.sparse.sum(ct.ones(2)), "expected a sparse tensor"),
    (lambda: ct.sparse.mm(ct.eye(2).to_sparse(), ct.eye(2), "prod"), "reduce must be one of"),
    (lambda: ct.sparse.mm(ct.eye(2), ct.eye(2).to_sparse(), "amax"), "takes a sparse mat1"),
    (lambda: ct.sparse.sampled_addmm(ct.eye(2).to_sparse(), ct.ones(3, 1), ct.ones(1, 2)), "do not fit"),
    (lambda: ct.sparse_csc_tensor, "sparse tensors are COO or CSR"),
    (lambda: ct.sparse.spdiags, "sparse tensors are COO or CSR"),
    (lambda: ct.nested, "no nested tensors; pad the parts"),
    (lambda: ct.zeros(2, layout=ct.sparse_coo), "dense tensors only; call to_sparse"),
    (lambda: setattr(ct.eye(2).to_sparse(), "grad", ct.ones(2)), "is set by backward"),
])
def test_errors_name_the_cure(make, words):
    with pytest.raises((ct.CLTensorError, AttributeError), match=words):
        make()


def gradients(lib):
    """Gradients through conversion, products, sums and coalescing, of dense, sparse and value leaves."""
    x = lib.tensor(VALUES, requires_grad=True)
    w = lib.tensor([[1.0, 2], [3, 4], [5, 6]], requires_grad=True)
    (lib.sparse.mm(x.to_sparse(), w) ** 2).sum().backward()
    a = lib.tensor(VALUES).to_sparse().requires_grad_()
    (lib.sparse.mm(a, w.detach()) ** 2).sum().backward()
    v = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
    b = lib.sparse_coo_tensor(lib.tensor([[0, 0, 1], [1, 1, 0]]), v, (2, 3))
    (b.coalesce().to_dense() ** 2).sum().backward()
    u = lib.tensor([1.0, 2.0, 3.0], requires_grad=True)
    lib.sparse.softmax(lib.sparse_coo_tensor(lib.tensor([[0, 0, 1], [1, 2, 0]]), u, (2, 3)), 1).to_dense()[0, 1].backward()
    return [x.grad, w.grad, a.grad, v.grad, u.grad]


def test_gradients():
    for ours, theirs in zip(gradients(ct), gradients(torch), strict=True):
        check(ours, theirs)


def test_gradients_that_pytorch_lacks():
    v = ct.tensor([1.0, 2.0, 3.0], requires_grad=True)
    a = ct.sparse_csr_tensor([0, 2, 3], [1, 2, 0], v, (2, 3))
    ((a * 2).t() @ a).to_dense().sum().backward()
    x = torch.tensor([[0, 1.0, 2.0], [3, 0, 0]], requires_grad=True)
    ((x * 2).T @ x).sum().backward()
    assert v.grad.tolist() == x.grad[x != 0].tolist()
    assert a.grad_fn is None
    assert a.grad.to_dense().tolist() == (x.grad * (x != 0)).tolist()


def test_a_leaf_drops_and_keeps_its_gradient():
    a = ct.eye(2).to_sparse().requires_grad_()
    a.sum().backward()
    assert a.grad.to_dense().tolist() == [[1, 0], [0, 1]]
    assert (a.is_leaf, a.detach().requires_grad, a.data.requires_grad) == (True, False, False)
    a.grad = None
    assert a.grad is None
    a.requires_grad = False
    assert not a.requires_grad


def test_zeroing_and_moving(device):
    for x in (ct.eye(3).to_sparse(), ct.eye(3).to_sparse_csr()):
        assert x.to(device) is x
        assert x.zero_().to_dense().sum().item() == 0
        assert x._nnz() == 0


@pytest.mark.parametrize("form", ["safetensors", "torch", "pickle"])
def test_saving(form):
    objs = [tensors(ct)[name] for name in "abch"] + [ct.sparse_coo_tensor([[0]], [1.0], requires_grad=True)]
    out = io.BytesIO()
    ct.save(objs, out, format=form)
    found = ct.load(io.BytesIO(out.getvalue()), weights_only=form != "pickle")
    assert [repr(x) for x in found] == [repr(x) for x in objs]
    if form == "torch":
        theirs = torch.load(io.BytesIO(out.getvalue()), weights_only=True)
        assert [repr(x).replace("torch.", "cltensor.") for x in theirs[:4]] == [repr(x) for x in objs[:4]]


@pytest.mark.parametrize("zipped", [True, False])
def test_loading_pytorchs(zipped):
    objs = [tensors(torch)[name] for name in "abch"]
    out = io.BytesIO()
    torch.save(objs, out, _use_new_zipfile_serialization=zipped)
    assert [repr(x).replace("cltensor.", "torch.") for x in ct.load(io.BytesIO(out.getvalue()))] == [repr(x) for x in objs]


def test_copies_and_pickles():
    for name in "abch":
        x = tensors(ct)[name]
        assert repr(pickle.loads(pickle.dumps(x))) == repr(copy.deepcopy(x)) == repr(x)


# --- gradients of embeddings -----------------------------------------------------------------------------------------


def trained(lib, optimiser, settings, bag, padding):
    """(indices and values of the gradients of three steps, the table afterwards)."""
    table = lib.tensor([[float((i * 7 + j * 3) % 5) for j in range(3)] for i in range(6)])
    e = (lib.nn.EmbeddingBag if bag else lib.nn.Embedding)(6, 3, sparse=True, padding_idx=padding, _weight=table)
    step, ids, found = getattr(lib.optim, optimiser)(e.parameters(), **settings), lib.tensor([[0, 2, 2], [4, 0, 1]]), []
    for i in range(3):
        step.zero_grad(set_to_none=i != 1)
        ((e(ids) ** 2).sum() + e(ids[:, :2]).sum()).backward()
        g = e.weight.grad.coalesce()
        found.append((g.indices().tolist(), g.to_dense().tolist()))
        step.step()
    return found, e.weight.tolist()


@pytest.mark.parametrize(("optimiser", "settings"), [
    ("SGD", {"lr": 0.125}), ("SGD", {"lr": 0.125, "momentum": 0.5, "nesterov": True}), ("SGD", {"lr": 0.125, "maximize": True}),
    ("SGD", {"lr": 0.125, "momentum": 0.5, "dampening": 0.25}), ("Adagrad", {"lr": 0.1, "lr_decay": 0.01}),
    ("Adagrad", {"lr": 0.1, "maximize": True}), ("SparseAdam", {"lr": 0.1}),
])
@pytest.mark.parametrize(("bag", "padding"), [(False, None), (False, 2), (True, 2)])
def test_embeddings_are_trained_by_their_rows(optimiser, settings, bag, padding):
    (theirs, table), (ours, found) = (trained(lib, optimiser, settings, bag, padding) for lib in (torch, ct))
    assert [i for i, _ in ours] == [i for i, _ in theirs]
    np.testing.assert_allclose([g for _, g in ours], [g for _, g in theirs], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found, table, rtol=1e-5, atol=1e-6)


def test_sparse_and_dense_gradients_add_up():
    e = ct.nn.Embedding(3, 2, sparse=True)
    (e(ct.tensor([0])).sum() + (e.weight * 2).sum()).backward()
    assert e.weight.grad.tolist() == [[3, 3], [2, 2], [2, 2]]
    e.zero_grad()
    e(ct.tensor([1])).sum().backward()
    assert e.weight.grad.is_sparse
    (e.weight * 2).sum().backward()
    assert e.weight.grad.tolist() == [[2, 2], [3, 3], [2, 2]]


def test_a_table_that_is_computed_gets_a_dense_gradient():
    w = ct.ones(3, 2, requires_grad=True)
    ct.nn.functional.embedding(ct.tensor([1, 1]), w * 2, sparse=True).sum().backward()
    assert w.grad.tolist() == [[0, 0], [4, 4], [0, 0]]


def test_what_sparse_gradients_go_through():
    e, seen = ct.nn.Embedding(3, 2, sparse=True), []
    e.weight.register_hook(lambda g: seen.append(g.is_sparse) or g * 2)
    e(ct.tensor([1])).sum().backward()
    g, = ct.autograd.grad(e(ct.tensor([0])).sum(), [e.weight])
    assert (seen, e.weight.grad.to_dense().tolist(), g.is_sparse) == ([True, True], [[0, 0], [2, 2], [0, 0]], True)
    with ct.autograd.detect_anomaly():
        e(ct.tensor([1])).sum().backward()
    e.weight.grad = g
    assert e.weight.grad is g


@pytest.mark.parametrize(("make", "words"), [
    (lambda e: ct.optim.Adam(e.parameters()), "Adam does not support sparse gradients"),
    (lambda e: ct.optim.RMSprop(e.parameters()), "RMSprop does not support sparse gradients"),
    (lambda e: ct.optim.SGD(e.parameters(), weight_decay=0.1), "weight_decay is not compatible with sparse"),
    (lambda e: ct.optim.Adagrad(e.parameters(), weight_decay=0.1), "weight_decay is not compatible with sparse"),
])
def test_optimisers_that_move_every_row(make, words):
    e = ct.nn.Embedding(3, 2, sparse=True)
    before = e.weight.tolist()
    e(ct.tensor([0])).sum().backward()
    with pytest.raises(ct.CLTensorError, match=words):
        make(e).step()
    assert e.weight.tolist() == before


def test_counting_rows_is_refused():
    with pytest.raises(ct.ArgumentError, match="scale_grad_by_freq not supported with sparse gradients"):
        ct.nn.Embedding(3, 2, sparse=True, scale_grad_by_freq=True)(ct.tensor([0]))


@pytest.mark.parametrize("reduction", ["sum", "mean", "amax", "amin"])
def test_other_reductions_of_a_product(reduction):
    results = []
    for lib in (ct, torch):
        a = lib.tensor([[0, 2.0, 1], [0, 0, 0], [3, 0, -4]]).to_sparse_csr()
        w = lib.tensor([[1.0, 2], [3, -4], [5, 6]], requires_grad=True)
        y = lib.sparse.mm(a, w, reduction)
        (y * lib.tensor([[1.0, 2], [3, 4], [5, 6]])).sum().backward()
        results.append((y, w.grad))
    for ours, theirs in zip(*results, strict=True):
        check(ours, theirs)


def test_gradients_of_sparse_results_and_by_sparse_inputs():
    a = ct.tensor([[0, 2.0], [3, 0]]).to_sparse().requires_grad_()
    y = a * 3
    for seed in (ct.ones(2, 2), ct.ones(2, 2).to_sparse()):
        g, = ct.autograd.grad(y, a, seed, retain_graph=True)
        assert (g.is_sparse, g.to_dense().tolist()) == (True, [[0, 3], [3, 0]])
    y.backward(ct.ones(2, 2), inputs=[a], retain_graph=True)
    assert a.grad.to_dense().tolist() == [[0, 3], [3, 0]]
    with pytest.raises(ct.ShapeError, match="Mismatch in shape"):
        y.backward(ct.ones(3, 3))


def test_a_result_in_a_given_tensor():
    mask, out = ct.eye(2).to_sparse_csr(), ct.zeros(2, 2).to_sparse_csr()
    assert ct.sparse.sampled_addmm(mask, ct.ones(2, 3), ct.ones(3, 2), out=out) is out
    assert out.to_dense().tolist() == [[4, 0], [0, 4]]
    for wrong in (ct.ones(2, 2), ct.eye(2).to_sparse()):
        with pytest.raises(ct.ArgumentTypeError, match=r"sparse tensor|of layout"):
            ct.sparse.sampled_addmm(mask, ct.ones(2, 3), ct.ones(3, 2), out=wrong)


def test_a_step_that_a_scaler_skips_leaves_the_rows():
    e = ct.nn.Embedding(3, 2, sparse=True)
    before = e.weight.tolist()
    step = ct.optim.SGD(e.parameters(), lr=0.5)
    e(ct.tensor([0])).sum().backward()
    step.found_inf = ct.tensor(1.0)
    step.step()
    assert e.weight.tolist() == before
    step.found_inf = ct.tensor(0.0)
    step.step()
    assert e.weight.tolist() != before
