"""Settings of processes that tests start and kill: a real database file, made in one step."""

from amc_trader.settings import *  # noqa: F403

MIGRATION_MODULES = {"analytics": None, "performance": None}
