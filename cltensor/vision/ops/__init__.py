"""ops: boxes, pooling of regions, deformable convolution and losses for detection."""
