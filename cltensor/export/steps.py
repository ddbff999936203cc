"""The steps of a plan, as the file has them."""


def launches(steps):
    """The launches among steps, those in branches and loops included."""
    for step in steps:
        if "kernel" in step:
            yield step
        for name in ("then", "else", "test", "do"):
            yield from launches(step.get(name, ()))
