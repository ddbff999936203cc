// Data: tensors by samples, in batches, in a new order each time.
#pragma once

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "print.hpp"

namespace ct {

/// Tensors whose first dimension counts samples.
class TensorDataset {
public:
    explicit TensorDataset(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {
        if (tensors_.empty()) fail("TensorDataset: give at least one tensor");
        for (const Tensor& x : tensors_)
            if (!x.dim() || x.size(0) != size())
                fail("TensorDataset: all tensors need one number of samples, got shapes ", shown(tensors_[0].shape()), " and ",
                     shown(x.shape()));
    }
    std::int64_t size() const { return tensors_[0].dim() ? tensors_[0].size(0) : 0; }
    const std::vector<Tensor>& tensors() const { return tensors_; }

private:
    std::vector<Tensor> tensors_;
};

/// Batches of a dataset, for range-based for: each is a vector of tensors.
class DataLoader {
public:
    DataLoader(TensorDataset dataset, std::int64_t batch_size = 1, bool shuffle = false, bool drop_last = false)
        : dataset_(std::move(dataset)), batch_(batch_size), shuffle_(shuffle), drop_last_(drop_last) {
        if (batch_size < 1) fail("DataLoader: batch_size must be >= 1, got ", batch_size);
    }

    const TensorDataset& dataset() const { return dataset_; }
    std::int64_t size() const { return drop_last_ ? dataset_.size() / batch_ : (dataset_.size() + batch_ - 1) / batch_; }

    class Iterator {
    public:
        Iterator(const DataLoader& loader, std::int64_t at) : loader_(loader), at_(at) {
            if (at != 0 || !loader.shuffle_) return;
            std::vector<std::int64_t> order(static_cast<std::size_t>(loader.dataset_.size()));
            std::iota(order.begin(), order.end(), 0);
            const auto [seed, offset] = default_generator().advance(1);
            std::mt19937_64 random(static_cast<std::uint64_t>(seed) * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(offset));
            for (std::size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[random() % i]);
            order_ = tensor(order);
        }
        std::vector<Tensor> operator*() const {
            const std::int64_t start = at_ * loader_.batch_, count = std::min(loader_.batch_, loader_.dataset_.size() - start);
            std::vector<Tensor> out;
            for (const Tensor& x : loader_.dataset_.tensors())
                out.push_back(order_.defined() ? x.index_select(0, order_.narrow(0, start, count)) : x.narrow(0, start, count));
            return out;
        }
        Iterator& operator++() {
            at_++;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return at_ != other.at_; }

    private:
        const DataLoader& loader_;
        std::int64_t at_;
        Tensor order_;
    };

    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, std::max<std::int64_t>(size(), 0) ? size() : 0}; }

private:
    TensorDataset dataset_;
    std::int64_t batch_;
    bool shuffle_, drop_last_;
};

}  // namespace ct
