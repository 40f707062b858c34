"""Which browser the tests drive."""

import os
import shutil

NO_BROWSER = "needs Chromium: install it, or give its path as TEST_BROWSER"


def find_browser() -> str:
    """Return the path of the browser to drive: TEST_BROWSER, or Chromium if it is there; or ""."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return os.environ.get("TEST_BROWSER") or next(filter(None, found), "")
