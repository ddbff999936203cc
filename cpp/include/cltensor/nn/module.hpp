// Module: parameters, buffers and modules by name, under Python's names.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../print.hpp"

namespace ct {

/// Tensors by name, in order.
using StateDict = std::vector<std::pair<std::string, Tensor>>;

namespace nn {

/// What layers and networks are built of.  A subclass registers what it holds with parameter(), buffer() and add().
class Module {
public:
    Module() = default;
    Module(Module&&) = default;
    Module& operator=(Module&&) = default;
    virtual ~Module() = default;

    /// What the module computes of one tensor.
    virtual Tensor forward(const Tensor&) {
        fail("forward: this module takes other arguments than one tensor; call its own forward");
    }
    Tensor operator()(const Tensor& x) { return forward(x); }

    StateDict named_parameters() const { return collected(&Module::parameters_); }

    std::vector<Tensor> parameters() const {
        std::vector<Tensor> out;
        for (const auto& [name, p] : named_parameters()) out.push_back(p);
        return out;
    }

    /// Parameters and buffers, the state that is saved.
    StateDict state_dict() const {
        StateDict out;
        collect("", out, [](const Module& m, const std::function<void(const std::pair<std::string, Tensor>&)>& take) {
            for (const auto& each : m.parameters_) take(each);
            for (const auto& each : m.buffers_) take(each);
        });
        return out;
    }

    /// Take values by name.  All names must fit, unless strict is false.
    void load_state_dict(const StateDict& state, bool strict = true) {
        const NoGrad off;
        const std::map<std::string, Tensor> given(state.begin(), state.end());
        std::map<std::string, Tensor> own;
        std::string missing, unexpected;
        for (auto& [name, to] : state_dict()) {
            own.emplace(name, to);
            if (!given.count(name))
                missing += " " + name;
            else if (given.at(name).shape() != to.shape())
                fail("load_state_dict: ", name, " has shape ", shown(to.shape()), " here and ", shown(given.at(name).shape()),
                     " in the state; build the module with the sizes it was saved with");
        }
        for (const auto& [name, from] : given)
            if (!own.count(name)) unexpected += " " + name;
        if (strict && !(missing + unexpected).empty())
            fail("load_state_dict:", missing.empty() ? "" : " missing:" + missing,
                 unexpected.empty() ? "" : " unexpected:" + unexpected, "; give strict = false to take what fits");
        for (auto& [name, to] : own)
            if (const auto found = given.find(name); found != given.end()) to.copy_(found->second);
    }

    /// Training or evaluation, for what differs between the two.
    void train(bool on = true) {
        training_ = on;
        for (auto& [name, child] : children_) child->train(on);
    }
    void eval() { train(false); }
    bool is_training() const { return training_; }

    void zero_grad() {
        for (const Tensor& p : parameters()) p.set_grad({});
    }

protected:
    /// Register a parameter: a tensor that is trained.
    Tensor parameter(const std::string& name, Tensor value) {
        parameters_.emplace_back(name, value.requires_grad_());
        return value;
    }

    /// Register a buffer: a tensor that is saved, but not trained.
    Tensor buffer(const std::string& name, const Tensor& value) {
        buffers_.emplace_back(name, value);
        return value;
    }

    /// Register a module within this one.
    template <class M>
    std::shared_ptr<M> add(const std::string& name, M module) {
        auto made = std::make_shared<M>(std::move(module));
        children_.emplace_back(name, made);
        return made;
    }

private:
    StateDict parameters_, buffers_;
    std::vector<std::pair<std::string, std::shared_ptr<Module>>> children_;
    bool training_ = true;

    StateDict collected(StateDict Module::* what) const {
        StateDict out;
        collect("", out, [what](const Module& m, const std::function<void(const std::pair<std::string, Tensor>&)>& take) {
            for (const auto& each : m.*what) take(each);
        });
        return out;
    }

    template <class Each>
    void collect(const std::string& prefix, StateDict& out, const Each& each) const {
        each(*this, [&](const std::pair<std::string, Tensor>& found) { out.emplace_back(prefix + found.first, found.second); });
        for (const auto& [name, child] : children_) child->collect(prefix + name + ".", out, each);
    }
};

/// Modules one after another, named "0", "1", ...
class Sequential : public Module {
public:
    template <class... Layers>
    explicit Sequential(Layers... layers) {
        (append(std::move(layers)), ...);
    }

    template <class M>
    Sequential& append(M layer) {
        steps_.push_back(add(std::to_string(steps_.size()), std::move(layer)));
        return *this;
    }

    Tensor forward(const Tensor& x) override {
        Tensor y = x;
        for (const auto& step : steps_) y = step->forward(y);
        return y;
    }

private:
    std::vector<std::shared_ptr<Module>> steps_;
};

}  // namespace nn
}  // namespace ct
