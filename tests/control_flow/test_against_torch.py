"""cond, while_loop, scan, map and associative_scan against PyTorch: results, gradients, and which calls raise."""

import warnings

import numpy as np
import pytest

import cltensor as ct
import cltensor._higher_order_ops

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.any_style]

#: m: the library; H: its _higher_order_ops; x: three floats; z: a matrix of six; i: the number 0
CALLS = [call for line in """
m.cond(True,lambda a:a+1,lambda a:a-1,(x,)) | m.cond(0.0,lambda a:a+1,lambda a:a-1,(x,)) | m.cond(x.sum()>0,m.sin,m.cos,(x,))
m.cond(x.sum()<0,m.sin,m.cos,(x,)) | m.cond(m.tensor([True]),m.sin,m.cos,(x,)) | m.cond(m.tensor(1.5),m.sin,m.cos,(x,))
m.cond(m.tensor([True,False]),m.sin,m.cos,(x,)) | m.cond("a",m.sin,m.cos,(x,)) | m.cond(x.sum()>0,1,m.cos,(x,))
m.cond(x.sum()>0,m.sin,m.cos,x) | m.cond(x.sum()>0,lambda a,n:a,lambda a,n:a,(x,2)) | m.cond(x.sum()>0,m.sin,m.sum,(x,))
m.cond(x.sum()>0,m.sin,lambda a:a.double(),(x,)) | m.cond(x.sum()>0,lambda a:{'b':a+1},lambda a:{'b':a-1},(x,))
m.cond(x.sum()>0,lambda d:d['a'][0]*2,lambda d:d['a'][0]/2,({'a':[x]},)) | m.cond(x.sum()>0,lambda:x.sin(),lambda:x.cos())
m.while_loop(lambda i,x:i<3,lambda i,x:(i+1,x*2),(i,x)) | m.while_loop(lambda i,x:i<3,lambda i,x:(i+1,x*2),(0,x.detach()))
m.while_loop(lambda i,x:i<3,lambda i,x:[i+1,x*2],[i,x]) | m.while_loop(lambda x:x.sum()<30,lambda x:x*2,(x,))
m.while_loop(lambda x:x.sum()<0,lambda x:(x+1,),(x,)) | m.while_loop(lambda d:d['i']<3,lambda d:({'i':d['i']+1},),({'i':i},))
m.while_loop(lambda x:x.sum()<99,lambda x:(x.sum(),),(x,)) | m.while_loop(lambda x:x.sum()<99,lambda x:(x.double(),),(x,))
m.while_loop(lambda x:x<9,lambda x:(x*2,),(x,)) | m.while_loop(lambda x:x.sum(),lambda x:(x-1,),(x,)) | m.while_loop(1,m.sin,(x,))
m.while_loop(lambda x,y:x.sum()<9,lambda x,y:(x+1,),(x,x+1))
m.while_loop(lambda x:x.sum()<9,lambda x:(x*2,),x)
H.scan(lambda c,e:(c+e,c*e),m.zeros(3),z) | H.scan(lambda c,e:(c+e,c*e),m.zeros(2),z,dim=1,reverse=True)
H.scan(lambda c,e:((c[0]+e['a'],c[1]*2),[e['a']-c[1]]),(m.zeros(3),m.ones(3)),{'a':z}) | H.scan(lambda c,e:(c+e,c*e),m.zeros(3),())
H.scan(lambda c,e:(c+e,c*e),m.zeros(3),z[:0]) | H.scan(lambda c,e:(c.sum(),c*e),m.zeros(3),z) | H.scan(1,m.zeros(3),z)
H.scan(lambda c,e:c+e,m.zeros(3),z) | H.scan(lambda c,e:(c+e,c*e),m.zeros(3),z,dim=5) | H.scan(lambda c,e:(c,e),(),z)
H.scan(lambda c,e:(c+e,e),0.0,z) | H.scan(lambda c,e:((c+e).double(),c*e),m.zeros(3),z) | H.scan(lambda c,e:(c+e,None),m.zeros(3),z)
H.map(lambda r,k:r+k,z,x) | H.map(lambda r,k:r*k,z,3) | H.map(lambda t,k:{'s':t['a']+t['b'][0],'d':t['a']*k},{'a':z,'b':[z+1]},x)
H.map(lambda r:(r+1,None),z) | H.map(m.sin,z[:0]) | H.map(m.sin,m.ones(())) | H.map(m.sin,[]) | H.map(lambda r:1,z)
H.map(lambda t:t[0]+1,(m.ones(3),m.ones(4)))
H.associative_scan(lambda a,b:a+b,x,0,combine_mode='generic') | H.associative_scan(lambda a,b:a*b,z,1,True,'generic')
H.associative_scan(lambda a,b:(a[0]*b[0],a[1]*b[0]+b[1]),(x,x+1),0,combine_mode='generic')
H.associative_scan(m.add,x,0,combine_mode='q')
H.associative_scan(lambda a,b:a+b,x,3,combine_mode='generic') | H.associative_scan(1,x,0,combine_mode='generic')
""".strip().splitlines() for call in line.split(" | ")]


def outcome(library, call):
    """(the result as nested tuples of arrays, the gradient of x), or the error."""
    x = library.tensor([0.5, 1.0, 2.0], requires_grad=True)
    names = {"m": library, "H": library._higher_order_ops, "x": x, "i": library.tensor(0),
             "z": library.arange(6.0).reshape(2, 3) + 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = eval(call, names)
        except Exception as error:
            return error
    total = [t.sum() for t in tensors(found) if t.requires_grad]
    if total:
        sum(total[1:], total[0]).backward()
    return arrays(found), x.grad if x.grad is None else x.grad.numpy()


def tensors(found):
    if isinstance(found, (tuple, list)):
        return [t for part in found for t in tensors(part)]
    if isinstance(found, dict):
        return tensors(list(found.values()))
    return [found] if hasattr(found, "requires_grad") else []


def arrays(found):
    if isinstance(found, (tuple, list)):
        return type(found)(map(arrays, found))
    if isinstance(found, dict):
        return {key: arrays(value) for key, value in found.items()}
    return found.detach().numpy() if hasattr(found, "detach") else found


@pytest.mark.parametrize("call", CALLS)
def test_a_call(call):
    wanted, found = outcome(torch, call), outcome(ct, call)
    if isinstance(wanted, Exception):
        kind = IndexError if isinstance(wanted, IndexError) and "dim" in call else ct.CLTensorError
        assert isinstance(found, kind), f"{found!r} instead of {wanted!r}"
        return
    assert not isinstance(found, Exception), repr(found)
    np.testing.assert_equal(shape(found), shape(wanted))
    for a, b in zip(tensors_of(found), tensors_of(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def shape(found):
    """The structure of a result, with shapes and dtypes in place of arrays."""
    if isinstance(found, (tuple, list)):
        return type(found)(map(shape, found))
    if isinstance(found, dict):
        return {key: shape(value) for key, value in found.items()}
    return (found.shape, str(found.dtype)) if isinstance(found, np.ndarray) else found


def tensors_of(found):
    if isinstance(found, (tuple, list)):
        return [t for part in found for t in tensors_of(part)]
    if isinstance(found, dict):
        return tensors_of(list(found.values()))
    return [found] if isinstance(found, np.ndarray) else []
