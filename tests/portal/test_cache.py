"""The cache while Redis is away: each process counts by itself, and asks again after a while."""

from pathlib import Path

import pytest
import redis
from django.core.cache.backends.redis import RedisCache

from portal import cache


def test_without_redis_counts_go_on_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def away(self: RedisCache, key: str, *args: object, **how: object) -> None:
        asked.append(key)
        raise redis.ConnectionError

    monkeypatch.setitem(cache._away, "until", 0.0)
    monkeypatch.setattr(RedisCache, "add", away)
    made = cache.RedisOrMemory(f"unix://:x@{tmp_path}/none.sock", {})
    made.memory.clear()
    assert made.add("stores", 0)
    assert not made.add("stores", 0)
    assert (made.incr("stores"), made.incr("stores"), made.get("stores")) == (1, 2, 2)
    assert asked == ["stores"]
    monkeypatch.setitem(cache._away, "until", 0.0)  # the rest is over: it is asked again
    made.add("stores", 0)
    assert asked == ["stores", "stores"]


def test_a_redis_that_is_not_there_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real client, on a socket that nobody listens on."""
    monkeypatch.setitem(cache._away, "until", 0.0)
    options = {"OPTIONS": {"socket_timeout": 1}}
    made = cache.RedisOrMemory(f"unix://:x@{tmp_path}/none.sock", options)
    assert made.get_many(["nothing"]) == {}
    made.set("sum", 7)
    assert made.get("sum") == 7
