"""transforms: changes of pictures, on Pillow images and on tensors."""
