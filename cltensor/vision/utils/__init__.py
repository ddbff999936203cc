"""utils: grids of pictures, and boxes, masks and keypoints drawn into them."""
