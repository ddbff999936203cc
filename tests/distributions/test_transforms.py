"""Transforms against PyTorch's, their inverses, their Jacobians against autograd's; constraints and registries."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import distributions as D
from cltensor.autograd.functional import jacobian
from cltensor.distributions import constraints, transforms, utils

pytestmark = [pytest.mark.device, pytest.mark.any_style]
A = np.array
X = A([[-1.2, 0.3, 2.0], [0.5, -0.4, 1.1]])
POSITIVE = np.abs(X) + 0.1


def t(a):
    return ct.tensor(a)


#: name -> (function of a library's module and its tensor, inputs)
CASES = {
    "exp": (lambda T, t: T.ExpTransform(), X), "power": (lambda T, t: T.PowerTransform(t(A(1.5))), POSITIVE),
    "power of tensors": (lambda T, t: T.PowerTransform(t(A([2.0, -0.5, 3.0]))), POSITIVE),
    "sigmoid": (lambda T, t: T.SigmoidTransform(), X), "softplus": (lambda T, t: T.SoftplusTransform(), X),
    "tanh": (lambda T, t: T.TanhTransform(), X), "affine": (lambda T, t: T.AffineTransform(1.0, -2.0), X),
    "affine of tensors": (lambda T, t: T.AffineTransform(t(A([1.0, 2.0, 3.0])), t(A([0.5, -1.0, 2.0]))), X),
    "affine of vectors": (lambda T, t: T.AffineTransform(1.0, 2.0, event_dim=1), X),
    "stick breaking": (lambda T, t: T.StickBreakingTransform(), X),
    "correlation": (lambda T, t: T.CorrCholeskyTransform(), X), "independent": (lambda T, t: T.IndependentTransform(
        T.ExpTransform(), 1), X), "reshape": (lambda T, t: T.ReshapeTransform((3,), (3, 1)), X),
    "composed": (lambda T, t: T.ComposeTransform([T.AffineTransform(0.5, 2.0), T.TanhTransform(), T.ExpTransform()]), X),
    "composed of events": (lambda T, t: T.ComposeTransform([T.ExpTransform(), T.AffineTransform(0.1, 1.0), T.ExpTransform().inv,
                                                            T.StickBreakingTransform()]), X),
    "inverse": (lambda T, t: T.ExpTransform().inv, POSITIVE), "nothing": (lambda T, t: T.identity_transform, X),
    "cat": (lambda T, t: T.CatTransform([T.ExpTransform(), T.AffineTransform(1.0, 2.0)], dim=-1, lengths=[1, 2]), X),
    "cat along the batch": (lambda T, t: T.CatTransform([T.ExpTransform(), T.TanhTransform()], dim=0), X),
    "stack": (lambda T, t: T.StackTransform([T.ExpTransform(), T.TanhTransform()], dim=0), X),
}


@pytest.mark.parametrize("name", CASES)
def test_transform(name):
    torch = pytest.importorskip("torch")
    make, x = CASES[name]
    mine, theirs = make(transforms, t), make(torch.distributions.transforms, torch.tensor)
    y, expected = mine(t(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mine.inv(y).numpy(), x, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(mine.log_abs_det_jacobian(t(x), y).numpy(),
                               theirs.log_abs_det_jacobian(torch.tensor(x), expected).numpy(), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(mine.inv.log_abs_det_jacobian(y, t(x)).numpy(),
                               -mine.log_abs_det_jacobian(t(x), y).numpy(), rtol=1e-9)
    assert tuple(mine.forward_shape(x.shape)) == tuple(theirs.forward_shape(x.shape)) == tuple(y.shape)
    assert tuple(mine.inverse_shape(y.shape)) == tuple(theirs.inverse_shape(y.shape))
    for side in ("domain", "codomain"):
        assert getattr(mine, side).event_dim == getattr(theirs, side).event_dim
        assert getattr(mine.inv, side).event_dim == getattr(theirs.inv, side).event_dim
    assert mine.bijective == theirs.bijective
    assert mine.domain.check(t(x)).all()
    assert mine.codomain.check(y).all()
    assert repr(mine) == repr(theirs)
    assert mine.inv.inv is mine
    assert repr(mine.inv) == repr(theirs.inv)


@pytest.mark.parametrize("name", [n for n in CASES if "inverse" not in n and "batch" not in n and n != "stack"])
def test_jacobian_is_that_of_autograd(name):
    make, x = CASES[name]
    transform, row = make(transforms, t), t(x[0])
    y = transform(row)
    free = {"stick breaking": lambda y: y[:-1], "composed of events": lambda y: y[:-1],
            "correlation": lambda y: y.tril(-1)[[1, 2, 2], [0, 0, 1]]}.get(name, lambda y: y.reshape(-1))
    whole = jacobian(lambda v: free(transform(v)), row)
    expected = ct.linalg.slogdet(whole.reshape(3, 3))[1].item()
    np.testing.assert_allclose(transform.log_abs_det_jacobian(row, y).sum().item(), expected, rtol=1e-8, atol=1e-10)


def test_cumulative_distribution_and_absolute_values():
    normal = D.Normal(0.0, 2.0)
    transform = transforms.CumulativeDistributionTransform(normal)
    x = ct.tensor([-1.0, 0.5])
    assert transform(x).tolist() == normal.cdf(x).tolist()
    np.testing.assert_allclose(transform.inv(transform(x)).numpy(), x.numpy(), rtol=1e-5)
    assert transform.log_abs_det_jacobian(x, None).tolist() == normal.log_prob(x).tolist()
    assert transform.domain is constraints.real
    assert transform.with_cache().distribution is normal
    absolute = transforms.AbsTransform()
    assert absolute(x).tolist() == [1.0, 0.5]
    assert absolute.inv(x).tolist() == x.tolist()
    for call in (lambda: absolute.sign, lambda: absolute.log_abs_det_jacobian(x, x)):
        with pytest.raises(NotImplementedError, match="AbsTransform"):
            call()


def test_caches():
    x = ct.tensor([0.1, 30.0])
    cached = transforms.TanhTransform(cache_size=1)
    y = cached(x)
    assert cached(x) is y
    assert cached.inv(y) is x
    assert transforms.TanhTransform().inv(y).tolist() != x.tolist()
    parts = [transforms.ExpTransform(), transforms.PowerTransform(2.0), transforms.AffineTransform(1.0, 2.0),
             transforms.CatTransform([transforms.ExpTransform()], lengths=[2]),
             transforms.StackTransform([transforms.ExpTransform()]),
             transforms.ReshapeTransform((2,), (2, 1)), transforms.IndependentTransform(transforms.ExpTransform(), 1)]
    for part in [*parts, transforms.ComposeTransform(parts[:2])]:
        assert part.with_cache(0) is part
        kept = part.with_cache(1)
        assert type(kept) is type(part)
        assert kept._cache_size == 1
        assert kept is not part
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        transforms.ExpTransform(cache_size=2)


def test_equal_transforms():
    T = transforms
    assert T.ExpTransform() == T.ExpTransform()
    assert T.ExpTransform() != T.TanhTransform()
    assert T.AffineTransform(0, 1) == T.AffineTransform(0.0, 1.0)
    assert T.AffineTransform(ct.zeros(2), 1) != T.AffineTransform(ct.ones(2), 1)
    assert T.PowerTransform(2.0) == T.PowerTransform(2.0)
    assert T.PowerTransform(2.0) != T.PowerTransform(3.0)
    assert T.ExpTransform().inv == T.ExpTransform().inv
    assert T.ComposeTransform([T.ExpTransform()]) == T.ComposeTransform([T.ExpTransform()])
    assert T.AffineTransform(0, -2.0).sign == -1
    assert T.AffineTransform(0, ct.tensor([-2.0, 1.0])).sign.tolist() == [-1, 1]
    assert T.ComposeTransform([T.AffineTransform(0, -2.0), T.ExpTransform()]).sign == -1


SHAPES = [
    (lambda T: T.SoftmaxTransform().forward_shape(()), "Too few"),
    (lambda T: T.StickBreakingTransform().inverse_shape(()), "Too few"),
    (lambda T: T.ReshapeTransform((2,), (3,)), "different numbers"),
    (lambda T: T.ReshapeTransform((2,), (2, 1)).forward_shape((3,)), "Shape mismatch"),
    (lambda T: T.ReshapeTransform((2,), (2, 1)).forward_shape(()), "Too few"),
    (lambda T: T.CorrCholeskyTransform().forward_shape((4,)), "lower triangular"),
    (lambda T: T.CorrCholeskyTransform().forward_shape(()), "Too few"),
    (lambda T: T.CorrCholeskyTransform().inverse_shape((4, 3)), "not square"),
    (lambda T: T.CorrCholeskyTransform().inverse_shape((4,)), "Too few"),
    (lambda T: T.IndependentTransform(T.ExpTransform(), 2)(ct.ones(2)), "Too few"),
    (lambda T: T.CatTransform([T.ExpTransform()], lengths=[1, 2]), "1 transforms, but 2 lengths"),
    (lambda T: T.CatTransform([T.ExpTransform()], lengths=[2])(ct.ones(3)), "must be 2"),
    (lambda T: T.StackTransform([T.ExpTransform()])(ct.ones(3)), "must be 1"),
    (lambda T: T.StickBreakingTransform().inv.inv.domain.check(ct.tensor(1.0)), "dim"),
]


@pytest.mark.parametrize(("call", "says"), SHAPES, ids=lambda v: v if isinstance(v, str) else "")
def test_shapes_that_do_not_fit(call, says):
    with pytest.raises(ValueError, match=says):
        call(transforms)


def test_what_a_transform_must_define():
    class Bare(transforms.Transform):
        domain = codomain = constraints.real

        def __init__(self, more, cache_size=0):
            super().__init__(cache_size)

    bare, x = Bare(1), ct.ones(2)
    for call in (lambda: bare(x), lambda: bare.inv(x), lambda: bare.log_abs_det_jacobian(x, x), lambda: bare.with_cache(1),
                 lambda: bare.sign):
        with pytest.raises(NotImplementedError, match="Bare"):
            call()
    assert bare == bare
    assert bare != Bare(1)
    assert bare.event_dim == 0
    with pytest.raises(ValueError, match=r"domain\.event_dim"):
        transforms.ReshapeTransform((2,), (2, 1)).event_dim  # noqa: B018


MATRIX = A([[2.0, 0.5], [0.5, 1.0]])
LOW = np.linalg.cholesky(MATRIX)
CORRELATION = A([[1.0, 0.0], [0.6, 0.8]])
#: constraint of a library's module, a value inside and one outside
CONSTRAINTS = {
    "boolean": (lambda c: c.boolean, A([0.0, 1.0]), A([0.5, 2.0])), "one_hot": (lambda c: c.one_hot, A([0.0, 1.0]), A([1.0, 1.0])),
    "integer_interval": (lambda c: c.integer_interval(1, 3), A([1.0, 3.0]), A([0.0, 2.5])),
    "nonnegative_integer": (lambda c: c.nonnegative_integer, A([0.0, 3.0]), A([-1.0, 2.5])),
    "positive_integer": (lambda c: c.positive_integer, A([1.0, 3.0]), A([0.0, 2.5])),
    "real": (lambda c: c.real, A([1.0, np.inf]), A([np.nan, np.nan])), "positive": (lambda c: c.positive, A([0.1]), A([0.0])),
    "nonnegative": (lambda c: c.nonnegative, A([0.0]), A([-0.1])),
    "greater_than": (lambda c: c.greater_than(2), A([2.1]), A([2.0])),
    "greater_than_eq": (lambda c: c.greater_than_eq(2), A([2.0]), A([1.0])),
    "less_than": (lambda c: c.less_than(2), A([1.0]), A([2.0])),
    "interval": (lambda c: c.interval(1.0, 2.0), A([1.0, 2.0]), A([0.9, 2.1])),
    "unit_interval": (lambda c: c.unit_interval, A([0.0, 1.0]), A([-0.1, 1.1])),
    "half_open_interval": (lambda c: c.half_open_interval(1.0, 2.0), A([1.0]), A([2.0])),
    "simplex": (lambda c: c.simplex, A([0.3, 0.7]), A([0.3, 0.8])),
    "multinomial": (lambda c: c.multinomial(3), A([1.0, 2.0]), A([-1.0, 2.0])),
    "lower_triangular": (lambda c: c.lower_triangular, LOW, MATRIX), "lower_cholesky": (lambda c: c.lower_cholesky, LOW, -LOW),
    "corr_cholesky": (lambda c: c.corr_cholesky, CORRELATION, LOW), "square": (lambda c: c.square, MATRIX, MATRIX[:1]),
    "symmetric": (lambda c: c.symmetric, MATRIX, LOW),
    "positive_semidefinite": (lambda c: c.positive_semidefinite, MATRIX, -MATRIX),
    "positive_definite": (lambda c: c.positive_definite, MATRIX, A([[1.0, 2.0], [2.0, 1.0]])),
    "positive_definite of none": (lambda c: c.positive_definite, MATRIX, LOW),
    "real_vector": (lambda c: c.real_vector, A([[1.0, 2.0]]), A([[1.0, np.nan]])),
    "independent": (lambda c: c.independent(c.positive, 1), A([[1.0, 2.0]]), A([[1.0, -1.0]])),
    "cat": (lambda c: c.cat([c.positive, c.real], 0, [1, 2]), A([1.0, -1.0, 2.0]), A([-1.0, 1.0, np.nan])),
    "stack": (lambda c: c.stack([c.positive, c.real], -1), A([[1.0, -1.0]]), A([[-1.0, np.nan]])),
    "mixture": (lambda c: c.MixtureSameFamilyConstraint(c.positive), A([1.0, 2.0]), A([-1.0, 0.0])),
    "mixture of vectors": (lambda c: c.MixtureSameFamilyConstraint(c.simplex), A([[0.5, 0.5]]), A([[0.5, 0.6]])),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraint(name):
    torch = pytest.importorskip("torch")
    make, inside, outside = CONSTRAINTS[name]
    mine, theirs = make(constraints), make(torch.distributions.constraints)
    for value, holds in ((inside, True), (outside, False)):
        found, expected = mine.check(t(value)), theirs.check(torch.tensor(value))
        assert found.tolist() == expected.tolist()
        assert found.all().item() == holds
    assert (mine.event_dim, mine.is_discrete) == (theirs.event_dim, theirs.is_discrete)
    if "mixture" not in name and name not in ("cat", "stack"):
        assert repr(mine) == repr(theirs)


def test_dependent_constraints():
    assert constraints.is_dependent(D.Uniform.support)
    assert not constraints.is_dependent(D.Uniform(0.0, 1.0).support)
    assert D.Uniform.support.event_dim == 0
    assert D.Uniform.support.is_discrete is False
    assert constraints.dependent(event_dim=2).event_dim == 2
    with pytest.raises(NotImplementedError, match="event_dim"):
        constraints.dependent.event_dim  # noqa: B018
    with pytest.raises(ValueError, match="dependent"):
        constraints.dependent.check(ct.ones(1))
    with pytest.raises(NotImplementedError, match="define check"):
        constraints.Constraint().check(ct.ones(1))
    with pytest.raises(ValueError, match="not a `Constraint`"):
        constraints.MixtureSameFamilyConstraint(3)
    for bad in (constraints.independent(constraints.real, 2), constraints.MixtureSameFamilyConstraint(constraints.simplex)):
        with pytest.raises(ValueError, match="Expected value"):
            bad.check(ct.tensor(1.0))


@pytest.mark.parametrize("name", [n for n in CONSTRAINTS if n not in (
    "boolean", "one_hot", "integer_interval", "nonnegative_integer", "positive_integer", "multinomial", "lower_triangular",
    "square", "symmetric", "mixture", "mixture of vectors")])
@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
def test_registries(name, registry):
    torch = pytest.importorskip("torch")
    make = CONSTRAINTS[name][0]
    try:
        theirs = getattr(torch.distributions, registry)(make(torch.distributions.constraints))
    except NotImplementedError:
        with pytest.raises(NotImplementedError, match="Cannot transform"):
            getattr(D, registry)(make(constraints))
        return
    mine = getattr(D, registry)(make(constraints))
    square = ("lower_cholesky", "positive_definite", "positive_semidefinite", "stack", "positive_definite of none")
    x = X[0] if name == "cat" else X[:, :2] if name in square else X
    y = mine(t(x))
    np.testing.assert_allclose(y.numpy(), theirs(torch.tensor(x)).numpy(), rtol=1e-9, atol=1e-12)
    assert make(constraints).check(y).all()
    assert mine.bijective == theirs.bijective
    if registry == "biject_to":
        np.testing.assert_allclose(mine.inv(y).numpy(), x, rtol=1e-8)


def test_registering():
    registry = D.constraint_registry.ConstraintRegistry()

    @registry.register(constraints.positive)
    def _positive(constraint):
        return transforms.SoftplusTransform()

    assert registry(constraints.greater_than(0.0)) == transforms.SoftplusTransform()
    with pytest.raises(TypeError, match="Constraint"):
        registry.register(3, _positive)
    with pytest.raises(NotImplementedError, match="Cannot transform"):
        registry(constraints.real)


def test_triangles():
    torch = pytest.importorskip("torch")
    from torch.distributions import utils as theirs

    for diagonal, k in ((0, 6), (-1, 3), (-2, 3), (1, 8)):
        vector = np.arange(1.0, 2 * k + 1).reshape(2, k)
        matrix = utils.vec_to_tril_matrix(t(vector), diagonal)
        np.testing.assert_array_equal(matrix.numpy(), theirs.vec_to_tril_matrix(torch.tensor(vector), diagonal).numpy())
        np.testing.assert_array_equal(utils.tril_matrix_to_vec(matrix, diagonal).numpy(), vector)
    with pytest.raises(ValueError, match="lower triangular"):
        utils.vec_to_tril_matrix(ct.ones(4))
    with pytest.raises(ValueError, match="outside"):
        utils.tril_matrix_to_vec(ct.ones(2, 2), 5)


def test_intermediates_play_no_part_and_lazy_properties():
    t, x = transforms.CorrCholeskyTransform(), ct.tensor([0.3, -0.2, 0.5])
    assert t.log_abs_det_jacobian(x, t(x), intermediates=ct.ones(3)) == t.log_abs_det_jacobian(x, t(x))

    class Counted:
        n = 0

        @utils.lazy_property
        def value(self):
            self.n += 1
            return self.n

    c = Counted()
    assert (c.value, c.value) == (1, 1)
