"""Facts every layer shares: errors, configuration, dtypes, shapes.  Imports nothing from cltensor above it."""
