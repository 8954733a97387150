"""The cache of a site with several processes: Redis, which may be away for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """While Redis is away nothing is found and nothing is kept, so pages answer, only slower."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or(default, super().get, key, default, version)

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return _or({}, super().get_many, keys, version)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        _or(None, super().set, key, value, *args, **kwargs)

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        return _or(True, super().add, key, value, *args, **kwargs)

    def delete(self, key: Any, version: int | None = None) -> Any:
        return _or(False, super().delete, key, version)


def _or(otherwise: Any, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    except (RedisConnectionError, RedisTimeoutError) as error:
        logger.warning("Redis is away, going on without the cache: %s", error)
        return otherwise
