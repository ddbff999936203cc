// The numbers of a program: those that it holds, the sizes of a call, and what its steps set; expressions over them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "expression.hpp"
#include "json.hpp"

namespace ct::player {

/// A size that may differ from call to call.  of: an input and one of its dimensions, each.
struct Dimension {
    std::string name;
    std::int64_t least, most;
    std::vector<std::pair<std::size_t, std::size_t>> of;
};

/// Values by place: numbers that last, then sizes, then what steps set.
class Numbers {
public:
    struct Number {
        std::string name, path;
        bool real;
        Value value;
    };

    /// Read "numbers" and "dimensions" of a program.
    void read(const Json& program) {
        using namespace detail;
        for (const Json& n : list(part(program, "numbers"))) read_number(n);
        for (const Json& d : list(part(program, "dimensions"))) {
            Dimension made{text(part(d, "name")), count(part(d, "min")), count(part(d, "max")), {}};
            places_.emplace(made.name, places_.size());
            for (const Json& pair : list(part(d, "of"))) {
                const Json& inputs = list(part(program, "inputs"));
                const std::size_t i = index(list(pair).at(0), inputs.size());
                made.of.emplace_back(i, index(pair.at(1), list(part(inputs[i], "shape")).size()));
            }
            dimensions_.push_back(std::move(made));
        }
        if (places_.size() != lasting_.size() + dimensions_.size()) fail("two of its numbers have one name");
        values_.assign(places_.size(), Value{});
    }

    const std::vector<Number>& lasting() const { return lasting_; }
    const std::vector<Dimension>& dimensions() const { return dimensions_; }
    const std::vector<Value>& values() const { return values_; }
    void set(std::size_t place, Value value) { values_[place] = value; }

    /// The number of a path.
    Number& at(const std::string& path) {
        for (Number& n : lasting_)
            if (n.path == path) return n;
        fail("there is no number '", path, "'");
    }

    /// Put the sizes of a call among the values.
    void put_sizes(const std::vector<std::int64_t>& sizes) {
        for (std::size_t k = 0; k < sizes.size(); k++) values_[lasting_.size() + k] = Value::of(sizes[k]);
    }

    /// Before the steps of a call, and after them.
    void begin() {
        for (std::size_t k = 0; k < lasting_.size(); k++) values_[k] = lasting_[k].value;
    }
    void end() {
        for (std::size_t k = 0; k < lasting_.size(); k++) lasting_[k].value = lasting_[k].real ? Value::of(values_[k].as_double()) : Value::of(whole(values_[k]));
    }

    /// The place of a name that a step sets, a new one if need be.
    std::size_t place(const std::string& name) {
        const auto found = places_.emplace(name, places_.size()).first;
        if (values_.size() < places_.size()) values_.resize(places_.size());
        return found->second;
    }

    /// The expression of a number of the file.
    Expression expression(const Json& x) const {
        if (x.is_number_integer()) return Expression(Value::of(x.get<std::int64_t>()));
        if (x.is_number()) return Expression(Value::of(x.get<double>()));
        return Expression(detail::text(x), [&](const std::string& name) {
            const auto found = places_.find(name);
            if (found == places_.end()) fail("an expression depends on '", name.substr(0, 80), "', which is no number of the program");
            return found->second;
        });
    }

    /// Whether a number depends on sizes alone.
    bool only_sizes(const Json& x) const {
        if (!x.is_string()) return true;
        bool only = true;
        Expression(x.get<std::string>(), [&](const std::string& name) {
            const auto found = places_.find(name);
            only = only && found != places_.end() && found->second >= lasting_.size() && found->second < lasting_.size() + dimensions_.size();
            return std::size_t{0};
        });
        return only;
    }

    /// A number for the sizes that were put.
    Value now(const Json& x) const { return expression(x)(values_); }

    /// A size for the sizes that were put.
    std::int64_t size(const Json& x) const {
        if (!x.is_string()) return detail::count(x);
        const Value found = now(x);
        if (found.real || found.whole < 0 || found.whole >= (std::int64_t{1} << 62)) fail("a size, '", x.get<std::string>().substr(0, 80), "', is no whole number of at least 0");
        return found.whole;
    }

    static std::int64_t whole(const Value& v) {
        if (!v.real) return v.whole;
        return std::fabs(v.number) < 9.2e18 ? static_cast<std::int64_t>(v.number) : 0;
    }

private:
    void read_number(const Json& n) {
        using namespace detail;
        const std::string type = text(part(n, "type"));
        if (type != "int" && type != "float") fail("a number has the type '", type.substr(0, 20), "'");
        const Json& value = part(n, "value");
        Number made{text(part(n, "name")), text(part(n, "path")), type == "float", {}};
        if (made.real && value.is_string()) {
            made.value = Expression(text(value), [](const std::string& name) -> std::size_t { fail("'", name.substr(0, 80), "' is no number"); })({});
            made.value = Value::of(made.value.as_double());
        } else if (made.real && value.is_number()) made.value = Value::of(value.get<double>());
        else if (!made.real && value.is_number_integer()) made.value = Value::of(value.get<std::int64_t>());
        else fail("number '", made.path.substr(0, 80), "' has no value");
        places_.emplace(made.name, places_.size());
        lasting_.push_back(std::move(made));
    }

    std::vector<Number> lasting_;
    std::vector<Dimension> dimensions_;
    std::map<std::string, std::size_t> places_;
    std::vector<Value> values_;
};

/// A double as the bits of a half, to nearest even.
inline std::uint16_t half(double x) {
    const std::uint16_t sign = std::signbit(x) ? 0x8000 : 0;
    const double a = std::fabs(x);
    if (std::isnan(x)) return 0x7e00;
    if (a >= 65520) return sign | 0x7c00;
    if (a == 0) return sign;
    const int e = std::max(std::ilogb(a), -14);
    const auto q = static_cast<std::uint16_t>(std::nearbyint(std::ldexp(a, 10 - e)));
    return static_cast<std::uint16_t>(sign + ((e + 14) << 10) + q);
}

}  // namespace ct::player
