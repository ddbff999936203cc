"""Tar archives with members of any kind and name."""

import io
import tarfile


def tarred(*members, mode="w"):
    """A tar archive of (name, bytes) and of TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def special(name, kind, linkname=""):
    """A member that is no file, such as a link (tarfile.SYMTYPE, tarfile.LNKTYPE), a folder or a device."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, linkname
    return info
