"""Links (`links`) and albums (`albums`). What they give away stands in the grants of `access`."""

from .albums import Album, AlbumGrant, AlbumMember, AlbumQuerySet, AlbumStudy
from .links import LinkTry, ShareLink

__all__ = [
    "Album",
    "AlbumGrant",
    "AlbumMember",
    "AlbumQuerySet",
    "AlbumStudy",
    "LinkTry",
    "ShareLink",
]
