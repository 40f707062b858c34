"""Scripts of others lie here unchanged, with their licence and a recorded checksum."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

VENDOR = Path(__file__).resolve().parents[2] / "static" / "vendor"


@pytest.mark.parametrize("folder", sorted(VENDOR.iterdir()), ids=lambda folder: folder.name)
class TestVendored:
    def test_is_what_was_recorded(self, folder):
        recorded = dict(
            reversed(found)
            for found in re.findall(
                r"sha256 +([0-9a-f]{64}) +(\S+)", (folder / "README.md").read_text()
            )
        )
        scripts = {path.name for path in folder.glob("*.js")}

        assert scripts == set(recorded)
        for name, digest in recorded.items():
            assert sha256((folder / name).read_bytes()).hexdigest() == digest

    def test_brings_its_licence(self, folder):
        assert "Apache License" in (folder / "LICENSE").read_text()
        assert (folder / "NOTICE").read_text().strip()
