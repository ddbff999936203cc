"""Dispatch: every op's way from arguments to enqueued kernels and a recorded gradient."""
