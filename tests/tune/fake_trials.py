"""Stands for cltensor.cli.tune.trial in a child process: MR=8 crashes, KC=128 hangs, COPY=True is wrong, MR=4 is fast."""

import os
import time


def run(item):
    values = item["values"]
    if values["MR"] == 8:
        os.abort()
    if values["KC"] == 128:
        time.sleep(600)
    if values["COPY"]:
        raise ArithmeticError("the result differs")
    return {"default_seconds": 1.0, "seconds": 0.5 if values["MR"] == 4 else 1.0}
