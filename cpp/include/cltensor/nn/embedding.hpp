// Embedding: a trained vector for each number of a vocabulary.
#pragma once

#include "init.hpp"

namespace ct::nn {

/// Rows of weight (num_embeddings, embedding_dim) at int64 numbers (*) -> (*, embedding_dim); weight starts normal.
class Embedding : public Module {
public:
    Tensor weight;

    Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim)
        : weight(parameter("weight", init::normal_(empty({num_embeddings, embedding_dim})))) {}

    Tensor forward(const Tensor& numbers) override { return embedding(numbers, weight); }
};

}  // namespace ct::nn
