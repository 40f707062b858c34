import errno

import pytest

from amc_trader.caches import Folder, Redis


def away(tmp_path, kind):
    if kind == "redis":
        return Redis("redis://127.0.0.1:9/0", {"OPTIONS": {"socket_connect_timeout": 1}})
    cache = Folder(str(tmp_path / "cache"), {})
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").touch()  # a file where its folder was
    return cache


@pytest.mark.parametrize("kind", ["redis", "folder"])
class TestCacheThatIsAway:
    def test_finds_nothing_and_fails_nobody(self, tmp_path, kind):
        cache = away(tmp_path, kind)

        cache.set("key", 1, 60)

        assert cache.get("key") is None
        assert cache.get("key", "other") == "other"


class TestFolder:
    def test_keeps_what_there_is_room_for(self, tmp_path, monkeypatch):
        cache = Folder(str(tmp_path), {})
        cache.set("key", 1, 60)

        def full(*_arguments, **_options):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("django.core.cache.backends.filebased.tempfile.mkstemp", full)
            cache.set("key", 2, 60)

        assert cache.get("key") == 1
