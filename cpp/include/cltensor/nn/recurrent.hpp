// LSTM: a recurrent network of one or more layers, in one direction or both.
#pragma once

#include "activation.hpp"
#include "init.hpp"

namespace ct::nn {

/// What an LSTM gives: the last layer's states at each step, and all layers' last hidden and cell states.
struct LSTMResult {
    Tensor output, h, c;
};

/// input (steps, N, input_size), or (N, steps, input_size) with batch_first -> output of the same form, h and c (layers, N,
/// hidden).
///
/// Parameters weight_ih_l0 (4 * hidden, input), weight_hh_l0, bias_ih_l0, bias_hh_l0, and so on; "_reverse" for the other
/// direction.
class LSTM : public Module {
public:
    LSTM(std::int64_t input_size, std::int64_t hidden_size, std::int64_t num_layers = 1, bool bias = true, bool batch_first = false,
         double dropout = 0, bool bidirectional = false)
        : input_(input_size),
          hidden_(hidden_size),
          layers_(num_layers),
          directions_(bidirectional ? 2 : 1),
          batch_first_(batch_first),
          dropout_(dropout) {
        if (hidden_size < 1 || num_layers < 1)
            fail("LSTM: hidden_size and num_layers must be >= 1, got ", hidden_size, " and ", num_layers);
        const double bound = init::inverse_root(hidden_size);
        for (std::int64_t layer = 0; layer < num_layers; layer++) {
            for (std::int64_t d = 0; d < directions_; d++) {
                const std::string suffix = "_l" + std::to_string(layer) + (d ? "_reverse" : "");
                Cell cell;
                cell.w_ih = parameter("weight_ih" + suffix,
                                      init::within({4 * hidden_size, layer ? hidden_size * directions_ : input_size}, bound));
                cell.w_hh = parameter("weight_hh" + suffix, init::within({4 * hidden_size, hidden_size}, bound));
                if (bias) {
                    cell.b_ih = parameter("bias_ih" + suffix, init::within({4 * hidden_size}, bound));
                    cell.b_hh = parameter("bias_hh" + suffix, init::within({4 * hidden_size}, bound));
                }
                cells_.push_back(cell);
            }
        }
    }

    /// h, c: the first states, by default zeros.
    LSTMResult run(const Tensor& input, const Tensor& h = {}, const Tensor& c = {}) {
        if (input.dim() != 3 || input.size(2) != input_)
            fail("LSTM: input ", shown(input.shape()), " must have 3 dimensions, the last of size ", input_);
        Tensor x = batch_first_ ? input.transpose(0, 1) : input;
        const std::int64_t n = x.size(1), states = layers_ * directions_;
        if (!x.size(0)) fail("LSTM: input ", shown(input.shape()), " has no steps");
        for (const Tensor& first : {h, c})
            if (first.defined() && first.shape() != Shape{states, n, hidden_})
                fail("LSTM: first states must have shape ", shown({states, n, hidden_}), ", got ", shown(first.shape()));
        std::vector<Tensor> last_h, last_c;
        for (std::int64_t layer = 0; layer < layers_; layer++) {
            std::vector<Tensor> both;
            for (std::int64_t d = 0; d < directions_; d++) {
                const std::int64_t k = layer * directions_ + d;
                Tensor hidden = h.defined() ? h[k] : zeros({n, hidden_}, x.dtype()),
                       cell = c.defined() ? c[k] : zeros({n, hidden_}, x.dtype());
                both.push_back(steps(cells_[static_cast<std::size_t>(k)], x, d == 1, hidden, cell));
                last_h.push_back(hidden);
                last_c.push_back(cell);
            }
            x = both.size() > 1 ? cat(both, 2) : both[0];
            if (layer + 1 < layers_) x = ct::dropout(x, dropout_, is_training());
        }
        return {batch_first_ ? x.transpose(0, 1) : x, stack(last_h), stack(last_c)};
    }

    /// The output alone.
    Tensor forward(const Tensor& input) override { return run(input).output; }

private:
    struct Cell {
        Tensor w_ih, w_hh, b_ih, b_hh;
    };
    std::int64_t input_, hidden_, layers_, directions_;
    bool batch_first_;
    double dropout_;
    std::vector<Cell> cells_;

    static Tensor steps(const Cell& cell, const Tensor& x, bool backwards, Tensor& h, Tensor& c) {
        const Tensor shares = linear(x, cell.w_ih, cell.b_ih);  // of all steps at once
        std::vector<Tensor> outputs(static_cast<std::size_t>(x.size(0)));
        for (std::int64_t i = 0; i < x.size(0); i++) {
            const std::int64_t at = backwards ? x.size(0) - 1 - i : i;
            const std::vector<Tensor> gates = (shares[at] + linear(h, cell.w_hh, cell.b_hh)).chunk(4, 1);
            const std::vector<Tensor> made = lstm_step(gates[0], gates[1], gates[2], gates[3], c);
            h = made[0];
            c = made[1];
            outputs[static_cast<std::size_t>(at)] = h;
        }
        return stack(outputs);
    }
};

}  // namespace ct::nn
