// Ops and networks against what Python wrote: values by NumPy, elementwise ops by their samples, whole trainings by cltensor.
#include "checks.hpp"

#include <fstream>

using namespace checks;

namespace {

std::vector<Tensor> named(const nlohmann::json& names) {
    std::vector<Tensor> out;
    for (const auto& name : names) out.push_back(reference(name));
    return out;
}

std::vector<ct::Operand> operands(const std::vector<Tensor>& xs) { return {xs.begin(), xs.end()}; }

Tensor in_float64(const Tensor& x) { return ct::is_floating_point(x.dtype()) ? x.to(ct::DType::float64) : x; }

}  // namespace

TEST_CASE("elementwise ops against their references, and gradients by finite differences") {
    if (folder().empty()) return;
    std::ifstream file(folder() + "/elementwise.json");
    for (const auto& one : nlohmann::json::parse(file)) {
        const std::string op = one.at("op");
        CAPTURE(op);
        const std::vector<Tensor> inputs = named(one.at("inputs")), wanted = named(one.at("results"));
        const std::vector<double> numbers = one.at("numbers").get<std::vector<double>>();
        const std::vector<Tensor> found = ct::elementwise(op, operands(inputs), numbers);
        REQUIRE(found.size() == wanted.size());
        for (std::size_t i = 0; i < found.size(); i++) {
            CHECK(found[i].shape() == wanted[i].shape());
            CHECK(difference(found[i].to_vector<double>(), wanted[i].to_vector<double>()) < one.at("allowed").get<double>());
        }
        if (!one.at("gradient").get<bool>()) continue;
        std::vector<Tensor> exact;
        for (const Tensor& x : inputs) exact.push_back(in_float64(x));
        CHECK(gradient_error([&](const std::vector<Tensor>& xs) { return ct::elementwise(op, operands(xs), numbers); }, exact) <
              1e-5);
    }
}

TEST_CASE("products, softmax, convolutions, pooling and norms against NumPy") {
    if (folder().empty()) return;
    const auto of = [](const char* name) { return reference(name); };
    for (const char* name : {"small", "long", "wide", "batched"}) {
        CAPTURE(name);
        const std::string at = std::string("matmul.") + name;
        CHECK(close(ct::matmul(reference(at + ".a"), reference(at + ".b")), reference(at + ".y")));
        CHECK(close(ct::matmul(reference(at + ".b").transpose(-1, -2), reference(at + ".a").transpose(-1, -2)),
                    reference(at + ".y").transpose(-1, -2)));
    }
    CHECK(close(ct::softmax(of("softmax.x"), 1), of("softmax.y1")));
    CHECK(close(ct::softmax(of("softmax.x"), 2), of("softmax.y2")));
    CHECK(close(ct::log_softmax(of("softmax.x"), -1), of("softmax.log2")));
    CHECK(close(ct::conv2d(of("conv.x"), of("conv.w"), of("conv.b"), {{2, 1}, 1, {1, 2}, 2}), of("conv.y")));
    CHECK(close(ct::max_pool2d(of("pool.x"), 3, ct::Pair(2), 1), of("pool.max")));
    CHECK(close(ct::avg_pool2d(of("pool.x"), 3, ct::Pair(2), 1), of("pool.mean")));
    CHECK(close(ct::layer_norm(of("norm.x"), {6}, of("norm.w"), of("norm.b")), of("norm.y")));
    CHECK(close(ct::cross_entropy(of("loss.x"), of("loss.t")), of("loss.y")));
}

TEST_CASE("the same seed gives Python's numbers") {
    if (folder().empty()) return;
    ct::manual_seed(11);
    CHECK(close(ct::randn({5}), reference("random.randn"), 1e-6));
    CHECK(close(ct::rand({5}), reference("random.rand"), 0));
    CHECK(close(ct::randint(-3, 12, {9}), reference("random.randint"), 0));
    const Tensor w = ct::nn::Linear(3, 2).weight;
    CHECK(close(w.detach(), reference("random.linear"), 1e-6));
}

TEST_CASE("modules compute and train as in Python") {
    if (folder().empty()) return;
    struct Net : ct::nn::Module {
        std::shared_ptr<ct::nn::Embedding> words = add("words", ct::nn::Embedding(7, 4));
        std::shared_ptr<ct::nn::LSTM> lstm = add("lstm", ct::nn::LSTM(4, 5, 2, true, true, 0, true));
        std::shared_ptr<ct::nn::LayerNorm> norm = add("norm", ct::nn::LayerNorm(Shape{10}));
        std::shared_ptr<ct::nn::Sequential> head =
            add("head", ct::nn::Sequential(ct::nn::Linear(10, 8), ct::nn::GELU(), ct::nn::Linear(8, 3)));
        Tensor forward(const Tensor& x) override {
            return head->forward(norm->forward(lstm->forward(words->forward(x)).mean({1})));
        }
    } net;
    ct::nn::Sequential images(ct::nn::Conv2d(1, 4, 3, 1, 1, 1, 1, false), ct::nn::BatchNorm2d(4), ct::nn::ReLU(),
                              ct::nn::MaxPool2d(2), ct::nn::Flatten(), ct::nn::Linear(16, 3));
    const auto trained = [](ct::nn::Module& model, ct::optim::Optimizer& optimizer, const std::string& name) {
        ct::nn::CrossEntropyLoss loss;
        for (int step = 0; step < 3; step++) {
            optimizer.zero_grad();
            const Tensor l = loss(model(reference(name + ".x")), reference(name + ".t"));
            CHECK(l.item() ==
                  doctest::Approx(reference(name + ".losses").to_vector<double>()[static_cast<std::size_t>(step)]).epsilon(1e-4));
            l.backward();
            optimizer.step();
        }
    };
    for (const std::string rule : {"sgd", "adamw"}) {
        CAPTURE(rule);
        for (ct::nn::Module* model : {static_cast<ct::nn::Module*>(&net), static_cast<ct::nn::Module*>(&images)}) {
            const std::string name = (model == &net ? "words." : "images.") + rule;
            model->train();
            model->load_state_dict(ct::load(folder() + "/" + name + ".before.safetensors"));
            std::unique_ptr<ct::optim::Optimizer> optimizer;
            if (rule == "sgd")
                optimizer = std::make_unique<ct::optim::SGD>(model->parameters(), 0.05, 0.9, 0, 0.01, true);
            else
                optimizer = std::make_unique<ct::optim::AdamW>(model->parameters(), 0.01);
            trained(*model, *optimizer, name);
            const ct::StateDict after = ct::load(folder() + "/" + name + ".after.safetensors"), own = model->state_dict();
            REQUIRE(own.size() == after.size());
            const std::map<std::string, Tensor> wanted(after.begin(), after.end());
            for (const auto& [key, value] : own) {
                CAPTURE(key);
                REQUIRE(wanted.count(key));
                CHECK(close(value.detach(), wanted.at(key), 2e-4));
            }
            model->eval();
            const ct::NoGrad off;
            CHECK(close((*model)(reference(name + ".x")), reference(name + ".y"), 5e-4));
            ct::save(own, folder() + "/" + name + ".own." + ct::name(ct::runtime().opencl().style()) + ".safetensors");
        }
    }
}
