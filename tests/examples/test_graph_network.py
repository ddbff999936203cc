"""examples/graph_network.py: one short run, eager and compiled, and the matrix that averages."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def graph_network(example):
    """The example as a module."""
    return example("graph_network")


@pytest.mark.device
@pytest.mark.parametrize("options", [[], ["--compile"], ["--dtype", "float64"]])
def test_short_run(graph_network, tmp_path, capsys, options):
    right = graph_network.main(["--epochs", "60", "--output", str(tmp_path), *options])
    assert right > 0.8  # guessing gives 0.5
    assert "is right about 81.2%" in capsys.readouterr().out  # the shorter way
    assert (tmp_path / "graph_network.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_the_matrix(graph_network):
    linked = np.eye(34)
    for a, b in graph_network.EDGES:
        linked[a, b] = linked[b, a] = 1
    assert linked.sum() == 34 + 2 * 78
    degree = linked.sum(1)
    expected = linked / np.sqrt(np.outer(degree, degree))
    np.testing.assert_allclose(graph_network.averaging(ct.float64, None).to_dense().numpy(), expected, rtol=1e-12)


def test_the_club(graph_network):
    assert len(graph_network.WITH_INSTRUCTOR) == 17
    near = graph_network.by_distance()
    assert list(near[[0, 33, 1, 32, 2, 9, 11, 16]]) == [0, 1, 0, 1, 0, 1, 0, 0]
    assert list(np.flatnonzero(near == -1)) == [8, 13, 19, 24, 25, 31]  # as far from one as from the other
