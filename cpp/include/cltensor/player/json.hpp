// JSON of files from strangers: read within bounds, looked at with errors that say what is wrong.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "error.hpp"

namespace ct::player {

using Json = nlohmann::json;

namespace detail {

/// The JSON of a text; throws for more than 4 million values or 400 levels, which would take much memory.
inline Json parsed(const std::string& text, const char* what) {
    constexpr std::size_t most = 1u << 22, deepest = 400;
    std::size_t values = 0, depth = 0;
    bool quoted = false;
    for (std::size_t k = 0; k < text.size(); k++) {
        const char c = text[k];
        if (quoted) {
            if (c == '\\') k++;
            else if (c == '"') quoted = false;
        } else if (c == '"') quoted = true;
        else if (c == ',' || c == '[' || c == '{') {
            values++;
            if (c != ',' && ++depth > deepest) fail(what, " is nested too deep");
        } else if ((c == ']' || c == '}') && depth) depth--;
    }
    if (values > most) fail(what, " has more than ", most, " values");
    Json made = Json::parse(text, nullptr, false);
    if (made.is_discarded()) fail(what, " is not valid JSON");
    return made;
}

inline const Json& part(const Json& x, const char* key) {
    if (!x.is_object()) fail("there is no object where one with '", key, "' should be");
    const auto found = x.find(key);
    if (found == x.end()) fail("'", key, "' is missing");
    return *found;
}

inline const Json& list(const Json& x) {
    if (!x.is_array()) fail("there is no list where one should be");
    return x;
}

inline std::string text(const Json& x) {
    if (!x.is_string()) fail("there is no text where one should be");
    return x.get<std::string>();
}

inline std::int64_t count(const Json& x) {
    if (!x.is_number_unsigned() || x.get<std::uint64_t>() >= std::uint64_t{1} << 62) fail("there is ", x.dump().substr(0, 40), " where a size should be");
    return x.get<std::int64_t>();
}

inline std::size_t index(const Json& x, std::size_t of) {
    const std::int64_t n = count(x);
    if (static_cast<std::uint64_t>(n) >= of) fail("there is ", n, " where one of ", of, " parts should be named");
    return static_cast<std::size_t>(n);
}

}  // namespace detail

}  // namespace ct::player
