"""Flowers 102: photographs of flowers that are common in Britain."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

from ...base.errors import SerializationError
from .downloads import check_integrity, download_and_extract_archive, download_url
from .folder import default_loader
from .matlab import arrays_in
from .utils import verify_str_arg
from .vision import VisionDataset


class Flowers102(VisionDataset):
    """Photographs of 102 kinds of flowers.  SciPy reads the labels.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints, 0 to 101.

    Args: root, the folder in which flowers-102 holds the files; split, "train", "val" or "test"; transform and target_transform,
        functions of a picture and of a target; download, whether to get what is not there; loader, a function of a path.
    Attributes: classes.
    Raises ArgumentError for another split; MissingDataError, a RuntimeError, where the files are not there; MissingPackageError
    without SciPy; SerializationError where they are damaged; DownloadError where they cannot be fetched.
    Source: Nilsback and Zisserman, Automated Flower Classification over a Large Number of Classes (2008); as torchvision 0.29 has
    it.

    Example::

        flowers = cltensor.vision.datasets.Flowers102("data", "test", download=True)
    """

    _download_url_prefix = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
    _file_dict = {
        "image": ("102flowers.tgz", "52808999861908f626f3c1f4e79d11fa"),
        "label": ("imagelabels.mat", "e0620be6f572b9609742df49c70aed4d"),
        "setid": ("setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c"),
    }
    _splits_map = {"train": "trnid", "val": "valid", "test": "tstid"}
    classes = (
        "pink primrose; hard-leaved pocket orchid; canterbury bells; sweet pea; english marigold; tiger lily; moon orchid; "
        "bird of paradise; monkshood; globe thistle; snapdragon; colt's foot; king protea; spear thistle; yellow iris; "
        "globe-flower; purple coneflower; peruvian lily; balloon flower; giant white arum lily; fire lily; pincushion flower; "
        "fritillary; red ginger; grape hyacinth; corn poppy; prince of wales feathers; stemless gentian; artichoke; sweet "
        "william; carnation; garden phlox; love in the mist; mexican aster; alpine sea holly; ruby-lipped cattleya; cape "
        "flower; great masterwort; siam tulip; lenten rose; barbeton daisy; daffodil; sword lily; poinsettia; bolero deep "
        "blue; wallflower; marigold; buttercup; oxeye daisy; common dandelion; petunia; wild pansy; primula; sunflower; "
        "pelargonium; bishop of llandaff; gaura; geranium; orange dahlia; pink-yellow dahlia?; cautleya spicata; japanese "
        "anemone; black-eyed susan; silverbush; californian poppy; osteospermum; spring crocus; bearded iris; windflower; "
        "tree poppy; gazania; azalea; water lily; rose; thorn apple; morning glory; passion flower; lotus; toad lily; "
        "anthurium; frangipani; clematis; hibiscus; columbine; desert-rose; tree mallow; magnolia; cyclamen; watercress; "
        "canna lily; hippeastrum; bee balm; ball moss; foxglove; bougainvillea; camellia; mallow; mexican petunia; bromelia; "
        "blanket flower; trumpet creeper; blackberry lily"
    ).split("; ")

    def __init__(self, root: str | PathLike[str], split: str = "train", transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False,
                 loader: Callable[[Any], Any] = default_loader):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._split, self.loader = verify_str_arg(split, "split", self._splits_map), loader
        self._base_folder = self._folder / "flowers-102"
        self._images_folder = self._base_folder / "jpg"
        self._obtain(self._check_integrity, download, self.download)
        (ids,) = arrays_in(self._base_folder / self._file_dict["setid"][0], self._splits_map[split])
        (labels,) = arrays_in(self._base_folder / self._file_dict["label"][0], "labels")
        ids, labels = ids.ravel().tolist(), labels.ravel().tolist()
        if not all(0 < i <= len(labels) for i in ids):
            raise SerializationError(f"{self._base_folder} holds {len(labels)} labels, and pictures with other numbers; remove the "
                                     "files "
                                     "and get them again")
        self._labels = [int(labels[i - 1]) - 1 for i in ids]
        self._image_files = [self._images_folder / f"image_{i:05d}.jpg" for i in ids]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(self.loader(self._image_files[index]), self._labels[index])

    def __len__(self) -> int:
        return len(self._image_files)

    def _check_integrity(self):
        files = (self._file_dict["label"], self._file_dict["setid"])
        return self._images_folder.is_dir() and all(check_integrity(self._base_folder / name, md5) for name, md5 in files)

    def download(self) -> None:
        """Get the files and unpack them, unless they are there.  Raises DownloadError where they cannot be fetched."""
        if self._check_integrity():
            return
        name, md5 = self._file_dict["image"]
        download_and_extract_archive(f"{self._download_url_prefix}{name}", self._base_folder, md5=md5)
        for name, md5 in (self._file_dict["label"], self._file_dict["setid"]):
            download_url(f"{self._download_url_prefix}{name}", self._base_folder, md5=md5)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"split={self._split}"
