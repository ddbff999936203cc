"""Softmax, normalisation, attention, recurrent layers, activations and losses."""
