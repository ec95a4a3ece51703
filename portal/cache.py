"""Django's cache in Redis, and in each process's own memory while Redis is away.

What is kept there are counts against too many requests and sums that can be made again. Without
Redis each process counts alone, as it does where there never was one: storing, looking and signing
in go on, still counted (reliability.md, F05).
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

log = logging.getLogger(__name__)
REST = 5.0  # seconds in which a Redis that did not answer is not asked
_away = {"until": 0.0}


class RedisOrMemory(RedisCache):
    """A RedisCache whose calls never fail for want of Redis."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.memory = LocMemCache("while Redis is away", {})


def _either(name: str) -> Callable[..., Any]:
    def call(self: RedisOrMemory, *args: Any, **how: Any) -> Any:
        if time.monotonic() >= _away["until"]:
            try:
                return getattr(RedisCache, name)(self, *args, **how)
            except (redis.ConnectionError, redis.TimeoutError):
                _away["until"] = time.monotonic() + REST
                log.warning("Redis away, each process counts by itself")
        return getattr(self.memory, name)(*args, **how)

    return call


for _name in (
    "add", "get", "set", "touch", "delete", "get_many", "has_key", "incr", "set_many",
    "delete_many", "clear",
):  # fmt: skip
    setattr(RedisOrMemory, _name, _either(_name))
