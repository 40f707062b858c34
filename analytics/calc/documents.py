"""Results as JSON columns hold them: who only shows one loads nothing that makes it."""

from typing import Any

Document = dict[str, Any]
