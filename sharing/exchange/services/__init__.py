"""Giving studies away by links, and letting in who has one; albums.

One module per kind of act: `giving`, `opening`, `albums`.
"""

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
    "LinkWanted",
    "Made",
    "Opening",
    "bearer",
    "link_made",
    "links_made",
    "links_to",
    "make_link",
    "open_link",
    "preview_link",
    "revoke_link",
    "studies_of",
]
