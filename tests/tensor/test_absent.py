"""What PyTorch has and cltensor has not says so in one clear error."""

import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]

@pytest.mark.parametrize(("fetch", "reason"), [
    (lambda: ct.sparse_bsr_tensor, "sparse tensors are COO or CSR"),
    (lambda: ct.ones(2).to_sparse_csc(), "sparse tensors are COO or CSR"),
    (lambda: ct.nested, "no nested tensors; pad the parts"),
    (lambda: ct.quantize_per_tensor, "no quantized dtypes"),
])
def test_other_absences(fetch, reason):
    with pytest.raises(ct.AbsentError, match=reason):
        fetch()


def test_hasattr_is_false():
    assert not hasattr(ct, "nested")
    assert not hasattr(ct.ones(1), "to_sparse_csc")
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'nonsense'"):
        ct.ones(1).nonsense  # noqa: B018


def test_real_numbers_pass():
    x = ct.ones(2)
    assert x.real is x
    assert ct.real(x) is x
    assert x.conj() is x
    assert not x.is_conj()
    assert not x.is_neg()
    assert not ct.is_complex(x)
