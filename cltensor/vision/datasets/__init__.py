"""datasets: pictures with their labels, boxes and masks, read from files as they are published."""

from .caltech import Caltech101, Caltech256
from .celeba import CelebA
from .cifar import CIFAR10, CIFAR100
from .coco import CocoCaptions, CocoDetection
from .dtd import DTD
from .emnist import EMNIST
from .fakedata import FakeData
from .flowers102 import Flowers102
from .folder import DatasetFolder, ImageFolder
from .food101 import Food101
from .gtsrb import GTSRB
from .imagenet import ImageNet
from .mnist import KMNIST, MNIST, FashionMNIST
from .omniglot import Omniglot
from .oxford_iiit_pet import OxfordIIITPet
from .qmnist import QMNIST
from .semeion import SEMEION
from .stl10 import STL10
from .svhn import SVHN
from .usps import USPS
from .vision import VisionDataset
from .voc import VOCDetection, VOCSegmentation
from .wrapping import wrap_dataset_for_transforms_v2

__all__ = ["CIFAR10", "CIFAR100", "DTD", "EMNIST", "GTSRB", "KMNIST", "MNIST", "QMNIST", "SEMEION", "STL10", "SVHN", "USPS",
           "Caltech101", "Caltech256", "CelebA", "CocoCaptions", "CocoDetection", "DatasetFolder", "FakeData", "FashionMNIST",
           "Flowers102", "Food101", "ImageFolder", "ImageNet", "Omniglot", "OxfordIIITPet", "VOCDetection", "VOCSegmentation",
           "VisionDataset", "wrap_dataset_for_transforms_v2"]
