// Fit a small network to a sine: tensors, autograd, modules and an optimiser in 30 lines.
#include <cltensor/cltensor.hpp>
#include <iostream>

using namespace ct;

struct Net : nn::Module {
    std::shared_ptr<nn::Linear> hidden = add("hidden", nn::Linear(1, 32));
    std::shared_ptr<nn::Linear> last = add("last", nn::Linear(32, 1));
    Tensor forward(const Tensor& x) override { return (*last)(tanh((*hidden)(x))); }
};

int main() {
    manual_seed(0);
    const Tensor x = linspace(-3, 3, 128).unsqueeze(1), y = sin(x);
    Net net;
    optim::Adam optimizer(net.parameters(), 0.02);
    nn::MSELoss loss;
    Tensor l;
    for (int step = 0; step < 400; step++) {
        l = loss(net(x), y);
        optimizer.zero_grad();
        l.backward();
        optimizer.step();
    }
    std::cout << "mean squared error " << l.item() << "\n";
    save(net.state_dict(), "sine.safetensors");  // ct.load("sine.safetensors") in Python
    std::cout << net(tensor({0, 1.5708}, Shape{2, 1})) << "\n";
}
