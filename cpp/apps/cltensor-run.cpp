// cltensor-run: runs an exported program on .npy files, and prints times.
#include <chrono>
#include <cltensor/player.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace {

using namespace ct::player;

constexpr const char* kUsage =
    "usage: cltensor-run MODEL.ctp [--input [NAME=]X.npy]... [--output [NAME=]Y.npy]... [--set NUMBER=VALUE]...\n"
    "                    [--repeat N] [--save-state STATE.safetensors] [--device NAME] [--class cpu|gpu] [--max-bytes N] [--info]\n"
    "Inputs without names are taken in their order; those left out are zeros.  The program is run N times (1), then outputs are written.\n";

struct Asked {
    std::string file, save;
    std::vector<std::string> inputs, outputs, numbers;
    long repeat = 1;
    bool info = false;
    Options options;
};

Asked asked(int count, char** arguments) {
    Asked found;
    for (int k = 1; k < count; k++) {
        const std::string word = arguments[k];
        const auto value = [&]() -> std::string {
            if (k + 1 >= count) fail(word, " needs a value\n", kUsage);
            return arguments[++k];
        };
        if (word == "--input") found.inputs.push_back(value());
        else if (word == "--output") found.outputs.push_back(value());
        else if (word == "--set") found.numbers.push_back(value());
        else if (word == "--repeat") found.repeat = std::atol(value().c_str());
        else if (word == "--save-state") found.save = value();
        else if (word == "--device") found.options.device = value();
        else if (word == "--class") found.options.device_class = value();
        else if (word == "--max-bytes") found.options.max_bytes = std::strtoull(value().c_str(), nullptr, 10);
        else if (word == "--info") found.info = true;
        else if (word[0] == '-' || !found.file.empty()) fail("'", word, "' is not understood\n", kUsage);
        else found.file = word;
    }
    if (found.file.empty() || found.repeat < 1) fail("name one file, and N of at least 1\n", kUsage);
    return found;
}

/// (number of the signature, path) of "path" or "name=path", the k-th given.
std::pair<std::size_t, std::string> named(const std::string& given, std::size_t k, const std::vector<Signature>& all) {
    const std::size_t sign = given.find('=');
    if (sign == std::string::npos) {
        if (k >= all.size()) fail("there are ", all.size(), ", more are given: ", given);
        return {k, given};
    }
    for (std::size_t i = 0; i < all.size(); i++)
        if (all[i].name == given.substr(0, sign)) return {i, given.substr(sign + 1)};
    std::string names;
    for (const Signature& s : all) names += " " + s.name;
    fail("there is no '", given.substr(0, sign), "'; there are:", names);
}

void show(const char* title, const std::vector<Signature>& all) {
    std::cout << title << "\n";
    for (const Signature& s : all) {
        std::string shape;
        for (const std::int64_t n : s.shape) shape += (shape.empty() ? "" : ", ") + (n < 0 ? std::string("any") : std::to_string(n));
        std::cout << "  " << s.name << "  " << s.dtype << " [" << shape << "]\n";
    }
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void run(const Asked& wanted) {
    Program program = Program::load(wanted.file, wanted.options);
    std::cout << program.name() << ", " << program.device_class() << " class on " << program.device().name() << "\n";
    if (wanted.info) {
        show("inputs:", program.inputs());
        show("outputs:", program.outputs());
        for (const std::string& path : program.number_paths()) std::cout << "  " << path << " = " << program.number(path) << "\n";
        for (const std::string& name : program.state_names()) std::cout << "  " << name << "\n";
        return;
    }
    for (const std::string& text : wanted.numbers) {
        const std::size_t sign = text.find('=');
        if (sign == std::string::npos) fail("--set takes NUMBER=VALUE, got ", text);
        program.set_number(text.substr(0, sign), std::strtod(text.c_str() + sign + 1, nullptr));
    }
    std::vector<Array> inputs;
    std::vector<bool> given(program.inputs().size());
    for (const Signature& s : program.inputs()) {
        inputs.emplace_back();
        inputs.back().dtype = s.dtype;
    }
    for (std::size_t k = 0; k < wanted.inputs.size(); k++) {
        const auto [i, path] = named(wanted.inputs[k], k, program.inputs());
        inputs[i] = read_npy(path);
        given[i] = true;
    }
    for (std::size_t i = 0; i < inputs.size(); i++) {
        if (given[i]) continue;
        for (const std::int64_t n : program.inputs()[i].shape)
            if (n < 0) fail("input ", program.inputs()[i].name, " has no fixed shape; give it with --input");
        inputs[i] = Array(program.inputs()[i].dtype, program.inputs()[i].shape);
    }
    program.bind(inputs);
    std::vector<double> times;
    for (long n = 0; n < wanted.repeat; n++) {
        const double start = seconds();
        program.enqueue();
        program.finish();
        times.push_back(seconds() - start);
    }
    std::vector<double> order = times;
    std::sort(order.begin(), order.end());
    std::printf("%ld runs: first %.1f us, median %.1f us, least %.1f us\n", wanted.repeat, times[0] * 1e6, order[order.size() / 2] * 1e6, order[0] * 1e6);
    for (std::size_t k = 0; k < program.outputs().size(); k++) {
        const Array found = program.output(k);
        std::printf("%s  %s %s\n", program.outputs()[k].name.c_str(), found.dtype.c_str(), shown(found.shape).c_str());
    }
    for (std::size_t k = 0; k < wanted.outputs.size(); k++) {
        const auto [i, path] = named(wanted.outputs[k], k, program.outputs());
        write_npy(path, program.output(i));
    }
    if (!wanted.save.empty()) program.save_state(wanted.save);
    std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
    try {
        run(asked(count, arguments));
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "cltensor-run: " << error.what() << std::endl;
        return 1;
    }
}
