"""Links (`links`) and albums (`albums`). What they give away stands in the grants of `access`."""

from .links import LinkTry, ShareLink

__all__ = ["LinkTry", "ShareLink"]
