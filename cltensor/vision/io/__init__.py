"""io: pictures from files and bytes to tensors and back, through Pillow."""
