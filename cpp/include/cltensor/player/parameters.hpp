// Parameters of kernels, read from their text: a driver may crash over an argument of another kind, so compare before.
#pragma once

#include <cctype>
#include <string>
#include <vector>

#include "error.hpp"

namespace ct::player {

namespace detail {

inline bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

inline std::string without_comments(const std::string& text) {
    std::string out;
    for (std::size_t k = 0; k < text.size();) {
        if (text.compare(k, 2, "//") == 0) {
            k = text.find('\n', k);
        } else if (text.compare(k, 2, "/*") == 0) {
            const std::size_t end = text.find("*/", k + 2);
            k = end == std::string::npos ? end : end + 2;
            out += ' ';
        } else {
            out += text[k++];
            continue;
        }
        if (k == std::string::npos) break;
    }
    return out;
}

/// The words and signs of a text.
inline std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> found;
    for (std::size_t k = 0; k < text.size();) {
        std::size_t end = k;
        while (end < text.size() && in_word(text[end])) end++;
        if (end > k) found.push_back(text.substr(k, end - k));
        else if (!std::isspace(static_cast<unsigned char>(text[k]))) found.push_back(text.substr(k, 1));
        k = end > k ? end : k + 1;
    }
    return found;
}

inline std::string kind_of(const std::string& text, const std::string& name) {
    std::vector<std::string> parts = words(text);
    bool global = false, pointer = false, plain = true;
    for (const std::string& w : parts) {
        global = global || w == "__global" || w == "global" || w == "__constant" || w == "constant";
        pointer = pointer || w == "*";
        plain = plain && (in_word(w[0]) || w == "*");
    }
    if (plain && global && pointer) return "pointer";
    std::vector<std::string> left;
    for (const std::string& w : parts)
        if (w != "const") left.push_back(w);
    if (plain && !pointer && left.size() == 2)
        for (const char* type : {"int", "uint", "long", "ulong", "float", "double", "half", "short", "ushort"})
            if (left[0] == type) return type;
    fail("kernel '", name.substr(0, 80), "' has a parameter that no program takes: ", text.substr(0, 60));
}

}  // namespace detail

/// The kinds of a kernel's parameters: "pointer", or the C type of a number.
inline std::vector<std::string> parameters(const std::string& source, const std::string& name) {
    using namespace detail;
    const std::string text = without_comments(source);
    if (name.empty() || name.size() > 200) fail("'", name.substr(0, 80), "' is no name");
    for (const char c : name)
        if (!in_word(c)) fail("'", name.substr(0, 80), "' is no name");
    std::vector<std::string> found;
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + name.size())) {
        std::size_t open = at + name.size();
        if ((at && in_word(text[at - 1])) || (open < text.size() && in_word(text[open]))) continue;
        while (open < text.size() && std::isspace(static_cast<unsigned char>(text[open]))) open++;
        if (open >= text.size() || text[open] != '(') continue;
        std::string before = text.substr(at > 400 ? at - 400 : 0, at > 400 ? 400 : at);
        const std::size_t stop = before.find_last_of(";{}");
        if (stop != std::string::npos) before = before.substr(stop + 1);
        bool kernel = false;
        for (const std::string& w : words(before)) kernel = kernel || w == "__kernel" || w == "kernel";
        const std::size_t close = text.find(')', open);
        if (kernel && close != std::string::npos) found.push_back(text.substr(open + 1, close - open - 1));
    }
    if (found.size() != 1) fail(found.empty() ? "there is no kernel '" : "there are two kernels '", name, "' in its program");
    std::vector<std::string> kinds;
    if (words(found[0]).empty()) return kinds;
    for (std::size_t from = 0;;) {
        const std::size_t comma = found[0].find(',', from);
        kinds.push_back(kind_of(found[0].substr(from, comma == std::string::npos ? comma : comma - from), name));
        if (comma == std::string::npos) return kinds;
        from = comma + 1;
    }
}

}  // namespace ct::player
