"""Learn a map of handwritten digits with a variational autoencoder, and draw new digits from it.

    python examples/vae.py [--help]

An encoder gives each of scikit-learn's 1797 digits (8 x 8 pixels) a small cloud in a plane, a decoder draws digits from the
points of that plane, and both learn together that the drawings resemble and the clouds fill the plane evenly (Kingma and
Welling, Auto-Encoding Variational Bayes, 2013).  Two numbers a digit hold much more of it here than with the two best straight
axes (principal components), the digits of a kind lie together although no label was told, and walking in the plane changes one
digit into another.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.distributions import Normal, kl_divergence
from cltensor.nn import functional as F
from cltensor.utils.data import DataLoader, TensorDataset

try:
    from pictures import image, tiles, write
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
except ImportError as error:
    needs(error)


def data(seed):
    """Training and test images (N, 64) with values of 0 to 1, and their labels."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = np.split(order, [len(order) // 5])
    return images[train] / 16, labels[train], images[test] / 16, labels[test]


class VAE(nn.Module):
    """Images (N, 64) -> scores of their pixels (N, 64), and the distributions in the plane (N, 2) that they went through."""

    def __init__(self, hidden=256):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, 4))
        self.decoder = nn.Sequential(nn.Linear(2, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, 64))

    def encode(self, images):
        mean, spread = self.encoder(images).chunk(2, dim=1)
        return Normal(mean, F.softplus(spread) + 1e-3)

    def decode(self, points):
        """Images with values of 0 to 1."""
        return self.decoder(points).sigmoid()

    def forward(self, images):
        cloud = self.encode(images)
        return self.decoder(cloud.rsample()), cloud


def loss_of(model, images):
    """The negative evidence lower bound an image: what the drawing costs in nats, and what telling the point costs."""
    scores, cloud = model(images)
    drawing = F.binary_cross_entropy_with_logits(scores.float(), images.float(), reduction="sum")
    telling = kl_divergence(cloud, Normal(ct.zeros_like(cloud.mean), ct.ones_like(cloud.mean))).float().sum()
    return drawing / len(images), telling / len(images)


def training_step(model, optimizer):
    """A function of images that makes one step, and returns both parts of the loss."""
    def step(images):
        drawing, telling = loss_of(model, images)
        optimizer.zero_grad()
        (drawing + telling).backward()
        optimizer.step()
        return ct.stack([drawing.detach(), telling.detach()])

    return step


def square_error(images, again):
    """The mean square error of a pixel."""
    return np.square(images - again).mean()


def picture(figure, images, again, samples, points, labels, walk):
    """Draw test images and what comes back, samples, the test images in the plane, and what the decoder draws there."""
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.9))
    top, bottom = left.subplots(2, 1)
    pairs = np.stack([images[:24].reshape(3, 8, 64), again[:24].reshape(3, 8, 64)], axis=1).reshape(48, 64)
    image(top, tiles(pairs.reshape(-1, 8, 8), 8), "test images, and below each what comes back")
    image(bottom, tiles(samples.reshape(-1, 8, 8), 10), "new digits, drawn at random points")
    clouds, drawn = right.subplots(1, 2)
    dots = clouds.scatter(*points.T, c=labels, cmap="tab10", s=10)
    clouds.legend(*dots.legend_elements(), ncols=2, fontsize=8, frameon=True, loc="lower left")
    clouds.set(title="the test images in the plane", xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    clouds.grid(False)
    drawn.imshow(tiles(walk.reshape(-1, 8, 8), 15, gap=0), cmap="gray_r", extent=(-3, 3, -3, 3))
    drawn.set(title="what the decoder draws there")
    drawn.grid(False)


def main(arguments=None):
    chosen = options("vae", "Learn a map of handwritten digits.", arguments, epochs=100)
    train, train_labels, test, labels = data(chosen.seed)
    images = ct.tensor(train, dtype=chosen.dtype)
    loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True, drop_last=True)
    model = VAE().to(chosen.device, chosen.dtype)
    optimizer = optim.Adam(model.parameters(), lr=2e-3, eps=1e-8 if chosen.dtype != ct.float16 else 1e-4)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, chosen.epochs, eta_min=1e-4)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)
    for epoch in range(1, chosen.epochs + 1):
        losses = ct.stack([step(images) for images, in loader]).mean(0)
        schedule.step()
        if epoch % max(1, chosen.epochs // 10) == 0:
            drawing, telling = losses.tolist()
            print(f"epoch {epoch:3}/{chosen.epochs}: {drawing:.2f} nats for the drawing, {telling:.2f} for the point", flush=True)

    with ct.no_grad():
        whole = ct.tensor(test, dtype=chosen.dtype)
        points = model.encode(whole).mean
        again = model.decode(points).float().numpy()
        samples = model.decode(ct.randn(60, 2, dtype=chosen.dtype)).float().numpy()
        side = ct.linspace(-2.8, 2.8, 15)
        grid = ct.stack(ct.meshgrid(-side, side, indexing="ij")[::-1], dim=2).view(-1, 2)
        walk = model.decode(grid.to(chosen.dtype)).float().numpy()
        known, points = model.encode(ct.tensor(train, dtype=chosen.dtype)).mean.float().numpy(), points.float().numpy()
    straight = PCA(2).fit(train)
    found, baseline = square_error(test, again), square_error(test, straight.inverse_transform(straight.transform(test)))
    kinds = [KNeighborsClassifier(10).fit(places, train_labels).score(asked, labels)
             for places, asked in ((known, points), (straight.transform(train), straight.transform(test)))]
    write(lambda figure: picture(figure, test, again, samples, points, labels, walk), chosen.output / "vae.png", size=(15, 5.6))
    print(f"Square error of a test pixel from two numbers a digit: {found:.4f}; by two principal components {baseline:.4f}.")
    print(f"The neighbours in the plane tell the digit in {kinds[0]:.0%} of the cases, by two components in {kinds[1]:.0%}.")
    return found / baseline


if __name__ == "__main__":
    run(main)
