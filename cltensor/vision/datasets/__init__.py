"""datasets: pictures with their labels, boxes and masks, read from files as they are published."""

from .fakedata import FakeData
from .folder import DatasetFolder, ImageFolder
from .vision import StandardTransform, VisionDataset
