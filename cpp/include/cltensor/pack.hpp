// The kernel pack: the document that `cltensor kernels pack` writes.  It holds rendered kernels, their interfaces, and which op
// computes the gradient of which.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "dtype.hpp"
#include "error.hpp"
#include "sizes.hpp"

namespace ct {

/// A C parameter of a kernel: a buffer, the offset that follows it, or a number of some C type.
struct Parameter {
    enum class Kind { buffer, offset, number } kind;
    std::string ctype;
    std::string name;
};

/// What a kernel's parameters are and how large its launches.
struct Interface {
    std::vector<Parameter> parameters;
    std::vector<std::pair<std::string, Expression>> choices;
    std::vector<Expression> local, global;
    std::unordered_map<std::string, std::size_t> at;  // name of a parameter -> its position
};

/// A kernel of the pack.
struct KernelText {
    std::string key, function, source;
    std::map<std::string, std::int64_t> values;  // parameters of the text that are whole numbers
    std::vector<DType> results;
    std::shared_ptr<const Interface> interface;
};

/// Where the gradients of some inputs of an elementwise op come from.
struct GradientRule {
    std::string op;                       // "" where gradients are only passed on
    std::vector<std::string> sources;     // what the op reads: "g0", "y0" or names of inputs
    std::vector<std::string> attributes;  // of the forward op, that it takes too
    std::vector<std::string> results;     // for each input: "#k" for result k, "g0", "zero" or "" for none
};

/// What the registry declares of an op.
struct OpRule {
    std::string name;
    std::vector<std::string> inputs, attributes;
    std::vector<bool> condition;  // for each input whether it is a truth value
    std::size_t results = 1;
    std::map<std::string, GradientRule> gradients;  // by a mask of inputs, such as "10"
};

/// The document, read once.
class Pack {
public:
    static constexpr int kVersion = 1;

    explicit Pack(const std::string& path) : path_(path) {
        std::ifstream file(path, std::ios::binary);
        if (!file)
            fail("kernel pack: there is no file '", path, "'; make one with `cltensor kernels pack ", path,
                 "`, and name it in CLTENSOR_PACK or ct::start");
        try {
            const nlohmann::json document = nlohmann::json::parse(file);
            if (document.value("format", "") != "cltensor kernel pack") fail("kernel pack: '", path, "' is another kind of file");
            const int version = document.value("version", 0);
            if (version != kVersion)
                fail("kernel pack: '", path, "' has version ", version, "; this library reads version ", kVersion,
                     ": make the pack and the headers with the same cltensor");
            read(document);
        } catch (const nlohmann::json::exception& e) {
            fail("kernel pack: '", path, "' is damaged (", e.what(), "); make it again with `cltensor kernels pack`");
        }
    }

    std::size_t rank() const { return rank_; }
    std::size_t kept() const { return kept_; }
    std::size_t reduced() const { return reduced_; }

    bool has(const std::string& key) const { return find_.count(key) != 0; }

    /// The kernel of a key, "style/op/dtype/layout".
    const KernelText& kernel(const std::string& key) const {
        const auto found = find_.find(key);
        if (found == find_.end())
            fail("kernel pack: '", path_, "' has no kernel ", key,
                 " (launch style, op, dtype, layout); make it with this op, dtype and "
                 "style: cltensor kernels pack FILE --ops ... --dtypes ... --styles ...");
        return kernels_[found->second];
    }

    bool has_op(const std::string& name) const { return ops_.count(name) != 0; }

    const OpRule& op(const std::string& name) const {
        const auto found = ops_.find(name);
        if (found == ops_.end())
            fail("kernel pack: '", path_, "' has no op '", name, "'; make it with --ops ", name, ", or with all ops");
        return found->second;
    }

private:
    std::string path_;
    std::size_t rank_ = 0, kept_ = 0, reduced_ = 0;
    std::vector<KernelText> kernels_;
    std::unordered_map<std::string, std::size_t> find_;
    std::map<std::string, OpRule> ops_;

    void read(const nlohmann::json& document) {
        rank_ = document.at("rank");
        kept_ = document.at("kept");
        reduced_ = document.at("reduced");
        std::vector<std::shared_ptr<const Interface>> interfaces;
        for (const auto& each : document.at("interfaces")) interfaces.push_back(interface_of(each));
        const auto& blocks = document.at("blocks");
        for (const auto& each : document.at("kernels")) {
            KernelText kernel{{}, each.at("function"),
                              {}, each.at("values").get<std::map<std::string, std::int64_t>>(),
                              {}, interfaces.at(each.at("interface").get<std::size_t>())};
            for (const auto& result : each.at("results")) kernel.results.push_back(dtype_of(result));
            for (const auto& block : each.at("text"))
                kernel.source +=
                    (kernel.source.empty() ? "" : "\n\n") + blocks.at(block.get<std::size_t>()).get_ref<const std::string&>();
            kernels_.push_back(std::move(kernel));
        }
        for (const auto& [key, number] : document.at("find").items()) {
            const std::size_t at = number;
            kernels_.at(at).key = key;
            find_[key] = at;
        }
        for (const auto& [name, declared] : document.at("ops").items()) ops_[name] = rule_of(name, declared);
    }

    static std::shared_ptr<const Interface> interface_of(const nlohmann::json& each) {
        auto made = std::make_shared<Interface>();
        for (const auto& a : each.at("arguments")) {
            const std::string kind = a.at(0);
            made->at[a.at(2)] = made->parameters.size();
            made->parameters.push_back({kind == "buffer"   ? Parameter::Kind::buffer
                                        : kind == "offset" ? Parameter::Kind::offset
                                                           : Parameter::Kind::number,
                                        a.at(1), a.at(2)});
        }
        for (const auto& choice : each.at("choices"))
            made->choices.emplace_back(choice.at(0).get<std::string>(), Expression(choice.at(1).get<std::string>()));
        for (const auto& size : each.at("local")) made->local.emplace_back(size.get<std::string>());
        for (const auto& size : each.at("global")) made->global.emplace_back(size.get<std::string>());
        return made;
    }

    static OpRule rule_of(const std::string& name, const nlohmann::json& declared) {
        OpRule rule;
        rule.name = name;
        rule.inputs = declared.at("inputs").get<std::vector<std::string>>();
        rule.condition.resize(rule.inputs.size());
        for (const auto& attribute : declared.at("attributes")) rule.attributes.push_back(attribute.at(0));
        if (declared.at("kind") != "elementwise") return rule;
        rule.results = declared.at("results");
        for (const auto& at : declared.at("conditions")) rule.condition.at(at.get<std::size_t>()) = true;
        for (const auto& [mask, made] : declared.at("gradients").items()) {
            GradientRule& gradient = rule.gradients[mask];
            if (!made.at("op").is_null()) gradient.op = made.at("op");
            gradient.sources = made.at("sources").get<std::vector<std::string>>();
            gradient.attributes = made.at("attributes").get<std::vector<std::string>>();
            for (const auto& result : made.at("results"))
                gradient.results.push_back(result.is_null()     ? ""
                                           : result.is_number() ? "#" + std::to_string(result.get<int>())
                                                                : result.get<std::string>());
            for (const auto& at : made.at("zeros")) gradient.results.at(at.get<std::size_t>()) = "zero";
        }
        return rule;
    }
};

}  // namespace ct
