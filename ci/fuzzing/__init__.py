"""Random programs against PyTorch: a generator, an oracle, a comparison, a shrinker, and the processes they run in."""
