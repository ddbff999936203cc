// Autograd: what is remembered of a computation, and the walk back over it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tensor.hpp"

namespace ct {

/// Where the gradient of an input goes: to a result of a node, or to a leaf; in the input's shape and dtype.
struct Edge {
    std::shared_ptr<Node> node;
    std::size_t result = 0;
    std::shared_ptr<TensorBody> leaf;
    Shape shape;
    DType dtype = DType::float32;

    bool wanted() const { return node || leaf; }
};

/// Gradients by inputs from gradients by results; undefined ones are zero.  needs: which inputs' are wanted.
using Rule = std::function<std::vector<Tensor>(const std::vector<Tensor>& gradients, const std::vector<bool>& needs)>;

/// One op that ran.
struct Node {
    std::string name;
    std::uint64_t order = 0;
    std::vector<Edge> edges;
    std::size_t results = 1;
    Rule rule;

    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    /// Nodes behind it die in a loop, not by recursion: a chain may be long.
    ~Node() {
        thread_local std::vector<std::shared_ptr<Node>>* dying = nullptr;
        std::vector<std::shared_ptr<Node>> own;
        const bool first = dying == nullptr;
        if (first) dying = &own;
        rule = nullptr;
        for (Edge& edge : edges)
            if (edge.node) dying->push_back(std::move(edge.node));
        if (!first) return;
        while (!own.empty()) {
            const std::shared_ptr<Node> next = std::move(own.back());
            own.pop_back();
        }
        dying = nullptr;
    }
};

namespace detail {

inline bool& grad_mode() {
    thread_local bool enabled = true;
    return enabled;
}

}  // namespace detail

inline bool is_grad_enabled() { return detail::grad_mode(); }

/// While one lives, nothing is remembered for gradients.
class NoGrad {
public:
    NoGrad() : before_(std::exchange(detail::grad_mode(), false)) {}
    NoGrad(const NoGrad&) = delete;
    NoGrad& operator=(const NoGrad&) = delete;
    ~NoGrad() { detail::grad_mode() = before_; }

private:
    bool before_;
};

/// A tensor that a gradient reads, as it was.
class Saved {
public:
    Saved() = default;
    explicit Saved(const Tensor& x)
        : x_(x.defined() ? detail::aliased(x, x.shape(), x.strides(), x.offset()) : x),
          version_(x.defined() ? x.body()->storage->version : 0) {}

    const Tensor& get(const std::string& call) const {
        if (x_.defined() && x_.body()->storage->version != version_)
            fail(call, ": backward needs a tensor of shape ", shown(x_.shape()), " that was written to since (it is at version ",
                 x_.body()->storage->version, ", was at ", version_, "); write after backward(), or to a clone()");
        return x_;
    }

private:
    Tensor x_;
    std::uint64_t version_ = 0;
};

/// Whether a computation over these inputs has to be remembered.
inline bool wants_history(const std::vector<Tensor>& inputs) {
    if (!is_grad_enabled()) return false;
    for (const Tensor& x : inputs)
        if (x.requires_grad()) return true;
    return false;
}

/// Remember how results were computed from inputs, for which wants_history holds.
inline void record(const std::string& name, const std::vector<Tensor>& inputs, const std::vector<Tensor>& results, Rule rule) {
    static std::atomic<std::uint64_t> order{0};
    auto node = std::make_shared<Node>();
    node->name = name;
    node->order = ++order;
    node->results = results.size();
    node->rule = std::move(rule);
    for (const Tensor& x : inputs) {
        Edge edge;
        if (x.requires_grad()) {
            edge.shape = x.shape();
            edge.dtype = x.dtype();
            edge.node = x.body()->history;
            edge.result = x.body()->result;
            if (!edge.node) edge.leaf = x.body();
        }
        node->edges.push_back(std::move(edge));
    }
    for (std::size_t i = 0; i < results.size(); i++) {
        if (!is_floating_point(results[i].dtype())) continue;
        TensorBody& body = *results[i].body();
        body.requires_grad = true;
        body.history = node;
        body.result = i;
    }
}

namespace detail {

// The engine's own arithmetic; defined with the ops that do it.
Tensor added(const Tensor& a, const Tensor& b);
Tensor summed_to(const Tensor& g, const Shape& shape);

/// A gradient in its input's shape and dtype.
inline Tensor fitted(Tensor g, const Edge& edge) {
    if (g.shape() != edge.shape) g = summed_to(g, edge.shape);
    return g.dtype() == edge.dtype ? g : g.to(edge.dtype);
}

inline void accumulate(TensorBody& leaf, const Tensor& g) {
    if (leaf.grad)
        leaf.grad = added(Tensor(leaf.grad), g).body();
    else if (g.is_contiguous() && g.body().use_count() == 1 && g.body()->storage.use_count() == 1)
        leaf.grad = g.body();
    else
        leaf.grad = g.clone().body();
}

inline void walk_back(const Tensor& root, const Tensor& seed, bool retain) {
    const NoGrad off;
    std::map<std::uint64_t, std::shared_ptr<Node>, std::greater<>> pending;
    std::unordered_map<Node*, std::vector<Tensor>> gradients;
    const auto reach = [&](const std::shared_ptr<Node>& node, std::size_t result, const Tensor& g) {
        auto& each = gradients[node.get()];
        each.resize(node->results);
        each[result] = each[result].defined() ? added(each[result], g) : g;
        pending[node->order] = node;
    };
    if (!root.body()->history) {
        accumulate(*root.body(), seed);
        return;
    }
    reach(root.body()->history, root.body()->result, seed);
    while (!pending.empty()) {
        const std::shared_ptr<Node> node = pending.begin()->second;
        pending.erase(pending.begin());
        if (!node->rule)
            fail("backward: the graph of ", node->name,
                 " was walked already, and what it saved is gone; give retain_graph = true to the "
                 "first backward");
        std::vector<bool> needs;
        for (const Edge& edge : node->edges) needs.push_back(edge.wanted());
        std::vector<Tensor> made = node->rule(gradients[node.get()], needs);
        gradients.erase(node.get());
        for (std::size_t i = 0; i < node->edges.size(); i++) {
            const Edge& edge = node->edges[i];
            if (!edge.wanted() || i >= made.size() || !made[i].defined()) continue;
            Tensor g = fitted(std::move(made[i]), edge);
            made[i] = {};
            if (edge.node)
                reach(edge.node, edge.result, g);
            else
                accumulate(*edge.leaf, g);
        }
        if (!retain) node->rule = nullptr;
    }
}

/// Throw where a write to a tensor would be lost to gradients.
inline void check_writable(const Tensor& to, const std::vector<Tensor>& from, const char* call) {
    if (!is_grad_enabled()) return;
    if (to.requires_grad())
        fail(call, ": a tensor of shape ", shown(to.shape()),
             " that requires grad is written to in place; make a ct::NoGrad first, or compute "
             "a new tensor");
    if (wants_history(from))
        fail(call, ": the write would lose the history of its source; make a ct::NoGrad first, or use ct::where or ct::cat");
}

inline void written(const Tensor& x) { x.body()->storage->version++; }

}  // namespace detail

inline Tensor& Tensor::requires_grad_(bool wanted) {
    if (wanted && !is_floating_point(dtype()))
        fail("requires_grad_: only floating tensors have gradients, this is ", dtype(), "; convert it with to()");
    if (!is_leaf() && !wanted) fail("requires_grad_: a computed tensor cannot stop requiring grad; use detach()");
    body_->requires_grad = wanted;
    return *this;
}

inline Tensor Tensor::detach() const { return detail::aliased(*this, shape(), strides(), offset()); }

inline void Tensor::backward(const Tensor& gradient, bool retain_graph) const {
    if (!requires_grad()) fail("backward: this tensor does not require grad; call requires_grad_() on what it is computed from");
    if (!gradient.defined() && numel() != 1)
        fail("backward: a tensor of shape ", shown(shape()), " has ", numel(),
             " elements; give a gradient of its shape, or reduce it to one");
    if (gradient.defined() && gradient.shape() != shape())
        fail("backward: a gradient of shape ", shown(gradient.shape()), " for a tensor of shape ", shown(shape()),
             "; the two must agree");
    detail::walk_back(*this, gradient.defined() ? gradient.detach() : ones(shape(), dtype()), retain_graph);
}

}  // namespace ct
