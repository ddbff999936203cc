"""The safetensors format: its header and layout, the nesting of Python data in its metadata, and indexes of several files."""
