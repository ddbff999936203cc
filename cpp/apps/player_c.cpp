// The player's C functions, see player.h.
#include <cltensor/player.h>

#include <cltensor/player.hpp>

using ct::player::Array;

struct ct_program {
    ct::player::Program program;
    std::vector<std::string> states;
    std::vector<Array> results;
    Array state;
};

namespace {

thread_local std::string last_error;

/// What a function gives; after an error what stands for one.
template <class Work, class Failed>
auto guarded(const Work& work, Failed failed) -> Failed {
    try {
        last_error.clear();
        return work();
    } catch (const std::exception& error) {
        last_error = error.what();
        return failed;
    }
}

std::string text(const char* given) { return given ? given : ""; }

Array array_of(const ct_array& a) {
    if (!a.dtype || a.rank < 0 || a.rank > 64 || (a.rank && !a.shape) || (a.bytes && !a.data)) ct::player::fail("an array has no dtype, shape or data");
    Array made(a.dtype, ct::player::Shape(a.shape, a.shape + a.rank));
    if (made.bytes.size() != a.bytes) ct::player::fail("an array of shape ", ct::player::shown(made.shape), " and dtype ", made.dtype, " has ", made.bytes.size(), " bytes, got ", a.bytes);
    if (a.bytes) std::memcpy(made.bytes.data(), a.data, a.bytes);
    return made;
}

void show(Array& from, ct_array* to) { *to = {from.dtype.c_str(), static_cast<int>(from.shape.size()), from.shape.data(), from.bytes.data(), from.bytes.size()}; }

const char* signature(const std::vector<ct::player::Signature>& all, int k, ct_array* to) {
    if (k < 0 || static_cast<std::size_t>(k) >= all.size()) ct::player::fail("there is no input or output ", k);
    const ct::player::Signature& s = all[static_cast<std::size_t>(k)];
    if (to) *to = {s.dtype.c_str(), static_cast<int>(s.shape.size()), s.shape.data(), nullptr, 0};
    return s.name.c_str();
}

template <class Work>
int done(const Work& work) {
    return guarded([&] { return work(), 0; }, -1);
}

}  // namespace

extern "C" {

const char* ct_last_error(void) { return last_error.c_str(); }

ct_program* ct_program_load(const char* path, const char* device, const char* device_class, uint64_t max_bytes) {
    return guarded([&]() -> ct_program* {
        ct::player::Program program = ct::player::Program::load(text(path), {text(device), text(device_class), max_bytes});
        std::vector<std::string> states = program.state_names();
        const std::size_t outputs = program.outputs().size();
        return new ct_program{std::move(program), std::move(states), std::vector<Array>(outputs), {}};
    }, static_cast<ct_program*>(nullptr));
}

void ct_program_free(ct_program* program) { delete program; }

const char* ct_program_name(ct_program* p) { return p->program.name().c_str(); }
int ct_program_input_count(ct_program* p) { return static_cast<int>(p->program.inputs().size()); }
int ct_program_output_count(ct_program* p) { return static_cast<int>(p->program.outputs().size()); }
int ct_program_state_count(ct_program* p) { return static_cast<int>(p->states.size()); }

const char* ct_program_input(ct_program* p, int k, ct_array* array) {
    return guarded([&] { return signature(p->program.inputs(), k, array); }, static_cast<const char*>(nullptr));
}
const char* ct_program_output_signature(ct_program* p, int k, ct_array* array) {
    return guarded([&] { return signature(p->program.outputs(), k, array); }, static_cast<const char*>(nullptr));
}

int ct_program_bind(ct_program* p, const ct_array* inputs, int count) {
    return done([&] {
        std::vector<Array> arrays;
        for (int k = 0; k < count; k++) arrays.push_back(array_of(inputs[k]));
        p->program.bind(arrays);
    });
}
int ct_program_enqueue(ct_program* p) {
    return done([&] { p->program.enqueue(); });
}
int ct_program_finish(ct_program* p) {
    return done([&] { p->program.finish(); });
}
int ct_program_output(ct_program* p, int k, ct_array* array) {
    return done([&] {
        signature(p->program.outputs(), k, nullptr);
        Array& kept = p->results[static_cast<std::size_t>(k)];
        kept = p->program.output(static_cast<std::size_t>(k));
        show(kept, array);
    });
}

int ct_program_number(ct_program* p, const char* path, double* value) {
    return done([&] { *value = p->program.number(text(path)); });
}
int ct_program_set_number(ct_program* p, const char* path, double value) {
    return done([&] { p->program.set_number(text(path), value); });
}

const char* ct_program_state_name(ct_program* p, int k) { return k >= 0 && static_cast<std::size_t>(k) < p->states.size() ? p->states[static_cast<std::size_t>(k)].c_str() : nullptr; }
int ct_program_state(ct_program* p, const char* name, ct_array* array) {
    return done([&] {
        p->state = p->program.state(text(name));
        show(p->state, array);
    });
}
int ct_program_set_state(ct_program* p, const char* name, const ct_array* array) {
    return done([&] { p->program.set_state(text(name), array_of(*array)); });
}
int ct_program_save_state(ct_program* p, const char* path) {
    return done([&] { p->program.save_state(text(path)); });
}

}  // extern "C"
