"""Optimiser updates."""
