"""Dispatch: what every op passes through, from arguments to enqueued kernels and a recorded gradient."""
