// Tensors: making, reading, views, writes, printing.
#include "checks.hpp"

#include <sstream>

using namespace checks;
using ct::DType;
using ct::Slice;

namespace {

std::string printed(const Tensor& x) { return ct::to_string(x); }

Tensor counted(const Shape& shape) { return ct::arange(static_cast<double>(ct::product(shape)), DType::float32).reshape(shape); }

}  // namespace

TEST_CASE("values go to the device and come back") {
    const Tensor x = ct::tensor({1.5, -2, 3}, Shape{3, 1});
    CHECK(x.shape() == Shape{3, 1});
    CHECK(x.dtype() == DType::float32);
    CHECK(x.to_vector<float>() == std::vector<float>{1.5f, -2, 3});
    CHECK(ct::tensor(std::vector<std::int64_t>{1, 2}).dtype() == DType::int64);
    CHECK(ct::tensor(std::vector<bool>{true, false}).to_vector<int>() == std::vector<int>{1, 0});
    CHECK(ct::full({2, 2}, 7).to_vector<int>() == std::vector<int>(4, 7));
    CHECK(ct::tensor(2.5).item() == 2.5);
    for (const DType half : {DType::float16, DType::bfloat16})
        CHECK(ct::tensor(std::vector<double>{1, -0.5, 65504, 1e-7, INFINITY}, {}, half).to_vector<double>()[1] == -0.5);
    CHECK(ct::tensor(std::vector<double>{65519, 65520, 6e-8}, {}, DType::float16).to_vector<double>() ==
          std::vector<double>{65504, INFINITY, std::ldexp(1, -24)});
    CHECK(ct::linspace(0, 1, 5).to_vector<double>() == std::vector<double>{0, 0.25, 0.5, 0.75, 1});
    CHECK(ct::eye(2).to_vector<int>() == std::vector<int>{1, 0, 0, 1});
    CHECK(ct::zeros({0, 3}).numel() == 0);
    Tensor y = ct::zeros({2, 2});
    y.copy_from(std::vector<int>{1, 2, 3, 4});
    CHECK(close(y.t(), {1, 3, 2, 4}));
}

TEST_CASE("views share memory") {
    const Tensor x = counted({2, 3, 4});
    CHECK(close(x.permute({2, 0, 1})[1], {1, 5, 9, 13, 17, 21}));
    CHECK(close(x.transpose(0, 2).reshape({4, 6})[0], {0, 12, 4, 16, 8, 20}));
    CHECK(close(x.index({1, Slice{0, 3, 2}, Slice{{}, -1}}), {12, 13, 14, 20, 21, 22}));
    CHECK(x.index({ct::newaxis, 0}).shape() == Shape{1, 3, 4});
    CHECK(x.flatten(1).shape() == Shape{2, 12});
    CHECK(x.unsqueeze(-1).shape() == Shape{2, 3, 4, 1});
    CHECK(x.unsqueeze(1).squeeze(1).shape() == x.shape());
    CHECK(close(x.select(2, -1), {3, 7, 11, 15, 19, 23}));
    CHECK(x.split(2, 1)[1].shape() == Shape{2, 1, 4});
    CHECK(x.chunk(2, 2)[1].is_contiguous() == false);
    CHECK(close(counted({3, 1}).expand({-1, 2}), {0, 0, 1, 1, 2, 2}));
    Tensor y = ct::zeros({2, 3});
    y.narrow(1, 1, 2).fill_(5);
    y[0] += 1;
    CHECK(close(y, {1, 6, 6, 0, 5, 5}));
    y.t().copy_(counted({3, 2}));
    CHECK(close(y, {0, 2, 4, 1, 3, 5}));
    y.slice(1, {1}).copy_(y.slice(1, {0, 2}));
    CHECK(close(y, {0, 0, 2, 1, 1, 3}));
}

TEST_CASE("arithmetic broadcasts and promotes") {
    const Tensor x = counted({2, 3}), row = ct::tensor({10, 20, 30});
    CHECK(close(x + row, {10, 21, 32, 13, 24, 35}));
    CHECK(close(row - x.t().t(), {10, 19, 28, 7, 16, 25}));
    CHECK(close(x.t() * x.t(), {0, 9, 1, 16, 4, 25}));
    CHECK(close(1 / (x + 1), {1, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5, 1.0 / 6}));
    CHECK(close(-x % 4, {0, 3, 2, 1, 0, 3}));
    const Tensor whole = ct::arange(3);
    CHECK((whole + 1).dtype() == DType::int64);
    CHECK((whole + 0.5).dtype() == DType::float32);
    CHECK((whole / 2).dtype() == DType::float32);
    CHECK((whole + x).dtype() == DType::float32);
    CHECK((x > 2).dtype() == DType::bool_);
    CHECK(close(ct::where(x > 2, x, -1), {-1, -1, -1, 3, 4, 5}));
    CHECK(close(x.exp(), {1, std::exp(1), std::exp(2), std::exp(3), std::exp(4), std::exp(5)}));
    CHECK(close(ct::clamp(x, 1, 3), {1, 1, 2, 3, 3, 3}));
    CHECK((x + ct::zeros({0, 1, 3})).shape() == Shape{0, 2, 3});
}

TEST_CASE("joining") {
    const Tensor x = counted({2, 2});
    CHECK(close(ct::cat({x, x.t()}, 1), {0, 1, 0, 2, 2, 3, 1, 3}));
    CHECK(ct::cat({x, ct::arange(4).reshape({2, 2})}).dtype() == DType::float32);
    CHECK(ct::stack({x, x, x}, -1).shape() == Shape{2, 2, 3});
}

TEST_CASE("reductions") {
    const Tensor x = counted({2, 3, 4});
    CHECK(x.sum().item() == 276);
    CHECK(close(x.sum({0, 2}), {60, 92, 124}));
    CHECK(close(x.permute({1, 2, 0}).sum({0}), {12, 48, 15, 51, 18, 54, 21, 57}));
    CHECK(close(x.mean({1}, true), {4, 5, 6, 7, 16, 17, 18, 19}));
    CHECK(x.mean({1}, true).shape() == Shape{2, 1, 4});
    CHECK(close(x.amax({0}), counted({2, 3, 4})[1]));
    CHECK(x.argmax().item<int>() == 23);
    CHECK(close((-x).argmax(1), {0, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(close(x.var({2}), std::vector<double>(6, 5.0 / 3)));
    CHECK((x > 22).any().item<bool>());
    CHECK(!(x > 0).all().item<bool>());
    CHECK((x > 3).sum().item<int>() == 20);
    CHECK(close(ct::tensor({1, 2, 3, 4}).prod(), {24}));
    CHECK(ct::ones({100000}).sum().item() == 100000);
    CHECK(close(ct::ones({3, 50000}).t().sum({0}), {50000, 50000, 50000}));
    CHECK(close(ct::ones({3, 50000}).sum({1}), {50000, 50000, 50000}));
    CHECK(ct::zeros({0, 2}).sum({0}).to_vector<int>() == std::vector<int>{0, 0});
    CHECK(has(error_of([] { ct::zeros({0, 2}).amax({0}); }), "amax: shape [0, 2] has no elements"));
    CHECK(has(error_of([&] { x.sum({1, -2}); }), "names a dimension twice"));
}

TEST_CASE("indexing by tensors") {
    const Tensor x = counted({3, 2}), at = ct::tensor(std::vector<std::int64_t>{2, 0, 2, -1});
    CHECK(close(x[at], {4, 5, 0, 1, 4, 5, 4, 5}));
    CHECK(close(x.index_select(1, ct::tensor(std::vector<std::int64_t>{1})), {1, 3, 5}));
    CHECK(close(x.gather(1, ct::tensor(std::vector<std::int64_t>{1, 0, 1}, Shape{3, 1})), {1, 2, 5}));
    CHECK(close(ct::scatter(ct::zeros({3}), 0, ct::tensor(std::vector<std::int64_t>{1, 1}), ct::tensor({2, 3}), true), {0, 5, 0}));
    const std::string error = error_of([&] { x.index_select(0, ct::tensor(std::vector<std::int64_t>{0, 7})).to_vector<float>(); });
    CHECK(has(error, "index_select: index 7 is out of range for a dimension of size 3"));
    CHECK(x.sum().item() == 15);
}

TEST_CASE("printing") {
    CHECK(printed(ct::tensor({1, 2})) == "tensor([1., 2.])");
    CHECK(printed(ct::tensor({1.5, 2, 3, 4}, Shape{2, 2})) == "tensor([[1.5000, 2.0000],\n        [3.0000, 4.0000]])");
    CHECK(printed(ct::arange(3)) == "tensor([0, 1, 2])");
    CHECK(printed(ct::tensor({1, 0}) > 0) == "tensor([ True, False])");
    CHECK(printed(ct::zeros({2, 0})) == "tensor([], size=(2, 0))");
    CHECK(printed(ct::tensor(3.25)) == "tensor(3.2500)");
    CHECK(printed(ct::tensor({1e-5, 1})) == "tensor([1.0000e-05, 1.0000e+00])");
    CHECK(printed(ct::arange(2000)) == "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])");
    CHECK(printed(ct::ones({1}).requires_grad_()) == "tensor([1.], requires_grad=True)");
    std::ostringstream out;
    out << ct::zeros({1, 2, 2});
    CHECK(out.str() == "tensor([[[0., 0.],\n         [0., 0.]]])");
}

TEST_CASE("errors name call, values, rule and cure") {
    const Tensor x = counted({2, 3});
    CHECK(has(error_of([&] { x.item(); }), "item: a tensor of shape [2, 3] has 6 elements"));
    CHECK(has(error_of([&] { x.reshape({4, 2}); }), "reshape: shape [4, 2] does not hold the 6 elements"));
    CHECK(has(error_of([&] { x.select(0, 2); }), "select: index 2 is out of range for a dimension of size 2"));
    CHECK(has(error_of([&] { x.size(2); }), "size: dimension 2 is out of range"));
    CHECK(has(error_of([&] { x.permute({0, 0}); }), "names dimension 0 twice"));
    CHECK(has(error_of([&] { x.expand({3, 3}); }), "expand"));
    CHECK(has(error_of([&] { ct::cat({x, ct::ones({2, 2})}); }), "cat: shapes [2, 3] and [2, 2]"));
    CHECK(has(error_of([&] { ct::matmul(x, x); }), "matmul: shapes [2, 3] and [2, 3] do not fit"));
    CHECK(has(error_of([&] { ct::tensor({1, 2}, Shape{3}); }), "2 values do not fill the shape [3]"));
    CHECK(has(error_of([] { Tensor().shape(); }), "holds nothing"));
    CHECK(has(error_of([&] { x + Tensor(); }), "holds nothing"));
    CHECK(has(error_of([&] { Tensor(x.detach()).copy_(ct::ones({4})); }), "copy_"));
    CHECK(has(error_of([&] { ct::elementwise("nonsense", {x}, {}); }), "has no op 'nonsense'"));
    CHECK(has(error_of([&] { ct::tensor(std::vector<double>{1}, {}, DType::float16).exp(); }), "has no kernel"));
}
