"""Creating tensors, and their attributes, copies and exchange with other libraries."""
