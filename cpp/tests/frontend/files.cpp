// Files: safetensors, the kernel pack, the cache of programs; data loaders.
#include "checks.hpp"

#include <filesystem>
#include <fstream>
#include <set>

using namespace checks;
using ct::DType;

namespace {

/// A folder that is gone at the end.
struct Folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("cltensor-test-" + std::to_string(std::random_device{}()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string operator/(const char* name) const { return (path / name).string(); }
};

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

TEST_CASE("safetensors come back as they were saved") {
    const Folder folder;
    const ct::StateDict saved{{"a.weight", numbers({2, 3}).t()},
                              {"n", ct::tensor(std::vector<std::int64_t>{5})},
                              {"on", ct::ones({3}) > 0},
                              {"none", ct::zeros({0, 2})},
                              {"half", ct::tensor(std::vector<double>{0.5}, {}, DType::float16)},
                              {"one", ct::tensor(2)}};
    ct::save(saved, folder / "x.safetensors");
    const ct::StateDict loaded = ct::load(folder / "x.safetensors");
    REQUIRE(loaded.size() == saved.size());
    for (std::size_t i = 0; i < saved.size(); i++) {
        CHECK(loaded[i].first == saved[i].first);
        CHECK(loaded[i].second.dtype() == saved[i].second.dtype());
        CHECK(close(loaded[i].second, saved[i].second, 0));
    }
    CHECK(has(error_of([&] { ct::save({{"a", saved[1].second}, {"a", saved[1].second}}, folder / "y"); }), "is there twice"));
    CHECK(has(error_of([&] { ct::load(folder / "missing"); }), "there is no file"));
}

TEST_CASE("damaged safetensors give one clear error") {
    const Folder folder;
    ct::save({{"a", numbers({4, 4})}, {"b", ct::arange(3)}}, folder / "x");
    const std::string whole = bytes_of(folder / "x");
    for (std::size_t cut = 0; cut < whole.size(); cut += 7) {
        write(folder / "cut", whole.substr(0, cut));
        CHECK(has(error_of([&] { ct::load(folder / "cut"); }), "load: "));
    }
    std::uint64_t random = 1;
    for (int i = 0; i < 300; i++) {
        std::string changed = whole;
        for (int k = 0; k < 3; k++) {
            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            changed[(random >> 33) % 160] = static_cast<char>(random >> 20);
        }
        write(folder / "changed", changed);
        const std::string error = error_of([&] { ct::load(folder / "changed"); });
        CHECK((error.empty() || has(error, "load: ")));
    }
}

TEST_CASE("a pack that is none is refused") {
    const Folder folder;
    CHECK(has(error_of([&] { ct::Pack(folder / "missing.json"); }), "make one with `cltensor kernels pack"));
    write(folder / "a.json", "{\"format\": \"cltensor kernel pack\", \"version\": 99}");
    CHECK(has(error_of([&] { ct::Pack(folder / "a.json"); }), "has version 99; this library reads version 1"));
    write(folder / "a.json", "{\"format\": \"cltensor kernel pack\", \"version\": 1}");
    CHECK(has(error_of([&] { ct::Pack(folder / "a.json"); }), "is damaged"));
    write(folder / "a.json", "[1, 2");
    CHECK(has(error_of([&] { ct::Pack(folder / "a.json"); }), "is damaged"));
    write(folder / "a.json", "{\"format\": \"x\"}");
    CHECK(has(error_of([&] { ct::Pack(folder / "a.json"); }), "another kind of file"));
}

TEST_CASE("programs are kept on disk, and damaged ones are not taken") {
    const Folder folder;
    const std::string before = ct::detail::setting("CLTENSOR_CACHE_DIR");
    setenv("CLTENSOR_CACHE_DIR", folder.path.c_str(), 1);
    const ct::ProgramCache cache;
    if (before.empty())
        unsetenv("CLTENSOR_CACHE_DIR");
    else
        setenv("CLTENSOR_CACHE_DIR", before.c_str(), 1);
    CHECK(!cache.load("key"));
    cache.store("key", "binary");
    CHECK(cache.load("key") == std::optional<std::string>("binary"));
    CHECK(!cache.load("other"));
    const auto file = std::filesystem::directory_iterator(folder.path / "cpp")->path();
    std::string whole = bytes_of(file.string());
    whole.back() ^= 1;
    write(file.string(), whole);
    CHECK(!cache.load("key"));
    write(file.string(), whole.substr(0, 10));
    CHECK(!cache.load("key"));
}

TEST_CASE("a data loader gives each sample once") {
    const ct::TensorDataset samples({ct::arange(10), ct::arange(10).to(DType::float32) * 2});
    ct::manual_seed(1);
    ct::DataLoader loader(samples, 4, true);
    CHECK(loader.size() == 3);
    std::vector<std::vector<int>> orders;
    for (int epoch = 0; epoch < 2; epoch++) {
        orders.emplace_back();
        for (const auto& batch : loader) {
            CHECK(close(batch[0].to(DType::float32) * 2, batch[1]));
            for (const int i : batch[0].to_vector<int>()) orders.back().push_back(i);
        }
        CHECK(std::set<int>(orders.back().begin(), orders.back().end()).size() == 10);
    }
    CHECK(orders[0] != orders[1]);
    CHECK(ct::DataLoader(samples, 4, false, true).size() == 2);
    for (const auto& batch : ct::DataLoader(samples, 10)) CHECK(close(batch[0], samples.tensors()[0]));
    CHECK(has(error_of([&] { ct::DataLoader(samples, 0); }), "batch_size"));
    CHECK(has(error_of([] { ct::TensorDataset({ct::zeros({2}), ct::zeros({3})}); }), "one number of samples"));
}

TEST_CASE("errors of modules and optimisers") {
    ct::nn::Linear layer(3, 2);
    CHECK(has(error_of([&] { layer.load_state_dict({{"weight", ct::zeros({2, 3})}}); }), "missing: bias"));
    CHECK(has(error_of([&] { layer.load_state_dict({{"weight", ct::zeros({2, 2})}}, false); }),
              "weight has shape [2, 3] here and [2, 2]"));
    layer.load_state_dict({{"bias", ct::ones({2})}, {"more", ct::ones({1})}}, false);
    CHECK(close(layer.bias.detach(), {1, 1}));
    CHECK(has(error_of([&] { layer.load_state_dict(ct::StateDict{{"more", ct::ones({1})}}); }), "unexpected: more"));
    CHECK(has(error_of([] { ct::optim::SGD(std::vector<Tensor>{}); }), "there are no parameters"));
    CHECK(has(error_of([&] { ct::optim::Adam(layer.parameters(), -1); }), "must not be negative"));
    CHECK(has(error_of([&] { ct::optim::SGD(layer.parameters(), 1, 0, 0, 0, true); }), "Nesterov"));
    CHECK(has(error_of([] { ct::nn::Dropout(2); }), "probability"));
    CHECK(has(error_of([] { ct::nn::Conv2d(3, 4, 1, 1, 0, 1, 2); }), "divisible by groups"));
    CHECK(has(error_of([] { ct::nn::BatchNorm2d(2)(ct::zeros({1, 2, 1, 1})); }), "more than 1 value"));
    CHECK(has(error_of([] { ct::conv2d(ct::zeros({1, 2, 3, 3}), ct::zeros({1, 1, 1, 1})); }), "conv2d: groups = 1"));
    CHECK(has(error_of([] { ct::cross_entropy(ct::zeros({2, 3}), ct::zeros({2})); }), "class numbers of int64"));
    CHECK(has(error_of([] { ct::max_pool2d(ct::zeros({1, 1, 2, 2}), 3); }), "larger than the padded input"));
    CHECK(has(error_of([] { ct::nn::LSTM(2, 3).forward(ct::zeros({2, 2})); }), "must have 3 dimensions"));
    CHECK(has(error_of([] { ct::nn::CrossEntropyLoss().forward(ct::zeros({2})); }), "takes other arguments"));
}
