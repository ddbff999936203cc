"""Archived: datasets whose files lie in one published archive."""

from __future__ import annotations

import os

from .downloads import check_integrity, download_and_extract_archive
from .vision import VisionDataset


class Archived(VisionDataset):
    """A dataset of one archive.

    Subclasses name its url, filename and tgz_md5, the base_folder in it, and in train_list and test_list [file there, its MD5 sum].
    """

    def _path(self, name):
        return os.path.join(self.root, self.base_folder, name)

    def _check_integrity(self):
        return all(check_integrity(self._path(name), md5) for name, md5 in self.train_list + self.test_list)

    def download(self) -> None:
        """Get the archive and unpack it, unless the files are there.  Raises DownloadError where it cannot be fetched."""
        if not self._check_integrity():
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.tgz_md5)
