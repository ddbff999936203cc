// Losses: one number that says how far predictions are from targets.
#pragma once

#include "module.hpp"

namespace ct {

/// How the losses of elements become one number, or stay.
enum class Reduction { none, mean, sum };

namespace detail {

inline Tensor reduced_loss(const Tensor& losses, Reduction how) {
    return how == Reduction::none ? losses : how == Reduction::sum ? losses.sum() : losses.mean();
}

inline void check_alike(const char* call, const Tensor& input, const Tensor& target) {
    if (input.shape() != target.shape())
        fail(call, ": input ", shown(input.shape()), " and target ", shown(target.shape()), " must have one shape; reshape one");
}

}  // namespace detail

/// Settings of cross_entropy; weight (C,), for each class.
struct CrossEntropyOptions {
    Tensor weight = {};
    std::int64_t ignore_index = -100;
    Reduction reduction = Reduction::mean;
    double label_smoothing = 0;
};

/// Cross entropy of scores (N, C, *) against class numbers (N, *) of int64.
inline Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& o = {}) {
    Shape wanted = input.shape();
    if (wanted.size() < 2) fail("cross_entropy: input ", shown(input.shape()), " must have 2 or more dimensions, (N, C, *)");
    const std::int64_t classes = wanted[1];
    wanted.erase(wanted.begin() + 1);
    if (target.shape() != wanted)
        fail("cross_entropy: target ", shown(target.shape()), " must have shape ", shown(wanted), " for input ",
             shown(input.shape()));
    if (target.dtype() != DType::int64)
        fail("cross_entropy: targets are class numbers of int64, these are ", target.dtype(),
             "; convert them with to(ct::DType::int64)");
    if (o.weight.defined() && o.weight.shape() != Shape{classes})
        fail("cross_entropy: weight must have shape ", shown({classes}), ", got ", shown(o.weight.shape()));
    const Tensor logp = log_softmax(input, 1), valid = ne(target, o.ignore_index);
    const Tensor at = where(valid, target, 0).to(DType::int64), counts = valid.to(input.dtype());
    const Tensor shares = o.weight.defined() ? mul(counts, o.weight.index_select(0, at.flatten()).reshape(at.shape())) : counts;
    Tensor losses = mul(neg(logp.gather(1, at.unsqueeze(1)).squeeze(1)), shares);
    if (o.label_smoothing > 0) {
        Shape along(input.shape().size(), 1);
        along[1] = classes;
        const Tensor each = o.weight.defined() ? mul(logp, o.weight.reshape(along)) : logp;
        losses = add(mul(losses, 1 - o.label_smoothing),
                     mul(mul(neg(each.sum({1})), counts), o.label_smoothing / static_cast<double>(classes)));
    }
    if (o.reduction == Reduction::none) return losses;
    return o.reduction == Reduction::sum ? losses.sum() : div(losses.sum(), shares.sum());
}

/// (input - target) ** 2.
inline Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean) {
    detail::check_alike("mse_loss", input, target);
    return detail::reduced_loss(mse(input, target), reduction);
}

/// |input - target|.
inline Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean) {
    detail::check_alike("l1_loss", input, target);
    return detail::reduced_loss(l1(input, target), reduction);
}

/// Binary cross entropy of scores against probabilities.
inline Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean) {
    detail::check_alike("binary_cross_entropy_with_logits", input, target);
    return detail::reduced_loss(bce_logits(input, target), reduction);
}

namespace nn {

class CrossEntropyLoss : public Module {
public:
    explicit CrossEntropyLoss(CrossEntropyOptions options = {}) : options_(std::move(options)) {}
    Tensor operator()(const Tensor& input, const Tensor& target) const { return cross_entropy(input, target, options_); }

private:
    CrossEntropyOptions options_;
};

class MSELoss : public Module {
public:
    explicit MSELoss(Reduction reduction = Reduction::mean) : reduction_(reduction) {}
    Tensor operator()(const Tensor& input, const Tensor& target) const { return mse_loss(input, target, reduction_); }

private:
    Reduction reduction_;
};

class L1Loss : public Module {
public:
    explicit L1Loss(Reduction reduction = Reduction::mean) : reduction_(reduction) {}
    Tensor operator()(const Tensor& input, const Tensor& target) const { return l1_loss(input, target, reduction_); }

private:
    Reduction reduction_;
};

class BCEWithLogitsLoss : public Module {
public:
    explicit BCEWithLogitsLoss(Reduction reduction = Reduction::mean) : reduction_(reduction) {}
    Tensor operator()(const Tensor& input, const Tensor& target) const {
        return binary_cross_entropy_with_logits(input, target, reduction_);
    }

private:
    Reduction reduction_;
};

}  // namespace nn
}  // namespace ct
