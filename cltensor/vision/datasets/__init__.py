"""datasets: pictures with their labels, boxes and masks, read from files as they are published."""

from ...base.errors import AbsentError as _AbsentError
from .caltech import Caltech101, Caltech256
from .celeba import CelebA
from .cifar import CIFAR10, CIFAR100
from .coco import CocoCaptions, CocoDetection
from .dtd import DTD
from .emnist import EMNIST
from .fakedata import FakeData
from .fgvc_aircraft import FGVCAircraft
from .flowers102 import Flowers102
from .folder import DatasetFolder, ImageFolder
from .food101 import Food101
from .gtsrb import GTSRB
from .imagenet import ImageNet
from .imagenette import Imagenette
from .mnist import KMNIST, MNIST, FashionMNIST
from .omniglot import Omniglot
from .oxford_iiit_pet import OxfordIIITPet
from .qmnist import QMNIST
from .semeion import SEMEION
from .sorted_folders import Country211, EuroSAT, RenderedSST2
from .stl10 import STL10
from .sun397 import SUN397
from .svhn import SVHN
from .usps import USPS
from .vision import VisionDataset
from .voc import VOCDetection, VOCSegmentation
from .wrapping import wrap_dataset_for_transforms_v2

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "DTD",
    "EMNIST",
    "GTSRB",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "SEMEION",
    "STL10",
    "SUN397",
    "SVHN",
    "USPS",
    "Caltech101",
    "Caltech256",
    "CelebA",
    "CocoCaptions",
    "CocoDetection",
    "Country211",
    "DatasetFolder",
    "EuroSAT",
    "FGVCAircraft",
    "FakeData",
    "FashionMNIST",
    "Flowers102",
    "Food101",
    "ImageFolder",
    "ImageNet",
    "Imagenette",
    "Omniglot",
    "OxfordIIITPet",
    "RenderedSST2",
    "VOCDetection",
    "VOCSegmentation",
    "VisionDataset",
    "wrap_dataset_for_transforms_v2",
]

_VIDEO = ("HMDB51", "Kinetics", "MovingMNIST", "UCF101")


def __getattr__(name):
    """Say what reads datasets of video, which are left out."""
    if name in _VIDEO:
        raise _AbsentError(f"cltensor.vision.datasets has no {name!r}: it reads pictures only; read video with PyAV, and make "
                           "tensors of its "
                           "frames with cltensor.from_numpy")
    raise AttributeError(f"module 'cltensor.vision.datasets' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
