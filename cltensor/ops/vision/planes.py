"""What ops that add to planes share: how many work-items own the rows of one, and the dtype of their sums."""

from ..kinds.launch import compute_dtype

ITEMS = 1024  # work-items that keep a GPU's compute unit busy


def parts_of_a_plane(device, planes, rows):
    """Among how many work-items the rows of each plane are shared."""
    if device.profile.style == "cpu":
        return 1
    return max(1, min(rows, device.profile.compute_units * ITEMS // max(planes, 1)))


def wide(t):
    """A tensor in the dtype that sums of its numbers are held in."""
    return t.to(compute_dtype(t.dtype))
