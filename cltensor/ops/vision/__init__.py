"""Ops of detection: pooling of regions, samples of deformable convolutions, suppression of overlapping boxes."""
