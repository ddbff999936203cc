"""Selftest: small programs that check each family of kernels on a device, for trials of drivers and `cltensor doctor`."""
