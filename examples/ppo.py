"""PPO: an actor and its critic learn to balance a pole.

    python examples/ppo.py [--help]

The environment is gymnasium's CartPole-v1, sixteen carts at once: push left or right, 50 times a second, until the pole leans too
far or 500 pushes are done.  The actor chooses; the critic foretells how many more pushes there will be, which tells what a push
was worth. Each batch of 16 x 64 pushes is used for several steps, and a push is not made much likelier or rarer than it was when
it was tried (Schulman and others, Proximal policy optimization algorithms, 2017; High-dimensional continuous control using
generalized advantage estimation, 2016).

Chance keeps the pole up for some 20 pushes.  After 60,000 pushes the actor should keep it up to the end or nearly so.
"""

import sys

import numpy as np
from commandline import needs, options, run

import cltensor as ct
from cltensor import nn, optim
from cltensor.distributions import Categorical
from cltensor.nn import functional as F

try:
    import gymnasium
    from pictures import BLUE, GREY, write
except ImportError as error:
    needs(error)

CARTS, PUSHES, LONGEST = 16, 64, 500
DISCOUNT, TRACE, CLIP, PASSES, BATCH = 0.99, 0.95, 0.2, 8, 256
REWARD = 1 - DISCOUNT  # of each push, so that values lie between 0 and 1
WINDOW = 20  # episodes that the curve is a mean of


class ActorCritic(nn.Module):
    """Scores (N, 2) of both pushes and the value (N,), from states (N, 4)."""

    def __init__(self, hidden=64):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(4, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2))
        self.critic = nn.Sequential(nn.Linear(4, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        with ct.no_grad():
            self.actor[-1].weight *= 0.1  # nearly even chances at first

    def forward(self, states):
        return self.actor(states), self.critic(states)[:, 0]


class Carts:
    """Carts that start again when their pole has fallen, and remember how long each episode was."""

    def __init__(self, seed):
        self.environment = gymnasium.make_vec("CartPole-v1", num_envs=CARTS, vectorization_mode="vector_entry_point")
        self.state, _ = self.environment.reset(seed=seed)
        self.ended, self.length, self.lengths = np.full(CARTS, False), np.zeros(CARTS, int), []

    def push(self, pushes):
        """Push all carts.  Returns (whether the push counted, whether the pole fell, whether the time was up), each (CARTS,).

        A cart whose episode has ended only starts again: its push does not count.
        """
        counted = ~self.ended
        self.state, _, fallen, time_up, _ = self.environment.step(pushes)
        self.ended = fallen | time_up
        self.length += counted
        self.lengths += list(self.length[self.ended])
        self.length[self.ended] = 0
        return counted, fallen, time_up


def advantages(values, counted, fallen, time_up):
    """How much better each push was than foretold (PUSHES, CARTS).  values: (PUSHES + 1, CARTS).

    Nothing follows a fall; what would follow when the time is up, the critic says.
    """
    found, later = np.zeros_like(values[1:]), np.zeros(CARTS, values.dtype)
    for t in reversed(range(PUSHES)):
        surprise = REWARD + DISCOUNT * values[t + 1] * ~fallen[t] - values[t]
        later = np.where(counted[t], surprise + DISCOUNT * TRACE * later * ~(fallen[t] | time_up[t]), 0)
        found[t] = later
    return found


def training_step(model, optimizer):
    """A function that makes one step on a batch of pushes."""
    def step(states, pushes, before, advantage, target):
        scores, values = model(states)
        choice = Categorical(logits=scores)
        ratio = (choice.log_prob(pushes) - before).exp()
        gain = ct.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
        loss = F.mse_loss(values, target) - gain - 0.01 * choice.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()

    return step


def collect(carts, act):
    """Push PUSHES times.  Returns arrays (PUSHES, CARTS, ...) by name, and the values (PUSHES + 1, CARTS)."""
    rows, values = [], []
    for _ in range(PUSHES):
        states = carts.state
        pushes, logarithms, value = act(states)
        rows.append((states, pushes, logarithms, *carts.push(pushes)))
        values.append(value)
    values.append(act(carts.state)[2])
    names = ("states", "pushes", "before", "counted", "fallen", "time_up")
    return dict(zip(names, map(np.array, zip(*rows, strict=True)), strict=True)), np.array(values)


@ct.no_grad()
def first_episodes(carts, choose):
    """The length of each cart's first episode (CARTS,).  choose: a function from states (CARTS, 4) to pushes (CARTS,)."""
    length, going = np.zeros(CARTS, int), np.full(CARTS, True)
    while going.any():
        length += going
        _, fallen, time_up = carts.push(choose(carts.state))
        going &= ~(fallen | time_up)
    return length


def picture(figure, history, model, chosen):
    """Draw the lengths of the episodes in the course of learning, and what the actor does where."""
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    pushes, lengths = np.array([(pushes, length) for pushes, lengths in history for length in lengths]).T
    left.scatter(pushes / 1000, lengths, s=6, color=GREY, alpha=0.5, linewidths=0, label="one episode")
    mean = [lengths[max(0, n - WINDOW) : n].mean() for n in range(1, len(lengths) + 1)]
    left.plot(pushes / 1000, mean, color=BLUE, label=f"mean of the last {WINDOW}")
    left.set(title="pushes until the pole falls", xlabel="thousand pushes", ylim=(0, LONGEST + 10))
    left.legend(loc="lower right", frameon=True)
    angle, speed = np.meshgrid(np.linspace(-12, 12, 60), np.linspace(-115, 115, 60))
    states = np.stack((0 * angle, 0 * angle, np.radians(angle), np.radians(speed)), 2).reshape(-1, 4)
    with ct.no_grad():
        chance = model(ct.tensor(states, dtype=chosen.dtype, device=chosen.device))[0].softmax(1)[:, 1]
    chance = chance.float().numpy().reshape(angle.shape)
    drawn = right.pcolormesh(angle, speed, chance, cmap="RdBu_r", vmin=0, vmax=1, shading="auto")
    figure.colorbar(drawn, ax=right, label="chance of a push to the right")
    right.set(title="what the actor does in the middle of the track", xlabel="pole's angle in degrees", ylabel="degrees a second")
    right.grid(False)


def main(arguments=None):
    chosen = options("ppo", "Balance a pole with PPO.", arguments, epochs=60)
    if chosen.dtype is ct.float16:
        sys.exit("ppo: ratios of chances need --dtype float32, float64 or bfloat16")
    model = ActorCritic().to(chosen.device, chosen.dtype)
    optimizer = optim.Adam(model.parameters(), lr=2e-3, eps=1e-5)
    schedule = optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, chosen.epochs)
    step = ct.compile(training_step(model, optimizer), disable=not chosen.compile)

    def on_device(values, dtype=chosen.dtype):
        return ct.tensor(values, dtype=dtype, device=chosen.device)

    @ct.no_grad()
    def act(states):
        scores, values = model(on_device(states))
        choice = Categorical(logits=scores)
        pushes = choice.sample()
        return pushes.numpy(), choice.log_prob(pushes).float().numpy(), values.float().numpy()

    carts, history, rng = Carts(chosen.seed), [], np.random.default_rng(chosen.seed)
    for update in range(1, chosen.epochs + 1):
        carts.lengths = []
        rows, values = collect(carts, act)
        better = advantages(values, rows["counted"], rows["fallen"], rows["time_up"])
        kept = rows["counted"]
        target = (better + values[:-1])[kept]
        better = (better[kept] - better[kept].mean()) / (better[kept].std() + 1e-6)
        batch = (on_device(rows["states"][kept]), on_device(rows["pushes"][kept], ct.int64), on_device(rows["before"][kept]),
                 on_device(better), on_device(target))
        for _ in range(PASSES):
            order = rng.permutation(len(target))
            for start in range(0, len(order) - BATCH + 1, BATCH):
                part = on_device(order[start : start + BATCH], ct.int64)
                step(*(values[part] for values in batch))
        schedule.step()
        if carts.lengths:
            history.append((update * PUSHES * CARTS, carts.lengths))
            if update % 10 == 0 or update == chosen.epochs:
                print(f"{history[-1][0]:6} pushes  the {len(carts.lengths):3} episodes that ended were "
                      f"{np.mean(carts.lengths):5.1f} pushes long", flush=True)
    length = first_episodes(Carts(chosen.seed + 1), lambda states: model(on_device(states))[0].argmax(1).numpy()).mean()
    write(lambda figure: picture(figure, history, model, chosen), chosen.output / "ppo.png")
    print(f"At first the pole stood for {np.mean(history[0][1]):.0f} pushes; now, with the likelier push each time, "
          f"for {length:.0f} of {LONGEST}.")
    return length


if __name__ == "__main__":
    run(main)
