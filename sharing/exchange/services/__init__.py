"""Giving studies away by links, and letting in who has one; albums.

One module per kind of act: `giving`, `opening`, `albums`, `filling`.
"""

from .albums import (
    AlbumWanted,
    album_seen,
    albums_kept,
    albums_seen,
    albums_with,
    close_album,
    counts_in,
    make_album,
    may_end,
    may_keep,
    members_of,
    studies_in,
)
from .filling import (
    Line,
    add_member,
    add_studies,
    foresee_album,
    prolong_album,
    remove_member,
    share_again,
    start_album,
    take_out,
    who_would,
)
from .giving import (
    LinkWanted,
    Made,
    link_made,
    links_made,
    links_to,
    make_link,
    preview_link,
    revoke_link,
)
from .opening import Opening, bearer, open_link, studies_of

__all__ = [
    "AlbumWanted",
    "Line",
    "LinkWanted",
    "Made",
    "Opening",
    "add_member",
    "add_studies",
    "album_seen",
    "albums_kept",
    "albums_seen",
    "albums_with",
    "bearer",
    "close_album",
    "counts_in",
    "foresee_album",
    "link_made",
    "links_made",
    "links_to",
    "make_album",
    "make_link",
    "may_end",
    "may_keep",
    "members_of",
    "open_link",
    "preview_link",
    "prolong_album",
    "remove_member",
    "revoke_link",
    "share_again",
    "start_album",
    "studies_in",
    "studies_of",
    "take_out",
    "who_would",
]
