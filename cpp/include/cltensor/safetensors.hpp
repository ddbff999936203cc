// Safetensors: tensors by name in one file, as Python's ct.save and ct.load write and read them.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nn/module.hpp"

namespace ct {

namespace detail {

constexpr std::uint64_t kLargestHeader = 100'000'000;

inline DType safetensors_dtype(const std::string& wanted, const std::string& where) {
    for (std::size_t i = 0; i < dtype_facts().size(); i++)
        if (wanted == dtype_facts()[i].safetensors) return static_cast<DType>(i);
    fail(where, ": dtype ", wanted, " is none that this library holds; convert the tensor in Python first");
}

/// One tensor of the header, checked against the bytes there are.
inline Tensor safetensor(const std::string& where, const nlohmann::json& entry, const std::string& bytes, std::size_t begin) {
    const DType dtype = safetensors_dtype(entry.at("dtype"), where);
    const Shape shape = entry.at("shape").get<Shape>();
    const std::uint64_t from = entry.at("data_offsets").at(0), to = entry.at("data_offsets").at(1), room = bytes.size() - begin;
    std::uint64_t count = item_size(dtype);
    for (const std::int64_t n : shape) {
        if (n < 0 || (n && count > std::numeric_limits<std::uint64_t>::max() / static_cast<std::uint64_t>(n)))
            fail(where, ": impossible shape ", shown(shape));
        count *= static_cast<std::uint64_t>(n);
    }
    if (from > to || to > room || to - from != count)
        fail(where, ": bytes ", from, " to ", to, " of ", room, " do not hold shape ", shown(shape), " of ", dtype,
             "; the file is damaged");
    return from_bytes(std::vector<unsigned char>(bytes.begin() + static_cast<std::ptrdiff_t>(begin + from),
                                                 bytes.begin() + static_cast<std::ptrdiff_t>(begin + to)),
                      shape, dtype, "load");
}

}  // namespace detail

/// The tensors of a safetensors file, by name.
inline StateDict load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail("load: there is no file '", path, "'");
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::uint64_t size = 0;
    if (bytes.size() < 8) fail("load: '", path, "' is too short for a safetensors file");
    std::memcpy(&size, bytes.data(), 8);
    if (size > detail::kLargestHeader || size > bytes.size() - 8)
        fail("load: '", path, "' says that its header has ", size,
             " bytes, which it has not; it is no safetensors file, or cut short");
    try {
        const auto header = nlohmann::ordered_json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(size));
        StateDict out;
        for (const auto& [name, entry] : header.items())
            if (name != "__metadata__")
                out.emplace_back(name, detail::safetensor("load: '" + path + "', tensor " + name, entry, bytes, 8 + size));
        return out;
    } catch (const nlohmann::json::exception& e) {
        fail("load: the header of '", path, "' is damaged (", e.what(), ")");
    }
}

/// Write tensors by name to a safetensors file; the file appears when it is whole.
inline void save(const StateDict& tensors, const std::string& path) {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    std::vector<unsigned char> data;
    for (const auto& [name, x] : tensors) {
        if (header.contains(name)) fail("save: the name ", name, " is there twice");
        const std::vector<unsigned char> own = x.to_bytes();
        header[name] = {{"dtype", detail::facts(x.dtype()).safetensors},
                        {"shape", x.shape()},
                        {"data_offsets", {data.size(), data.size() + own.size()}}};
        data.insert(data.end(), own.begin(), own.end());
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    const std::uint64_t size = text.size();
    const std::filesystem::path draft = path + ".part";
    {
        std::ofstream file(draft, std::ios::binary);
        file.write(reinterpret_cast<const char*>(&size), 8);
        file << text;
        file.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
        file.flush();
        if (!file) fail("save: '", path, "' cannot be written");
    }
    std::filesystem::rename(draft, path);
}

}  // namespace ct
