// The file of an exported program: its tensors' places, its description and its checksum.  See docs/program-format.md.
#pragma once

#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "array.hpp"
#include "json.hpp"

namespace ct::player {

constexpr int kVersion = 1;

/// CRC-32 as in zlib, going on from a value.
inline std::uint32_t crc32(const unsigned char* data, std::size_t size, std::uint32_t before = 0) {
    static const auto tables = [] {
        std::array<std::array<std::uint32_t, 256>, 8> made{};
        for (std::uint32_t n = 0; n < 256; n++) {
            std::uint32_t c = n;
            for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
            made[0][n] = c;
        }
        for (std::uint32_t n = 0; n < 256; n++)
            for (std::size_t t = 1; t < 8; t++) made[t][n] = made[0][made[t - 1][n] & 255] ^ (made[t - 1][n] >> 8);
        return made;
    }();
    std::uint32_t c = ~before;
    for (; size >= 8; size -= 8, data += 8) {  // eight bytes at once, see Kounavis and Berry 2008
        std::uint32_t low, high;
        std::memcpy(&low, data, 4);
        std::memcpy(&high, data + 4, 4);
        low ^= c;
        c = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^ tables[3][high & 255] ^
            tables[2][high >> 8 & 255] ^ tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
    }
    for (; size; size--) c = tables[0][(c ^ *data++) & 255] ^ (c >> 8);
    return ~c;
}

/// Where a tensor lies in the file.
struct Entry {
    const DType* dtype;
    Shape shape;
    std::uint64_t begin, size;
};

/// An open file whose checksum and version were looked at.
class File {
public:
    explicit File(const std::string& path) : path_(path), file_(path, std::ios::binary) {
        if (!file_) fail(path, ": there is no such file, or it cannot be read");
        file_.seekg(0, std::ios::end);
        size_ = static_cast<std::uint64_t>(file_.tellg());
        const std::string start = text(0, 8);
        std::uint64_t length = 0;
        for (int k = 8; k--;) length = length << 8 | static_cast<unsigned char>(start[static_cast<std::size_t>(k)]);
        if (length > 100'000'000 || length > size_ - 8) fail(path, ": it is no exported program, or cut short: copy or download it again");
        data_ = 8 + length;
        const std::string header = text(8, length);
        const Json parsed = detail::parsed(header, "its header");
        if (!parsed.is_object()) fail(path, ": it is no exported program");
        read_entries(parsed);
        const auto metadata = parsed.find("__metadata__");
        const auto told = [&](const char* key) -> std::string {
            if (metadata == parsed.end() || !metadata->is_object() || !metadata->contains(key) || !(*metadata)[key].is_string()) return "";
            return (*metadata)[key].get<std::string>();
        };
        if (told("format") != "cltensor.program") fail(path, ": this is no exported program; write one with cltensor.export.save");
        const std::string version = told("version");
        if (version.empty() || version.size() > 9 || version.find_first_not_of("0123456789") != std::string::npos) fail(path, ": its version is '", version, "', which is no number");
        if (std::stol(version) > kVersion) fail(path, ": it was written in version ", version, " of the format, this player reads up to ", kVersion, "; update cltensor");
        check_sum(start + header);
        program_ = detail::parsed(told("program"), "its program");
        if (!program_.is_object()) fail(path, ": its metadata does not describe a program");
    }

    const std::string& path() const { return path_; }
    const Json& program() const { return program_; }

    /// The place of a tensor.
    const Entry& entry(const std::string& name) const {
        const auto found = entries_.find(name);
        if (found == entries_.end()) fail("it names a tensor '", name.substr(0, 80), "' that the file does not hold");
        return found->second;
    }

    /// The bytes of a tensor.
    std::vector<unsigned char> bytes(const Entry& e) {
        std::vector<unsigned char> out(e.size);
        read(data_ + e.begin, out.data(), e.size);
        if (std::string(e.dtype->name) == "bool")
            for (unsigned char& b : out) b = b != 0;
        return out;
    }

private:
    void read_entries(const Json& header) {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;
        for (const auto& [name, described] : header.items()) {
            if (name == "__metadata__") continue;
            const auto wrong = [&, title = name] { fail(path_, ": tensor '", title.substr(0, 80), "' is described wrongly; the file is damaged, or cut short: copy or download it again"); };
            if (!described.is_object() || !described.contains("dtype") || !described.contains("shape") || !described.contains("data_offsets")) wrong();
            const Json &code = described["dtype"], &sizes = described["shape"], &offsets = described["data_offsets"];
            if (!code.is_string() || !sizes.is_array() || sizes.size() > 64 || !offsets.is_array() || offsets.size() != 2) wrong();
            const DType* dtype = dtype_named(code.get<std::string>());
            if (!dtype || code.get<std::string>() != dtype->code) wrong();
            Shape shape;
            for (const Json& n : sizes) {
                if (!n.is_number_unsigned()) wrong();
                shape.push_back(n.get<std::int64_t>());
            }
            if (!offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) wrong();
            const std::uint64_t begin = offsets[0], end = offsets[1];
            if (begin > end || end > size_ - data_ || static_cast<std::uint64_t>(product(shape)) > end - begin || static_cast<std::uint64_t>(product(shape)) * dtype->size != end - begin) wrong();
            parts.emplace_back(begin, end);
            entries_[name] = {dtype, std::move(shape), begin, end - begin};
        }
        std::sort(parts.begin(), parts.end());
        std::uint64_t at = 0;
        for (const auto& [begin, end] : parts) {
            if (begin != at) fail(path_, ": its tensors overlap, or leave a gap; the file is damaged");
            at = end;
        }
        if (at != size_ - data_) fail(path_, ": it is cut short, or longer than its tensors; copy or download it again");
    }

    void check_sum(std::string head) {
        static const std::string key = "\"crc32\":\"";
        const std::size_t at = head.find(key);
        if (at == std::string::npos || at + key.size() + 8 > head.size()) fail(path_, ": it has no checksum");
        const std::string stored = head.substr(at + key.size(), 8);
        head.replace(at + key.size(), 8, "00000000");
        std::uint32_t sum = crc32(reinterpret_cast<const unsigned char*>(head.data()), head.size());
        std::vector<unsigned char> chunk(1 << 20);
        for (std::uint64_t from = data_; from < size_; from += chunk.size()) {
            const std::uint64_t count = std::min<std::uint64_t>(chunk.size(), size_ - from);
            read(from, chunk.data(), count);
            sum = crc32(chunk.data(), count, sum);
        }
        char wanted[9];
        std::snprintf(wanted, sizeof wanted, "%08x", static_cast<unsigned>(sum));
        if (stored != wanted) fail(path_, ": its checksum is ", wanted, ", written down is '", stored, "': the file was changed or damaged; copy or download it again");
    }

    std::string text(std::uint64_t from, std::uint64_t count) {
        if (count > size_ || from > size_ - count) fail(path_, ": it is no exported program, or cut short: copy or download it again");
        std::string out(count, '\0');
        read(from, reinterpret_cast<unsigned char*>(out.data()), count);
        return out;
    }

    void read(std::uint64_t from, unsigned char* to, std::uint64_t count) {
        file_.clear();
        file_.seekg(static_cast<std::streamoff>(from));
        file_.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count));
        if (static_cast<std::uint64_t>(file_.gcount()) != count) fail(path_, ": it became shorter while it was read");
    }

    std::string path_;
    std::ifstream file_;
    std::uint64_t size_ = 0, data_ = 0;
    std::map<std::string, Entry> entries_;
    Json program_;
};

}  // namespace ct::player
