"""REINFORCE: a network learns to balance a pole from nothing but how long it has stood.

    python examples/reinforce.py [--help]

The environment is gymnasium's CartPole-v1, sixteen carts at once.  A cart is pushed to the left or to the right 50 times a
second; an episode is over when its pole leans too far or the cart leaves the track, or after 500 pushes.  After each batch of
episodes the network is made to choose more often what was followed by more pushes than usual (Williams, Simple statistical
gradient-following algorithms for connectionist reinforcement learning, 1992).

Chance keeps the pole up for some 20 pushes.  The curve climbs, not smoothly, to several hundred.  PPO, in ppo.py, gets there
with fewer episodes.
"""

import sys

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.distributions import Categorical

try:
    import gymnasium
    from pictures import BLUE, GREY, ORANGE, write
except ImportError as error:
    needs(error)

CARTS, LONGEST, DISCOUNT = 16, 500, 0.99


def carts():
    """CARTS carts with poles, that start again by themselves."""
    return gymnasium.make_vec("CartPole-v1", num_envs=CARTS, vectorization_mode="vector_entry_point")


def policy():
    """Scores (N, 2) of both pushes, from (N, 4): the cart's place and speed, the pole's angle and speed."""
    return nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 2))


def episodes(environment, choose, seed=None):
    """Play one episode on each cart: states (T, CARTS, 4), pushes (T, CARTS), and which carts were still going (T, CARTS).

    choose: a function from states (CARTS, 4), an array, to pushes (CARTS,).
    """
    state, _ = environment.reset(seed=seed)
    going, states, pushes, alive = np.full(CARTS, True), [], [], []
    while going.any():
        push = choose(state)
        states.append(state)
        pushes.append(push)
        alive.append(going)
        state, _, fallen, too_long, _ = environment.step(push)
        going = going & ~(fallen | too_long)
    return np.array(states), np.array(pushes), np.array(alive)


def returns(alive):
    """What followed each push: the discounted sum of the rewards, which are 1 for each push, as (T, CARTS)."""
    following = np.zeros(alive.shape, np.float32)
    total = np.zeros(CARTS, np.float32)
    for t in reversed(range(len(alive))):
        total = (1 + DISCOUNT * total) * alive[t]
        following[t] = total
    return following


def picture(figure, history, states, alive):
    """Draw the lengths of the episodes in the course of learning, and the poles' angles in the last ones."""
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    mean, shortest, longest = np.array([(h.mean(), h.min(), h.max()) for h in history]).T
    steps = np.arange(1, len(history) + 1)
    left.fill_between(steps, shortest, longest, color=BLUE, alpha=0.2, linewidth=0, label=f"shortest to longest of {CARTS}")
    left.plot(steps, mean, color=BLUE, label="mean")
    left.axhline(mean[0], color=GREY, linewidth=1, linestyle="--", label="before learning")
    left.set(title="pushes until the pole falls", xlabel="update", ylim=(0, LONGEST + 10))
    left.legend(loc="upper left")
    for cart in range(CARTS):
        angle = np.degrees(states[alive[:, cart], cart, 2])
        right.plot(np.arange(len(angle)) / 50, angle, linewidth=0.8, alpha=0.8, color=BLUE if len(angle) == LONGEST else ORANGE)
    whole = int((alive.sum(0) == LONGEST).sum())
    right.axhspan(-12, 12, color=GREY, alpha=0.1)
    right.set(title=f"the poles after learning: {whole} of {CARTS} stand to the end", xlabel="seconds", ylabel="angle in degrees")


def main(arguments=None):
    chosen = options("reinforce", "Balance a pole with REINFORCE.", arguments, epochs=60)
    if chosen.dtype is ct.float16:
        sys.exit("reinforce: its sums of thousands of terms need --dtype float32, float64 or bfloat16")
    environment = carts()
    model = policy().to(chosen.device, chosen.dtype)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    schedule = optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, chosen.epochs)

    def on_device(values):
        return ct.tensor(values, dtype=chosen.dtype, device=chosen.device)

    @ct.no_grad()
    def sampled(state):
        return Categorical(logits=model(on_device(state))).sample().numpy()

    @ct.no_grad()
    def best(state):
        return model(on_device(state)).argmax(1).numpy()

    def step(states, pushes, advantage):
        optimizer.zero_grad()
        logarithms = Categorical(logits=model(states)).log_prob(pushes)
        loss = -(logarithms * advantage).mean()
        loss.backward()
        optimizer.step()

    step = ct.compile(step, disable=not chosen.compile, dynamic=True)
    history = []
    for update in range(1, chosen.epochs + 1):
        states, pushes, alive = episodes(environment, sampled, chosen.seed if update == 1 else None)
        following = returns(alive)
        usual = following.sum(1, keepdims=True) / alive.sum(1, keepdims=True)  # of the carts that got as far
        advantage = (following - usual)[alive]
        advantage /= advantage.std() + 1e-6
        step(on_device(states[alive]), ct.tensor(pushes[alive], device=chosen.device), on_device(advantage))
        schedule.step()
        history.append(alive.sum(0))
        if update % 10 == 0 or update == chosen.epochs:
            recent = np.array(history[-10:])
            print(f"update {update:3}  the last {len(recent)} batches of {CARTS} episodes: {recent.mean():5.1f} pushes", flush=True)
    states, _, alive = episodes(environment, best, chosen.seed + 1)
    environment.close()
    write(lambda figure: picture(figure, history, states, alive), chosen.output / "reinforce.png")
    length = alive.sum(0).mean()
    print(f"Before learning the pole stood for {history[0].mean():.0f} pushes; now, with the better push each time, "
          f"for {length:.0f} of {LONGEST}.")
    return length


if __name__ == "__main__":
    run(main)
