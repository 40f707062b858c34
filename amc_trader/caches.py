"""Caches that are missed, not mourned: while one is away nothing is found and nothing is kept.

What is cached can be computed again, and no request should fail for want of it. Whether the cache
answers is measured by the health probe. Requests are not counted meanwhile, so not throttled.
"""

import logging
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

AWAY = (RedisError, OSError)


class Redis(RedisCache):
    """Redis that may be away."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return what is kept; ``default`` where nothing is, or Redis is away."""
        try:
            return super().get(key, default, version)
        except AWAY as error:
            _missed(error)
            return default

    def set(self, key: Any, value: Any, *args: Any, **options: Any) -> None:
        """Keep a value, if Redis is there."""
        try:
            super().set(key, value, *args, **options)
        except AWAY as error:
            _missed(error)


class Folder(FileBasedCache):
    """A folder whose disk may be full."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return what is kept; ``default`` where nothing is, or the folder cannot be used."""
        try:
            return super().get(key, default, version)
        except AWAY as error:
            _missed(error)
            return default

    def set(self, key: Any, value: Any, *args: Any, **options: Any) -> None:
        """Keep a value, if there is room."""
        try:
            super().set(key, value, *args, **options)
        except AWAY as error:
            _missed(error)


def _missed(error: Exception) -> None:
    logger.warning("the cache is away: %s", type(error).__name__)
