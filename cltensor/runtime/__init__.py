"""OpenCL: devices, queues, memory, programs.  The first use of a device loads the OpenCL library; importing this does not."""
