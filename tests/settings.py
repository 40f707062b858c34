"""Settings of the tests: nothing of the machine's own data, no keys, no mail leaves.

TEST_DATABASE_URL chooses the database; SQLite in memory if it is not given.
"""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = {"AMC_DATA_DIR"}  # tests on real data ask for it
LISTED = {
    line.removeprefix("# ").partition("=")[0]
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line.startswith("# ")
}
for name in LISTED - KEPT:
    os.environ[name] = ""
os.environ["ENV_FILE"] = ""
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="amc-trader-test-")
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or "sqlite:///:memory:"
os.environ["NUMBA_CACHE_DIR"] = str(ROOT / "var" / "numba")  # compiled once, not once a run

from amc_trader.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
