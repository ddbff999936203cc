"""Devices."""

import cltensor as ct

device = ct.device("opencl")
x = ct.ones(3, device=device)
print(x.device, x.to("cpu").numpy(), ct.opencl.device_count())
ct.opencl.synchronize()
