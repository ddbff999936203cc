// Autograd: gradients of everything that has one, by finite differences in float64; accumulation, modes and their errors.
#include "checks.hpp"

using namespace checks;
using ct::Slice;

TEST_CASE("gradients of views, joins and writes") {
    const auto error = [](const std::function<Tensor(const std::vector<Tensor>&)>& f) {
        return gradient_error(f, {numbers({2, 3, 4}), numbers({4}, -1, 1, 1)});
    };
    using Inputs = const std::vector<Tensor>&;
    CHECK(error([](Inputs x) { return x[0].permute({2, 0, 1}) * x[1].reshape({4, 1, 1}); }) < 1e-7);
    CHECK(error([](Inputs x) { return x[0].index({1, Slice{{}, {}, 2}}) * x[1]; }) < 1e-7);
    CHECK(error([](Inputs x) { return ct::cat({x[0].flatten(0, 1), x[1].unsqueeze(0)}) * 3; }) < 1e-7);
    CHECK(error([](Inputs x) { return ct::stack({x[1], x[1] * x[1]}, 1).expand({5, 4, 2}) + x[0].sum(); }) < 1e-7);
    CHECK(error([](Inputs x) { return x[0].chunk(2, 2)[1].transpose(0, 1).reshape({-1}) * 2; }) < 1e-7);
}

TEST_CASE("gradients of reductions") {
    const Tensor x = numbers({3, 4, 2});
    using Inputs = const std::vector<Tensor>&;
    CHECK(gradient_error([](Inputs v) { return v[0].sum({0, 2}) * v[0].mean({1}).sum(); }, {x}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return v[0].amax({1}) - v[0].amin(); }, {x}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return v[0].prod({1}); }, {x}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return v[0].prod({0, 2}, true); }, {x * ct::ge(x, 0).to(ct::DType::float64)}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return v[0].var({0}) + v[0].std({0, 1}).unsqueeze(0) + v[0].norm(); }, {x}) < 1e-6);
}

TEST_CASE("gradients of products, softmax, indexing") {
    using Inputs = const std::vector<Tensor>&;
    CHECK(gradient_error([](Inputs v) { return ct::matmul(v[0], v[1]); }, {numbers({2, 1, 3, 4}), numbers({5, 4, 2})}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return ct::matmul(v[0], v[1]); }, {numbers({4}), numbers({3, 4, 2})}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return ct::matmul(v[0], v[1]); }, {numbers({4}), numbers({4})}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return ct::linear(v[0].t(), v[1], v[2]); },
                         {numbers({3, 5}), numbers({2, 3}), numbers({2})}) < 1e-7);
    for (const int d : {0, 1, 2}) {
        CHECK(gradient_error([d](Inputs v) { return ct::softmax(v[0], d); }, {numbers({3, 4, 2})}) < 1e-7);
        CHECK(gradient_error([d](Inputs v) { return ct::log_softmax(v[0].transpose(0, 1), d); }, {numbers({3, 4, 2})}) < 1e-7);
    }
    const Tensor at = ct::tensor(std::vector<std::int64_t>{2, 0, 2, 1}, Shape{2, 2});
    CHECK(gradient_error([at](Inputs v) { return v[0].gather(0, at) * v[0][at].sum(); }, {numbers({3, 2})}) < 1e-7);
    for (const bool add : {true, false}) {
        const Tensor places = ct::tensor(std::vector<std::int64_t>{2, 0, 0, 1}, Shape{2, 2});
        CHECK(gradient_error([&](Inputs v) { return ct::scatter(v[0], 0, places, v[1], add); },
                             {numbers({3, 2}), numbers({2, 2}, -1, 1, 2)}) < 1e-7);
    }
}

TEST_CASE("gradients of convolutions and pooling") {
    using Inputs = const std::vector<Tensor>&;
    const auto error = [](const ct::ConvolutionOptions& o, std::int64_t channels) {
        return gradient_error([&](Inputs v) { return ct::conv2d(v[0], v[1], v[2], o); },
                              {numbers({2, 4, 6, 5}), numbers({4, channels, 3, 2}), numbers({4})});
    };
    CHECK(error({}, 4) < 1e-7);
    CHECK(error({{2, 1}, {1, 0}, {1, 2}, 2}, 2) < 1e-7);
    CHECK(error({3, 2, 1, 4}, 1) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return ct::conv2d(v[0], v[1], {}, {2, {3, 2}}); },
                         {numbers({1, 1, 3, 3}), numbers({2, 1, 1, 1})}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return ct::max_pool2d(v[0], {2, 3}, ct::Pair(2, 1), {1, 1}); }, {numbers({2, 2, 5, 6})}) <
          1e-7);
    CHECK(gradient_error([](Inputs v) { return ct::max_pool2d(v[0].transpose(2, 3), 2); }, {numbers({2, 2, 4, 6})}) < 1e-7);
    CHECK(gradient_error([](Inputs v) { return ct::avg_pool2d(v[0], 3, ct::Pair(2), 1, false); }, {numbers({2, 2, 5, 6})}) < 1e-7);
}

TEST_CASE("gradients of normalisation and losses") {
    using Inputs = const std::vector<Tensor>&;
    CHECK(gradient_error([](Inputs v) { return ct::layer_norm(v[0], {3, 2}, v[1], v[2]); },
                         {numbers({4, 3, 2}), numbers({3, 2}, 0.5, 1.5), numbers({3, 2})}) < 1e-6);
    const Tensor target = ct::tensor(std::vector<std::int64_t>{1, 0, -100, 2});
    ct::CrossEntropyOptions o;
    o.weight = numbers({3}, 0.5, 1.5);
    for (const double smoothing : {0.0, 0.1}) {
        o.label_smoothing = smoothing;
        CHECK(gradient_error([&](Inputs v) { return ct::cross_entropy(v[0], target, o); }, {numbers({4, 3})}) < 1e-7);
    }
    CHECK(gradient_error(
              [](Inputs v) { return ct::mse_loss(v[0], v[1]) + ct::binary_cross_entropy_with_logits(v[0], ct::sigmoid(v[1])); },
              {numbers({4}), numbers({4}, -1, 1, 3)}) < 1e-7);
}

TEST_CASE("gradients accumulate at leaves; graphs are walked once") {
    Tensor x = ct::tensor({1, 2}).requires_grad_();
    (x * x).sum().backward();
    const Tensor y = (x * 3).sum();
    y.backward({}, true);
    CHECK(close(x.grad(), {5, 7}));
    y.backward();
    CHECK(close(x.grad(), {8, 10}));
    CHECK(has(error_of([&] { y.backward(); }), "walked already"));
    x.set_grad({});
    CHECK(!x.grad().defined());
    (x + x + x.t()).backward(ct::tensor({1, 10}));
    CHECK(close(x.grad(), {3, 30}));
}

TEST_CASE("what is not remembered") {
    const Tensor x = ct::ones({2}).requires_grad_();
    {
        const ct::NoGrad off;
        CHECK(!(x * 2).requires_grad());
    }
    CHECK((x * 2).requires_grad());
    CHECK(!(x * 2).detach().requires_grad());
    CHECK(!(x > 0).requires_grad());
    CHECK(has(error_of([&] { ct::ones({1}).backward(); }), "does not require grad"));
    CHECK(has(error_of([&] { (x * 2).backward(); }), "give a gradient of its shape"));
    CHECK(has(error_of([&] { ct::arange(2).requires_grad_(); }), "only floating tensors"));
}

TEST_CASE("writes that would spoil gradients are refused") {
    Tensor x = ct::ones({2}).requires_grad_(), y = ct::ones({2});
    CHECK(has(error_of([&] { x += 1; }), "written to in place"));
    CHECK(has(error_of([&] { y.copy_(x); }), "lose the history"));
    const Tensor z = (x * y).sum();
    y.fill_(3);
    CHECK(has(error_of([&] { z.backward(); }), "was written to since"));
}

TEST_CASE("a long chain is walked and dies without recursion") {
    const Tensor x = ct::ones({}).requires_grad_();
    Tensor y = x;
    for (int i = 0; i < 20000; i++) y = y.unsqueeze(0).squeeze(0);
    y.backward();
    CHECK(x.grad().item() == 1);
}

TEST_CASE("dropout draws the same numbers back") {
    ct::manual_seed(3);
    const Tensor x = ct::ones({1000}).requires_grad_(), y = ct::dropout(x, 0.25);
    y.sum().backward();
    CHECK(close(x.grad(), y.detach()));
    const double kept = (y.detach() > 0).sum().item();
    CHECK(kept > 680);
    CHECK(kept < 820);
    CHECK(close(ct::dropout(x, 1).detach(), std::vector<double>(1000, 0)));
    CHECK(close(ct::dropout(x, 0.5, false).detach(), std::vector<double>(1000, 1)));
}
