// The player's parts that need no device: expressions, .npy files, checksums, parameters of kernels, damaged files.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cltensor/player.hpp>
#include <filesystem>

using namespace ct::player;

namespace {

Value value(const std::string& text) {
    const std::vector<Value> values = {Value::of(std::int64_t{7}), Value::of(0.25), Value::of(std::int64_t{3})};
    return Expression(text, [](const std::string& name) -> std::size_t {
        if (name == "n") return 0;
        if (name == "lr") return 1;
        if (name == "step") return 2;
        fail("unknown name ", name);
    })(values);
}

std::string in_folder(const char* name) { return (std::filesystem::temp_directory_path() / (std::string("cltensor-player-test-") + name)).string(); }

void put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

TEST_CASE("expressions mean what they mean in Python") {
    const std::pair<const char*, std::int64_t> whole[] = {
        {"n // 2 * 4 % 5", 2}, {"-n // 2", -4}, {"-n % 3", 2}, {"n % -3", -2}, {"ceil(n, 4) * 16", 32}, {"min(n, 3, 5) + max(1, 2)", 5},
        {"2 ** 3 ** 2", 512}, {"-2 ** 2", -4}, {"1 if n > 3 else 0", 1}, {"0 if n else 1 // 0", 0}, {"n == 7", 1}, {"2 ** 64", 0},
        {"9223372036854775807 + 1", INT64_MIN}, {"(n - 2) * (step + 1)", 20}, {"10 - 2 - 3", 5}};
    for (const auto& [text, wanted] : whole) {
        CAPTURE(text);
        CHECK(!value(text).real);
        CHECK(value(text).whole == wanted);
    }
    const std::pair<const char*, double> real[] = {
        {"n / 2", 3.5}, {"lr / (1 - 0.9 ** (step + 1))", 0.25 / (1 - std::pow(0.9, 4))}, {"(1 - 0.5 ** step) ** 0.5", std::sqrt(1 - 0.125)},
        {"1e-08 * 2.5", 2.5e-08}, {"inf", HUGE_VAL}, {"2 ** -1", 0.5}, {"-7.5 // 2", -4.0}, {"sqrt(n - 3)", 2.0}, {"0.5 if lr < 1 else 2", 0.5}};
    for (const auto& [text, wanted] : real) {
        CAPTURE(text);
        CHECK(value(text).real);
        CHECK(value(text).number == wanted);
    }
    CHECK(std::isnan(value("(-1.0) ** 0.5").number));
    for (const char* text : {"", "n[0]", "n.real", "f(n)", "1 < n < 3", "n if n", "'a'", "n; n", "min(1)", "ceil(1)", "1j", "not n", "n **", "+n",
                             "~n", "other", "1 2", "(", "min(1, 2", "2 if 1", "12345678901234567890123"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(value(text), Error);
    }
    CHECK_THROWS_AS(value("n // (n - 7)"), Error);
    CHECK_THROWS_AS(value("1 / (n - 7)"), Error);
    CHECK_THROWS_AS(value(std::string(500, '(') + "1" + std::string(500, ')')), Error);
    CHECK_THROWS_AS(value(std::string(500, '-') + "1"), Error);
    CHECK_THROWS_AS(value(std::string(5000, '1')), Error);
}

TEST_CASE("halves are rounded to nearest even") {
    CHECK(half(1.0) == 0x3c00);
    CHECK(half(-2.5) == 0xc100);
    CHECK(half(65504.0) == 0x7bff);
    CHECK(half(65520.0) == 0x7c00);
    CHECK(half(1.0 + 1.0 / 2048) == 0x3c00);
    CHECK(half(1.0 + 3.0 / 2048) == 0x3c02);
    CHECK(half(std::ldexp(1.0, -24)) == 1);
    CHECK(half(std::ldexp(1023.75, -24)) == 0x400);
    CHECK(half(1e-9) == 0);
}

TEST_CASE("the checksum is zlib's") {
    const std::string text = "123456789";
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    CHECK(crc32(data, 9) == 0xcbf43926u);
    CHECK(crc32(data + 3, 6, crc32(data, 3)) == 0xcbf43926u);
}

TEST_CASE("parameters of kernels") {
    const std::string text =
        "/* __kernel void add(int x) */\n__kernel __attribute__((reqd_work_group_size(1, 1, 1)))\nvoid add(__global const float *restrict a, "
        "__global int *b, // const float c\n const long n, const float s) { subtract(n); }";
    CHECK(parameters(text, "add") == std::vector<std::string>{"pointer", "pointer", "long", "float"});
    CHECK(parameters("kernel void none() {}", "none").empty());
    for (const char* bad : {"void add(int n) {}", "__kernel void add(__local float *x) {}", "__kernel void add(struct s x) {}",
                            "__kernel void add(int n) {} __kernel void add(int n) {}", ""})
        CHECK_THROWS_AS(parameters(bad, "add"), Error);
    CHECK_THROWS_AS(parameters(text, "a.d"), Error);
}

TEST_CASE(".npy files") {
    const std::string path = in_folder("a.npy");
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{0, 4}}) {
        Array made("float32", shape);
        for (std::int64_t k = 0; k < made.size(); k++) made.data<float>()[k] = static_cast<float>(k) / 2;
        write_npy(path, made);
        const Array found = read_npy(path);
        CHECK(found.dtype == "float32");
        CHECK(found.shape == shape);
        CHECK(found.bytes == made.bytes);
    }
    CHECK_THROWS_AS(read_npy(in_folder("nothing.npy")), Error);
    put(path, "\x93NUMPY\x01");
    CHECK_THROWS_AS(read_npy(path), Error);
    const std::string header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }\n";
    put(path, std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + std::string(8, '\0'));
    CHECK_THROWS_AS(read_npy(path), Error);
    CHECK_THROWS_AS(Array({3}, std::vector<float>{1, 2}), Error);
    CHECK_THROWS_AS(Array("float32", {1}).data<double>(), Error);
    std::filesystem::remove(path);
}

TEST_CASE("files that are no programs") {
    const std::string path = in_folder("p.ctp");
    const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\x7f{}";
    for (const std::string& bytes : {std::string(), std::string("hello"), std::string(100, '\0'), huge, std::string("\x02\0\0\0\0\0\0\0{}", 10),
                                     std::string("\x02\0\0\0\0\0\0\0[]", 10)}) {
        put(path, bytes);
        CHECK_THROWS_AS(File{path}, Error);
    }
    std::filesystem::remove(path);
}
