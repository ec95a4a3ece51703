"""What is counted by the minute: requests to store, and studies that were not found."""

from datetime import datetime

from django.core.cache import cache


def count_in_minute(what: str, who: str, at: datetime) -> int:
    """How often it was `who` in this minute, this time included.

    In the cache, so for all processes where that is Redis, and for each one where it is not.
    """
    key = f"{what}:{who}:{int(at.timestamp()) // 60}"
    cache.add(key, 0, timeout=120)
    try:
        return int(cache.incr(key))
    except ValueError:  # evicted in between: this minute is counted anew
        return 1
