"""Random."""

import cltensor as ct

ct.manual_seed(3)
generator = ct.Generator()
generator.manual_seed(7)
x = ct.rand(2, 3, generator=generator)
print(ct.randint(0, 10, (4,)), ct.randperm(5), x.bernoulli(), ct.normal(0.0, 1.0, (2, 2)))
