"""Graph mode: programs captured once, then replayed without Python."""
