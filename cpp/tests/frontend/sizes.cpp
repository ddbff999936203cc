// Expressions for sizes, and shapes.
#include "checks.hpp"

using namespace checks;

namespace {

std::int64_t sized(const std::string& text) {
    return ct::Expression(text)([](const std::string& name) -> std::int64_t {
        if (name == "n") return 10;
        if (name == "m") return 3;
        ct::fail("no ", name);
    });
}

}  // namespace

TEST_CASE("sizes follow Python's rules") {
    CHECK(sized("n * m + 2") == 32);
    CHECK(sized("n - m - 2") == 5);
    CHECK(sized("n // m * m + n % m") == 10);
    CHECK(sized("(m - n) // m") == -3);
    CHECK(sized("(m - n) % m") == 2);
    CHECK(sized("ceil(n, m)") == 4);
    CHECK(sized("max(1, min(8, n), m)") == 8);
    CHECK(sized("n if n > m else m") == 10);
    CHECK(sized("1 if n == m else 2 if n <= m else 3") == 3);
    CHECK(sized("min(ceil(n, m * 1), 4096) * m") == 12);
    CHECK(sized("(n >= m) + (n != m) + (n < m)") == 2);
}

TEST_CASE("what is no size is refused") {
    for (const char* text : {"", "n +", "n ** 2", "n / 2", "f(n, 1)", "min(n)", "ceil(1, 2, 3)", "n m", "(n", "1.5",
                             "__import__('os')", "999999999999999999999"})
        CHECK_MESSAGE(has(error_of([&] { sized(text); }), "no expression"), text);
    CHECK(has(error_of([] { sized(std::string(500, '(') + "1" + std::string(500, ')')); }), "no expression"));
    CHECK(has(error_of([] { sized("n // 0"); }), "division by 0"));
    CHECK(has(error_of([] { sized("k"); }), "no k"));
}

TEST_CASE("shapes broadcast, and dimensions merge where all operands allow it") {
    CHECK(ct::broadcast({2, 1, 3}, {4, 1}, "add") == Shape{2, 4, 3});
    CHECK(has(error_of([] { ct::broadcast({2, 3}, {4}, "add"); }), "add: shapes [2, 3] and [4] do not broadcast"));
    CHECK(ct::merged({2, 3, 4}, {{12, 4, 1}}).sizes == Shape{24});
    CHECK(ct::merged({2, 3, 4}, {{12, 4, 1}, {0, 4, 1}}).sizes == Shape{2, 12});
    CHECK(ct::merged({2, 1, 4}, {{8, 99, 2}}).strides[0] == Shape{2});
}
