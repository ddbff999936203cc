// Sizes: the expressions in which kernels say how large a launch is, as cltensor/codegen/sizes.py defines them.
//
// Whole numbers, names, + - * // %, parentheses, comparisons, `a if c else b`, min(...), max(...) and ceil(a, b), which is a
// divided by b and rounded up.  // rounds down.
#pragma once

#include <cctype>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "error.hpp"

namespace ct {

/// A size as a function of names' values.
class Expression {
public:
    /// Where values come from: a function from a name to its value, which throws for an unknown one.
    using Values = std::function<std::int64_t(const std::string&)>;

    explicit Expression(const std::string& source) : source_(source), root_(Parser(source).whole()) {}

    std::int64_t operator()(const Values& values) const { return evaluated(*root_, values); }
    const std::string& source() const { return source_; }

private:
    enum class Kind { number, name, plus, minus, times, over, modulo, lt, le, gt, ge, eq, ne, choose, min, max, ceil };
    struct Part {
        Kind kind;
        std::int64_t number = 0;
        std::string name = {};
        std::vector<Part> parts = {};
    };

    static std::int64_t floored(std::int64_t a, std::int64_t b) {
        if (b == 0) fail("size: division by 0");
        return a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
    }

    static std::int64_t evaluated(const Part& part, const Values& values) {
        const auto at = [&](std::size_t i) { return evaluated(part.parts[i], values); };
        switch (part.kind) {
            case Kind::number: return part.number;
            case Kind::name: return values(part.name);
            case Kind::plus: return at(0) + at(1);
            case Kind::minus: return at(0) - at(1);
            case Kind::times: return at(0) * at(1);
            case Kind::over: return floored(at(0), at(1));
            case Kind::modulo: {
                const std::int64_t a = at(0), b = at(1);
                return a - floored(a, b) * b;
            }
            case Kind::lt: return at(0) < at(1);
            case Kind::le: return at(0) <= at(1);
            case Kind::gt: return at(0) > at(1);
            case Kind::ge: return at(0) >= at(1);
            case Kind::eq: return at(0) == at(1);
            case Kind::ne: return at(0) != at(1);
            case Kind::choose: return at(1) ? at(0) : at(2);
            case Kind::ceil: {
                const std::int64_t a = at(0), b = at(1);
                return -floored(-a, b);
            }
            case Kind::min:
            case Kind::max: break;
        }
        std::int64_t found = at(0);
        for (std::size_t i = 1; i < part.parts.size(); i++) {
            const std::int64_t other = at(i);
            if (part.kind == Kind::min ? other < found : other > found) found = other;
        }
        return found;
    }

    /// Recursive descent, a method for each level of precedence.
    class Parser {
    public:
        explicit Parser(const std::string& source) : source_(source) {}

        std::shared_ptr<const Part> whole() {
            Part found = choice();
            if (!next().empty()) wrong();
            return std::make_shared<const Part>(std::move(found));
        }

    private:
        static constexpr int kDeepest = 64;
        const std::string& source_;
        std::size_t at_ = 0;
        int depth_ = 0;

        [[noreturn]] void wrong() const { fail("'", source_, "' is no expression for a size, from character ", at_, " on"); }

        /// The next token, not taken; "" at the end.
        std::string next() {
            while (at_ < source_.size() && std::isspace(static_cast<unsigned char>(source_[at_]))) at_++;
            if (at_ == source_.size()) return "";
            std::size_t end = at_;
            const auto word = [&](std::size_t i) {
                return std::isalnum(static_cast<unsigned char>(source_[i])) || source_[i] == '_';
            };
            if (word(end)) {
                while (end < source_.size() && word(end)) end++;
                return source_.substr(at_, end - at_);
            }
            for (const char* two : {"//", "<=", ">=", "==", "!="})
                if (source_.compare(at_, 2, two) == 0) return two;
            return source_.substr(at_, 1);
        }

        bool take(const std::string& token) {
            if (next() != token) return false;
            at_ += token.size();
            return true;
        }

        void need(const std::string& token) {
            if (!take(token)) wrong();
        }

        Part choice() {
            if (++depth_ > kDeepest) wrong();
            Part found = comparison();
            if (take("if")) {
                Part condition = comparison();
                need("else");
                Part otherwise = choice();
                found = Part{Kind::choose, 0, {}, {std::move(found), std::move(condition), std::move(otherwise)}};
            }
            depth_--;
            return found;
        }

        Part comparison() {
            Part left = sum();
            for (const auto& [token, kind] : {std::pair{"<=", Kind::le},
                                              {">=", Kind::ge},
                                              {"==", Kind::eq},
                                              {"!=", Kind::ne},
                                              {"<", Kind::lt},
                                              {">", Kind::gt}})
                if (take(token)) return Part{kind, 0, {}, {std::move(left), sum()}};
            return left;
        }

        Part sum() {
            Part left = term();
            for (;;) {
                if (take("+"))
                    left = Part{Kind::plus, 0, {}, {std::move(left), term()}};
                else if (take("-"))
                    left = Part{Kind::minus, 0, {}, {std::move(left), term()}};
                else
                    return left;
            }
        }

        Part term() {
            Part left = atom();
            for (;;) {
                if (take("*"))
                    left = Part{Kind::times, 0, {}, {std::move(left), atom()}};
                else if (take("//"))
                    left = Part{Kind::over, 0, {}, {std::move(left), atom()}};
                else if (take("%"))
                    left = Part{Kind::modulo, 0, {}, {std::move(left), atom()}};
                else
                    return left;
            }
        }

        Part atom() {
            const std::string token = next();
            if (take("(")) {
                Part inner = choice();
                need(")");
                return inner;
            }
            if (token.empty() || !(std::isalnum(static_cast<unsigned char>(token[0])) || token[0] == '_')) wrong();
            at_ += token.size();
            if (std::isdigit(static_cast<unsigned char>(token[0]))) {
                if (token.size() > 18 || token.find_first_not_of("0123456789") != std::string::npos) wrong();
                return Part{Kind::number, std::stoll(token)};
            }
            if (next() != "(") return Part{Kind::name, 0, token};
            return call(token);
        }

        Part call(const std::string& function) {
            Part found{function == "min" ? Kind::min : function == "max" ? Kind::max : Kind::ceil};
            if (function != "min" && function != "max" && function != "ceil") wrong();
            need("(");
            do found.parts.push_back(choice());
            while (take(","));
            need(")");
            if (found.parts.size() < 2 || (found.kind == Kind::ceil && found.parts.size() != 2)) wrong();
            return found;
        }
    };

    std::string source_;
    std::shared_ptr<const Part> root_;
};

}  // namespace ct
