"""A graph network guesses how a club split: semi-supervised learning from two labels and the friendships between 34 people.

    python examples/graph_network.py [--help]

Zachary (1977) watched a karate club of 34 members for two years, wrote down who met whom outside the club, and saw it split after
a quarrel between the instructor (member 0) and the president (member 33).  The network is told the sides of these two alone, and
the 78 friendships; it says who went with whom.  Layers are those of Kipf and Welling, Semi-supervised classification with graph
convolutional networks, 2017: each member's features are averaged with those of his friends, a product with a sparse matrix.

It should be wrong about one or two of the other 32 members.  Ways shorter than to the other leader tell fewer of them.
"""

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.nn import functional as F

try:
    from pictures import BLUE, ORANGE, RED, write
except ImportError as error:
    needs(error)

# Friends of each member with a larger number.
FRIENDS = {
    0: (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31), 1: (2, 3, 7, 13, 17, 19, 21, 30), 2: (3, 7, 8, 9, 13, 27, 28, 32),
    3: (7, 12, 13), 4: (6, 10), 5: (6, 10, 16), 6: (16,), 8: (30, 32, 33), 9: (33,), 13: (33,), 14: (32, 33), 15: (32, 33),
    18: (32, 33), 19: (33,), 20: (32, 33), 22: (32, 33), 23: (25, 27, 29, 32, 33), 24: (25, 27, 31), 25: (31,), 26: (29, 33),
    27: (33,), 28: (31, 33), 29: (32, 33), 30: (32, 33), 31: (32, 33), 32: (33,)}
EDGES = np.array([(a, b) for a, others in FRIENDS.items() for b in others])
MEMBERS, LEADERS = 34, (0, 33)
WITH_INSTRUCTOR = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 16, 17, 19, 21}
SIDES = np.array([0 if member in WITH_INSTRUCTOR else 1 for member in range(MEMBERS)])


def averaging(dtype, device):
    """The sparse matrix D^-1/2 (A + I) D^-1/2 of the friendships A, with D the number of friends plus one."""
    loops = np.stack((np.arange(MEMBERS), np.arange(MEMBERS)), 1)
    places = np.concatenate((EDGES, EDGES[:, ::-1], loops)).T
    degree = np.bincount(places[0])
    return ct.sparse_coo_tensor(ct.tensor(places, device=device), ct.tensor(1 / np.sqrt(degree[places[0]] * degree[places[1]])),
                                (MEMBERS, MEMBERS), dtype=dtype, device=device).coalesce()


class GraphConvolution(nn.Module):
    """Features (members, inputs) -> (members, outputs): each member's, averaged with those of his friends."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, features, adjacency):
        return ct.sparse.mm(adjacency, self.linear(features))


class GraphNetwork(nn.Module):
    """Scores (members, 2) for features (members, inputs)."""

    def __init__(self, inputs, hidden=16):
        super().__init__()
        self.first, self.second = GraphConvolution(inputs, hidden), GraphConvolution(hidden, 2)

    def forward(self, features, adjacency):
        return self.second(self.first(features, adjacency).tanh(), adjacency)


def by_distance():
    """The side of the nearer leader, by the number of friendships in between; -1 where both are as near."""
    linked = np.zeros((MEMBERS, MEMBERS), bool)
    linked[tuple(EDGES.T)] = linked[tuple(EDGES.T[::-1])] = True
    distance = np.full((2, MEMBERS), MEMBERS)
    for side, leader in enumerate(LEADERS):
        reached = np.arange(MEMBERS) == leader
        for steps in range(MEMBERS):
            distance[side][reached] = np.minimum(distance[side][reached], steps)
            reached = reached | linked[reached].any(0)
    return np.where(distance[0] == distance[1], -1, distance.argmin(0))


def layout():
    """A place in the plane (members, 2) for each member: springs between friends, and all members repel each other."""
    places = np.random.default_rng(1).normal(size=(MEMBERS, 2))
    for step in range(600):
        apart = places[:, None] - places[None]
        squared = (apart**2).sum(2, keepdims=True) + 0.01
        move = (apart / squared).sum(1) * 0.3
        pull = apart[EDGES[:, 0], EDGES[:, 1]]
        np.add.at(move, EDGES[:, 0], -pull)
        np.add.at(move, EDGES[:, 1], pull)
        places += 0.05 * (1 - step / 600) * np.clip(move - 0.1 * places, -2, 2)
    return places


def picture(figure, losses, places, chance, guesses):
    """Draw the club with the network's guesses, the loss, and how sure the network is of each member."""
    left, right = figure.subfigures(1, 2, width_ratios=(1.5, 1))
    wrong = guesses != SIDES
    club, (top, bottom) = left.subplots(), right.subplots(2, 1, height_ratios=(1, 1.4))
    club.plot(*places[EDGES].transpose(2, 1, 0), color="#cccccc", linewidth=0.8, zorder=1)
    club.scatter(*places.T, s=[360 if m in LEADERS else 200 for m in range(MEMBERS)], c=np.array([BLUE, ORANGE])[guesses],
                 edgecolors=np.where(wrong, RED, "white"), linewidths=2, zorder=2)
    for member, place in enumerate(places):
        club.annotate(member, place, ha="center", va="center", color="white", fontsize=8, zorder=3)
    club.set(title=f"who goes with 0 and who with 33: {wrong.sum()} of {MEMBERS - 2} wrong (red rings)", xticks=(), yticks=())
    club.grid(False)
    top.plot(np.arange(len(losses)) + 1, losses, color="black")
    top.set(title="loss on the two known members", xlabel="step", yscale="log")
    order = np.argsort(chance)
    bottom.bar(range(MEMBERS), chance[order], color=[RED if wrong[m] else (BLUE, ORANGE)[SIDES[m]] for m in order])
    bottom.axhline(0.5, color="black", linewidth=1, linestyle="--")
    bottom.set(title="probability of going with 33 (colour: the truth)", ylim=(0, 1), xlabel="member")
    bottom.set_xticks(range(MEMBERS), order, fontsize=6)


def main(arguments=None):
    chosen = options("graph_network", "Guess how a karate club split.", arguments, epochs=150)
    adjacency = averaging(chosen.dtype, chosen.device)
    features = ct.eye(MEMBERS, dtype=chosen.dtype, device=chosen.device)  # nothing but who they are
    leaders, sides = ct.tensor(LEADERS, device=chosen.device), ct.tensor((0, 1), device=chosen.device)
    model = GraphNetwork(MEMBERS).to(chosen.device, chosen.dtype)
    optimizer = optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.05)

    def step():
        loss = F.cross_entropy(model(features, adjacency)[leaders], sides)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    step = ct.compile(step, disable=not chosen.compile)
    losses = [step().item() for _ in range(chosen.epochs)]
    with ct.no_grad():
        scores = model(features, adjacency)
    guesses, chance = scores.argmax(1).numpy(), scores.softmax(1)[:, 1].double().numpy()
    unknown = [m for m in range(MEMBERS) if m not in LEADERS]
    right = np.mean(guesses[unknown] == SIDES[unknown])
    nearer = np.mean(by_distance()[unknown] == SIDES[unknown])
    write(lambda figure: picture(figure, losses, layout(), chance, guesses), chosen.output / "graph_network.png", size=(12, 6))
    print(f"The network knows the sides of {LEADERS[0]} and {LEADERS[1]}, and is right about {right:.1%} of the other "
          f"{len(unknown)}; the shorter way to a leader is right about {nearer:.1%}, guessing about 50%.")
    return right


if __name__ == "__main__":
    run(main)
