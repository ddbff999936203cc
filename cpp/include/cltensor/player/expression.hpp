// Expressions of exported programs, as docs/program-format.md defines them: Python's meaning, integers of 64 bits and doubles.
#pragma once

#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "error.hpp"

namespace ct::player {

/// A number: an integer or a double.
struct Value {
    bool real = false;
    std::int64_t whole = 0;
    double number = 0;

    static Value of(std::int64_t n) { return {false, n, 0}; }
    static Value of(double x) { return {true, 0, x}; }
    double as_double() const { return real ? number : static_cast<double>(whole); }
    bool truth() const { return real ? number != 0 : whole != 0; }
};

namespace detail {

inline std::int64_t wrapped(std::uint64_t bits) {
    std::int64_t n;
    std::memcpy(&n, &bits, sizeof n);
    return n;
}

inline std::uint64_t bits(std::int64_t n) { return static_cast<std::uint64_t>(n); }

/// a // b of integers, rounded down.
inline std::int64_t floored(std::int64_t a, std::int64_t b) {
    if (b == 0) fail("an expression divides by zero");
    if (b == -1) return wrapped(0 - bits(a));
    const std::int64_t q = a / b;
    return q - ((a % b != 0) && ((a < 0) != (b < 0)));
}

inline std::int64_t power(std::int64_t a, std::int64_t b) {
    std::uint64_t result = 1, base = bits(a), left = bits(b);
    for (; left; left >>= 1, base *= base)
        if (left & 1) result *= base;
    return wrapped(result);
}

}  // namespace detail

/// A number that follows from others, whose places a function gave when it was read.
class Expression {
public:
    /// Where a name's value stands among the values; throws for an unknown name.
    using Places = std::function<std::size_t(const std::string&)>;

    Expression() = default;
    Expression(const std::string& text, const Places& places) {
        if (text.size() > 4096) fail("an expression has more than 4096 characters");
        Reader reader{text, 0, 0, places, *this};
        reader.choice();
        reader.space();
        if (reader.at != text.size()) reader.wrong();
        constant_ = names_ == 0;
    }
    /// A number that stays.
    explicit Expression(Value value) : constant_(true) { push({Op::number, value, 0, 0}); }

    /// Whether it depends on no name.
    bool constant() const { return constant_; }

    Value operator()(const std::vector<Value>& values) const { return at(parts_.size() - 1, values); }

private:
    enum class Op { number, name, negative, add, sub, mul, div, floordiv, mod, pow, lt, le, gt, ge, eq, ne, choose, min, max, ceil, sqrt, exp, log };

    /// Operands stand before: `left` and `right` are their positions; of a choice, `right` is the test and `number.whole` the last way.
    struct Part {
        Op op;
        Value number;
        std::size_t left, right;
    };

    std::size_t push(Part part) {
        parts_.push_back(part);
        return parts_.size() - 1;
    }

    struct Reader {
        const std::string& text;
        std::size_t at;
        int depth;
        const Places& places;
        Expression& made;

        [[noreturn]] void wrong() const { fail("'", text.substr(0, 80), "' is no expression"); }

        void space() {
            while (at < text.size() && text[at] == ' ') at++;
        }

        bool take(const char* sign) {
            space();
            const std::size_t n = std::strlen(sign);
            if (text.compare(at, n, sign) != 0) return false;
            at += n;
            return true;
        }

        /// Take a word that no letter follows.
        bool word(const char* wanted) {
            space();
            const std::size_t n = std::strlen(wanted);
            if (text.compare(at, n, wanted) != 0 || (at + n < text.size() && (std::isalnum(static_cast<unsigned char>(text[at + n])) || text[at + n] == '_'))) return false;
            at += n;
            return true;
        }

        struct Deeper {
            explicit Deeper(Reader& reader) : reader(reader) {
                if (++reader.depth > 130) fail("an expression is nested too deep: '", reader.text.substr(0, 40), "...'");
            }
            ~Deeper() { reader.depth--; }
            Reader& reader;
        };

        std::size_t choice() {
            const Deeper deeper(*this);
            const std::size_t yes = comparison();
            if (!word("if")) return yes;
            const std::size_t test = comparison();
            if (!word("else")) wrong();
            const std::size_t no = choice();
            return made.push({Op::choose, Value::of(static_cast<std::int64_t>(no)), yes, test});
        }

        std::size_t comparison() {
            const std::size_t left = sum();
            static constexpr struct { const char* sign; Op op; } signs[] = {{"<=", Op::le}, {">=", Op::ge}, {"==", Op::eq}, {"!=", Op::ne}, {"<", Op::lt}, {">", Op::gt}};
            for (const auto& [sign, op] : signs)
                if (take(sign)) return made.push({op, {}, left, sum()});
            return left;
        }

        std::size_t sum() {
            std::size_t left = product();
            for (;;) {
                if (take("+")) left = made.push({Op::add, {}, left, product()});
                else if (take("-")) left = made.push({Op::sub, {}, left, product()});
                else return left;
            }
        }

        std::size_t product() {
            std::size_t left = unary();
            for (;;) {
                space();
                if (text.compare(at, 2, "**") == 0) wrong();
                if (take("*")) left = made.push({Op::mul, {}, left, unary()});
                else if (take("//")) left = made.push({Op::floordiv, {}, left, unary()});
                else if (take("/")) left = made.push({Op::div, {}, left, unary()});
                else if (take("%")) left = made.push({Op::mod, {}, left, unary()});
                else return left;
            }
        }

        std::size_t unary() {
            const Deeper deeper(*this);
            if (take("-")) return made.push({Op::negative, {}, unary(), 0});
            const std::size_t base = atom();
            return take("**") ? made.push({Op::pow, {}, base, unary()}) : base;
        }

        std::size_t atom() {
            space();
            if (at >= text.size()) wrong();
            if (take("(")) {
                const std::size_t inner = choice();
                if (!take(")")) wrong();
                return inner;
            }
            const unsigned char c = static_cast<unsigned char>(text[at]);
            if (std::isdigit(c) || c == '.') return literal();
            if (!std::isalpha(c) && c != '_') wrong();
            std::size_t end = at;
            while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_')) end++;
            const std::string name = text.substr(at, end - at);
            at = end;
            return named(name);
        }

        std::size_t named(const std::string& name) {
            static constexpr struct { const char* name; Op op; int least, most; } functions[] = {
                {"min", Op::min, 2, 64}, {"max", Op::max, 2, 64}, {"ceil", Op::ceil, 2, 2}, {"sqrt", Op::sqrt, 1, 1}, {"exp", Op::exp, 1, 1}, {"log", Op::log, 1, 1}};
            for (const auto& f : functions)
                if (name == f.name) return called(f.op, f.least, f.most);
            if (name == "if" || name == "else") wrong();
            if (name == "inf") return made.push({Op::number, Value::of(HUGE_VAL), 0, 0});
            if (name == "nan") return made.push({Op::number, Value::of(std::nan("")), 0, 0});
            made.names_++;
            return made.push({Op::name, Value::of(static_cast<std::int64_t>(places(name))), 0, 0});
        }

        std::size_t called(Op op, int least, int most) {
            if (!take("(")) wrong();
            std::size_t left = choice();
            int count = 1;
            if (most == 1) left = made.push({op, {}, left, 0});
            for (; take(","); count++) {
                if (count >= most) wrong();
                left = made.push({op, {}, left, choice()});
            }
            if (count < least || !take(")")) wrong();
            return left;
        }

        std::size_t literal() {
            std::size_t end = at;
            bool real = false;
            while (end < text.size()) {
                const char c = text[end];
                if (c == '.' || c == 'e' || c == 'E') real = true;
                else if (!std::isdigit(static_cast<unsigned char>(c)) && !((c == '+' || c == '-') && end > at && (text[end - 1] == 'e' || text[end - 1] == 'E'))) break;
                end++;
            }
            const std::string digits = text.substr(at, end - at);
            at = end;
            char* stop = nullptr;
            if (real) {
                const double x = std::strtod(digits.c_str(), &stop);
                if (stop != digits.c_str() + digits.size()) wrong();
                return made.push({Op::number, Value::of(x), 0, 0});
            }
            if (digits.size() > 20) wrong();
            const unsigned long long n = std::strtoull(digits.c_str(), &stop, 10);
            return made.push({Op::number, Value::of(detail::wrapped(n)), 0, 0});
        }
    };

    Value at(std::size_t k, const std::vector<Value>& values) const {
        const Part& p = parts_[k];
        switch (p.op) {
            case Op::number: return p.number;
            case Op::name: return values[static_cast<std::size_t>(p.number.whole)];
            case Op::choose: return at(at(p.right, values).truth() ? p.left : static_cast<std::size_t>(p.number.whole), values);
            case Op::negative: {
                const Value a = at(p.left, values);
                return a.real ? Value::of(-a.number) : Value::of(detail::wrapped(0 - detail::bits(a.whole)));
            }
            case Op::sqrt: return Value::of(std::sqrt(at(p.left, values).as_double()));
            case Op::exp: return Value::of(std::exp(at(p.left, values).as_double()));
            case Op::log: return Value::of(std::log(at(p.left, values).as_double()));
            default: return combined(p.op, at(p.left, values), at(p.right, values));
        }
    }

    static Value combined(Op op, Value a, Value b) {
        const bool real = a.real || b.real;
        if (!real) {
            const std::int64_t x = a.whole, y = b.whole;
            switch (op) {
                case Op::add: return Value::of(detail::wrapped(detail::bits(x) + detail::bits(y)));
                case Op::sub: return Value::of(detail::wrapped(detail::bits(x) - detail::bits(y)));
                case Op::mul: return Value::of(detail::wrapped(detail::bits(x) * detail::bits(y)));
                case Op::floordiv: return Value::of(detail::floored(x, y));
                case Op::mod: return Value::of(detail::wrapped(detail::bits(x) - detail::bits(detail::floored(x, y)) * detail::bits(y)));
                case Op::pow:
                    if (y >= 0) return Value::of(detail::power(x, y));
                    break;
                case Op::lt: return Value::of(std::int64_t{x < y});
                case Op::le: return Value::of(std::int64_t{x <= y});
                case Op::gt: return Value::of(std::int64_t{x > y});
                case Op::ge: return Value::of(std::int64_t{x >= y});
                case Op::eq: return Value::of(std::int64_t{x == y});
                case Op::ne: return Value::of(std::int64_t{x != y});
                case Op::min: return Value::of(y < x ? y : x);
                case Op::max: return Value::of(y > x ? y : x);
                case Op::ceil: return Value::of(detail::wrapped(0 - detail::bits(detail::floored(detail::wrapped(0 - detail::bits(x)), y))));
                default: break;
            }
        }
        const double x = a.as_double(), y = b.as_double();
        if (y == 0 && (op == Op::div || op == Op::floordiv || op == Op::mod || op == Op::ceil)) fail("an expression divides by zero");
        switch (op) {
            case Op::add: return Value::of(x + y);
            case Op::sub: return Value::of(x - y);
            case Op::mul: return Value::of(x * y);
            case Op::div: return Value::of(x / y);
            case Op::floordiv: return Value::of(std::floor(x / y));
            case Op::mod: {
                const double rest = std::fmod(x, y);
                return Value::of(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
            }
            case Op::pow: return Value::of(std::pow(x, y));
            case Op::lt: return Value::of(std::int64_t{x < y});
            case Op::le: return Value::of(std::int64_t{x <= y});
            case Op::gt: return Value::of(std::int64_t{x > y});
            case Op::ge: return Value::of(std::int64_t{x >= y});
            case Op::eq: return Value::of(std::int64_t{x == y});
            case Op::ne: return Value::of(std::int64_t{x != y});
            case Op::min: return y < x ? b : a;
            case Op::max: return y > x ? b : a;
            default: return Value::of(-std::floor(-x / y));
        }
    }

    std::vector<Part> parts_;
    std::size_t names_ = 0;
    bool constant_ = false;
};

}  // namespace ct::player
