"""OpenCL: devices, queues, memory, programs.  Importing it loads no OpenCL library; the first use of a device does."""
