"""Models that are asked, one input or one token at a time, compiled: the eager values, one capture."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import amp, nn
from cltensor.compiler import compile

from .programs import GPT, STEPS, VAE, UNet, classes, draws

pytestmark = [pytest.mark.device, pytest.mark.any_style]

#: models of programs that are asked otherwise than as `net(x)` for the first argument of a step
ASKED = {"vae": lambda i: (VAE(), draws(i, (1, 6))), "gan": lambda i: (nn.Sequential(nn.Linear(3, 6), nn.Tanh()), draws(i, (1, 3))),
         "unet": lambda i: (UNet(), draws(i, (1, 1, 4, 4)))}
MODELS = ("mlp", "cnn", "resnet", "lstm", "gru", "gpt", "transformer", *ASKED)


def asked(name, step):
    """(a model in the state of evaluation, one input)."""
    if name in ASKED:
        net, (x,) = ASKED[name](step)
    else:
        program = STEPS[name]()
        net, x = program.net, program.batch(step)[0][:1]
    return net.eval(), x


@pytest.mark.parametrize("dtype", [None, ct.bfloat16])
@pytest.mark.parametrize("mode", [ct.no_grad, ct.inference_mode])
@pytest.mark.parametrize("name", MODELS)
def test_one_input_at_a_time(name, mode, dtype):
    runs = []
    for wrap in (lambda f: f, compile):
        ct.manual_seed(2)
        net, _ = asked(name, 0)
        call, found = wrap(net), []
        ct.manual_seed(3)
        for i in range(4):
            x = asked(name, i)[1].clone()
            with mode(), amp.autocast("cuda", dtype=dtype, enabled=dtype is not None):
                made = call(x)
            found += [t.float().numpy() for t in (made if isinstance(made, tuple) else (made,))]
        runs.append(found)
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5 if dtype is None else 2e-2, atol=1e-6 if dtype is None else 2e-2)
    assert call._program.captures == 1
    assert call._program.programs
    assert not call._program.eager


def generated(wrap, mode, length=6, **how):
    """(the tokens that a GPT says after one, the compiled function): keys and values are kept, a token a call."""
    ct.manual_seed(4)
    net = GPT(longest=length).eval()
    caches = net.caches(2)

    def following(token, at):
        return net(token, caches, at)[:, -1:].argmax(-1)

    following, token, said = wrap(following), classes(1, (2, 1), 11), []
    with mode():
        for i in range(length):
            token = following(token, ct.tensor([i]))
            said.append(token)
    return ct.cat(said, 1).tolist(), following


@pytest.mark.parametrize("mode", [ct.no_grad, ct.inference_mode])
def test_tokens_with_kept_keys_and_values(mode):
    """The place is a tensor, so that one program serves all tokens."""
    eager, _ = generated(lambda f: f, mode)
    found, following = generated(compile, mode)
    assert found == eager
    assert following.captures == 1
    assert not following.eager


def test_tokens_as_without_a_cache():
    ct.manual_seed(4)
    net = GPT().eval()
    kept, _ = generated(compile, ct.no_grad)
    said = classes(1, (2, 1), 11)
    with ct.no_grad():
        for _ in range(6):
            said = ct.cat([said, net(said)[:, -1:].argmax(-1)], 1)
    assert said[:, 1:].tolist() == kept


def test_a_place_that_python_counts_is_captured_each_time():
    """A number among the arguments is a guard: each place is a program.  As a tensor it is none."""
    net, found = GPT().eval(), []
    caches = net.caches(1)
    following = compile(lambda token, at: net(token, caches, ct.tensor([at])))
    with ct.no_grad():
        for i in (0, 1, 2, 1, 0):
            found.append(following(classes(i, (1, 1), 11), i))
    assert following.captures == 3


def test_the_place_is_counted_on_the_device():
    """A whole step, with the token and the place in memory: nothing is given, and nothing waits for the device."""
    def run(wrap):
        ct.manual_seed(4)
        net = GPT().eval()
        caches, token, at = net.caches(2), classes(1, (2, 1), 11), ct.tensor([0])

        def following():
            token.copy_(net(token, caches, at)[:, -1:].argmax(-1))
            at.add_(1)
            return token.clone()

        following = wrap(following)
        with ct.no_grad():
            return ct.cat([following() for _ in range(6)], 1).tolist(), following

    eager, _ = run(lambda f: f)
    found, following = run(compile)
    assert found == eager
    assert following.captures == 1


@pytest.mark.parametrize("write", [
    lambda kept, at, new: kept.index_copy_(0, at, new),
    lambda kept, at, new: kept.scatter_(0, at.view(1, 1).expand(1, 3), new),
    lambda kept, at, new: kept.index_put_((at,), new),
    lambda kept, at, new: kept.__setitem__(at, new),
    lambda kept, at, new: kept.copy_(ct.where(ct.arange(5).view(5, 1) == at, new, kept))])
def test_writes_at_a_place_in_a_tensor(write):
    kept = ct.zeros(5, 3)

    @compile
    def put(at, new):
        write(kept, at, new)
        return kept.sum()

    wanted = np.zeros((5, 3), np.float32)
    for i in (3, 0, 4, 3):
        wanted[i] = i + 1
        assert put(ct.tensor([i]), ct.full((1, 3), float(i + 1))).item() == wanted.sum()
        np.testing.assert_array_equal(kept.numpy(), wanted)
    assert put.captures == 1
    assert not put.eager
