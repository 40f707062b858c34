"""The session and the instant that rows of tests are of unless they say otherwise."""

from datetime import UTC, date, datetime

SESSION = date(2024, 6, 28)
NOW = datetime(2024, 6, 28, 22, 0, tzinfo=UTC)
