"""Write the digits that examples/digits.py trains on to a safetensors file, for digits.cpp.

    python cpp/examples/digits_data.py DIGITS.safetensors
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

import cltensor as ct


def main(path, seed=0):
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    test, train = np.split(order, [len(order) // 5])
    images = (digits.images[:, None] - digits.images[train].mean()) / digits.images[train].std()
    ct.save({f"{name}.{what}": ct.tensor(values[part]) for name, part in (("train", train), ("test", test))
             for what, values in (("images", images.astype(np.float32)), ("labels", digits.target.astype(np.int64)))}, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
