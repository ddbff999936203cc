"""One table of distributions; the tests of this folder are generated over it."""

import numpy as np

A = np.array
SPREAD = A([[2.0, 0.6], [0.6, 1.0]])
ROOT = A([[1.4, 0.0], [0.4, 0.9]])
WEIGHTS = A([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]])


class Example:
    """A class of distributions with arguments: NumPy arrays become tensors, numbers stay."""

    def __init__(self, name, *args, **named):
        self.name, self.args, self.named = name, args, named

    def made(self, lib, tensor, **more):
        """The distribution of a library's module `distributions`; tensor makes its tensors of arrays."""
        made = [tensor(a) if isinstance(a, np.ndarray) else a for a in self.args]
        named = {n: tensor(a) if isinstance(a, np.ndarray) else a for n, a in self.named.items()}
        return getattr(lib, self.name)(*made, **named, **more)

    def __repr__(self):
        sizes = [str(a.shape) if isinstance(a, np.ndarray) else repr(a) for a in self.args]
        sizes += [f"{n}={a.shape if isinstance(a, np.ndarray) else a!r}" for n, a in self.named.items()]
        return f"{self.name}({', '.join(sizes)})"


E = Example
EXAMPLES = [
    E("Bernoulli", A([0.7, 0.2, 0.4])), E("Bernoulli", A(0.3)), E("Bernoulli", 0.3), E("Bernoulli", logits=A([-1.0, 0.5])),
    E("Beta", A([0.5, 2.0, 30.0]), A([0.7, 3.0, 20.0])), E("Beta", 2.0, 3.0), E("Beta", A([[1.5], [4.0]]), A([2.0, 5.0])),
    E("Binomial", 10, A([0.2, 0.7])), E("Binomial", A([5.0, 5.0]), logits=A([[0.2], [-1.0]])), E("Binomial", A([3.0, 8.0]), A(0.4)),
    E("Categorical", WEIGHTS), E("Categorical", A([1.0, 3.0])), E("Categorical", logits=A([[0.0, 1.0], [2.0, -1.0]])),
    E("Cauchy", 0.5, 1.5), E("Cauchy", A([0.0, 1.0]), A([[1.0], [2.0]])), E("Chi2", A([1.0, 4.5])), E("Chi2", 3.0),
    E("ContinuousBernoulli", A([0.7, 0.2, 0.4995, 0.5])), E("ContinuousBernoulli", logits=A([-2.0, 0.3])),
    E("Dirichlet", A([0.5, 1.5, 3.0])), E("Dirichlet", A([[0.2, 0.9], [3.0, 20.0]])), E("Exponential", A([0.7, 3.0])),
    E("Exponential", 1.0), E("FisherSnedecor", A([2.0, 5.0]), A([5.0, 9.5])), E("FisherSnedecor", 3.0, 3.5),
    E("Gamma", A([0.3, 2.0, 40.0]), A([0.5, 1.0, 3.0])), E("Gamma", 2.0, 0.5),
    E("GeneralizedPareto", A([0.0, 1.0, -1.0]), A([1.0, 2.0, 0.5]), A([-0.4, 0.0, 0.3])), E("GeneralizedPareto", 0.0, 1.0, 0.1),
    E("Geometric", A([0.7, 0.2])), E("Geometric", logits=A([0.5, -2.0])), E("Geometric", 0.4), E("Gumbel", A([0.0, 2.0]), 1.5),
    E("Gumbel", 0.0, 1.0), E("HalfCauchy", A([1.0, 2.5])), E("HalfCauchy", 1.0), E("HalfNormal", A([1.0, 2.5])),
    E("HalfNormal", 1.0),
    E("InverseGamma", A([2.5, 4.0]), A([1.0, 3.0])), E("InverseGamma", 3.0, 1.0),
    E("Kumaraswamy", A([1.5, 3.0]), A([2.0, 1.2])), E("Kumaraswamy", 1.0, 2.0), E("LKJCholesky", 3, A([0.5, 2.0])),
    E("LKJCholesky", 2, 1.0), E("LKJCholesky", 4, A(1.0)), E("Laplace", A([0.0, 1.0]), A([1.0, 0.4])), E("Laplace", 0.0, 1.0),
    E("LogNormal", A([0.0, 0.5]), A([1.0, 0.4])), E("LogNormal", 0.0, 1.0), E("LogisticNormal", A([0.5, -0.2]), A([1.0, 0.4])),
    E("LogisticNormal", A([[0.0], [1.0]]), A([1.0, 0.7, 0.3])),
    E("LowRankMultivariateNormal", A([0.5, -1.0, 0.0]), A([[1.0], [0.5], [-0.2]]), A([0.4, 1.0, 2.0])),
    E("LowRankMultivariateNormal", A([[0.5, -1.0], [1.0, 2.0]]), A([[1.0], [0.5]]), A([0.4, 1.0])),
    E("Multinomial", 5, WEIGHTS), E("Multinomial", 3, logits=A([0.0, 1.0])), E("MultivariateNormal", A([0.5, -1.0]), SPREAD),
    E("MultivariateNormal", A([[0.5, -1.0], [0.0, 2.0]]), precision_matrix=SPREAD),
    E("MultivariateNormal", A([0.5, -1.0]), scale_tril=A([ROOT, 2 * ROOT])), E("NegativeBinomial", A([3.0, 0.5]), A([0.3, 0.6])),
    E("NegativeBinomial", 4, logits=A([-1.0, 0.2])), E("Normal", A([0.0, 3.0]), A([1.0, 0.3])), E("Normal", 0.0, 2.0),
    E("Normal", A([[0.0], [1.0]]), A([1.0, 2.0, 3.0])), E("OneHotCategorical", WEIGHTS),
    E("OneHotCategorical", logits=A([0.0, 1.0])),
    E("OneHotCategoricalStraightThrough", WEIGHTS), E("Pareto", A([1.0, 2.0]), A([2.5, 4.0])), E("Pareto", 1.0, 3.0),
    E("Poisson", A([0.4, 5.0, 30.0])), E("Poisson", 3.0), E("RelaxedBernoulli", A(0.7), A([0.7, 0.2])),
    E("RelaxedBernoulli", A(2.0), logits=A([0.5])), E("RelaxedOneHotCategorical", A(0.8), WEIGHTS),
    E("RelaxedOneHotCategorical", A(1.5), logits=A([0.5, -0.5, 0.0])), E("StudentT", A([2.5, 6.0]), A([0.0, 1.0]), A([1.0, 2.0])),
    E("StudentT", 5.0), E("Uniform", A([0.0, -1.0]), A([1.0, 2.5])), E("Uniform", 0.0, 1.0),
    E("VonMises", A([0.0, 2.0]), A([0.5, 6.0])), E("VonMises", 1.0, 3.0), E("Weibull", A([1.0, 2.0]), A([1.5, 0.8])),
    E("Weibull", 1.0, 2.0), E("Wishart", A([4.0, 2.5]), SPREAD), E("Wishart", A(5.0), scale_tril=A([ROOT, 2 * ROOT])),
    E("Wishart", 3.0, precision_matrix=SPREAD),
]
