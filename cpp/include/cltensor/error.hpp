// Errors: a message names the call, the values, the rule and the cure.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ct {

/// What every function of the library throws.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The parts as one text.
template <class... Parts>
std::string text(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

/// Throw an Error of the parts.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    throw Error(text(parts...));
}

}  // namespace ct
