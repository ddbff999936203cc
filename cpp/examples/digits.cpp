// Train a convolutional network on handwritten digits, as examples/digits.py does in Python.
//
//     digits DIGITS.safetensors [EPOCHS] [MODEL.safetensors] [SEED]
//
// cpp/examples/digits_data.py writes the data; the model is written for Python's ct.load.
#include <cltensor/cltensor.hpp>
#include <cstdio>
#include <iostream>
#include <map>

using namespace ct;

int main(int argc, char** argv) try {
    if (argc < 2) fail("digits: give the file of the data; cpp/examples/digits_data.py writes it");
    manual_seed(argc > 4 ? std::stoull(argv[4]) : 0);
    const StateDict file = load(argv[1]);
    const std::map<std::string, Tensor> data(file.begin(), file.end());
    const int epochs = argc > 2 ? std::stoi(argv[2]) : 20;

    nn::Sequential model(nn::Conv2d(1, 16, 3, 1, 1, 1, 1, false), nn::BatchNorm2d(16), nn::ReLU(),
                         nn::Conv2d(16, 32, 3, 1, 1, 1, 1, false), nn::BatchNorm2d(32), nn::ReLU(), nn::MaxPool2d(2),
                         nn::Conv2d(32, 32, 3, 1, 1, 1, 1, false), nn::BatchNorm2d(32), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                         nn::Dropout(0.3), nn::Linear(32 * 2 * 2, 10));
    optim::AdamW optimizer(model.parameters(), 3e-3);
    optim::CosineAnnealingLR schedule(optimizer, epochs);
    DataLoader loader(TensorDataset({data.at("train.images"), data.at("train.labels")}), 64, true);

    double accuracy = 0;
    for (int epoch = 1; epoch <= epochs; epoch++) {
        Tensor sum = zeros({});
        model.train();
        for (const auto& batch : loader) {
            const Tensor loss = cross_entropy(model(batch[0]), batch[1]);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            sum += loss.detach();
        }
        schedule.step();
        model.eval();
        const NoGrad off;
        accuracy = (model(data.at("test.images")).argmax(1) == data.at("test.labels")).to(DType::float32).mean().item();
        std::printf("epoch %2d/%d  loss %.4f  test accuracy %.2f%%\n", epoch, epochs,
                    sum.item() / static_cast<double>(loader.size()), 100 * accuracy);
        std::fflush(stdout);
    }
    if (argc > 3) save(model.state_dict(), argv[3]);
    return 0;
} catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
}
