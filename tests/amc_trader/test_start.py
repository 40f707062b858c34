"""Starting with a wrong value: one sentence, the variable's name, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WRONG = {
    "DATABASE_URL": "mysql://user:hunter2@host/name",
    "REDIS_URL": "http://host",
    "DEBUG": "perhaps",
    "SECRET_KEY": "short",
    "SITE_URL": "example.com",
    "LAKE_URL": "ftp://host/lake",
    "AMC_DATA_DIR": "/no/such/directory",
    "VAR_DIR": "/proc/nothing/here",
    "EMAIL_URL": "pigeon://loft",
    "POLYGON_BASE_URL": "nonsense",
    "CLAUDE_DAILY_USD": "much",
    "ROADMAP_START": "next week",
    "LOG_LEVEL": "LOUD",
}


def start(tmp_path, *command: str, **values: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "ENV_FILE": "", "VAR_DIR": str(tmp_path), **values},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestStart:
    @pytest.mark.parametrize("name", WRONG)
    def test_stops_with_one_sentence_that_names_the_variable(self, name, tmp_path):
        ended = start(tmp_path, "manage.py", "check", **{name: WRONG[name]})

        assert ended.returncode == 1
        assert ended.stdout == ""
        assert ended.stderr.startswith(f"{name} ")
        assert ended.stderr.count("\n") == 1
        assert "hunter2" not in ended.stderr

    @pytest.mark.parametrize("module", ["wsgi", "asgi", "celery"])
    def test_stops_every_way_of_serving(self, module, tmp_path):
        ended = start(tmp_path, "-c", f"import amc_trader.{module}", DEBUG="perhaps")

        assert ended.returncode == 1
        assert ended.stderr.startswith("DEBUG ")
        assert ended.stderr.count("\n") == 1

    def test_repeats_results_bit_for_bit_with_polars(self, tmp_path):
        ended = start(
            tmp_path, "-c", "import amc_trader, os; print(os.environ['POLARS_ENGINE_AFFINITY'])"
        )

        assert ended.stdout == "in-memory\n"


def defaults() -> dict[str, str]:
    """Variable and value as `.env.example` gives them, with the # taken off."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [line.removeprefix("# ").partition("=") for line in lines if line.startswith("# ")]
    return {name: value for name, _equals, value in pairs}


class TestEnvFile:
    def test_is_read_but_the_environment_wins(self, tmp_path):
        file = tmp_path / "some.env"
        file.write_text("WEB_PORT=8111\nWEB_THREADS=3\n")
        code = "from amc_trader import settings as s; print(s.WEB_PORT, s.WEB_THREADS)"

        ended = start(tmp_path, "-c", code, ENV_FILE=str(file), WEB_THREADS="5")

        assert ended.stdout == "8111 5\n", ended.stderr


class TestEnvExample:
    def test_starts_with_every_value_as_it_stands(self, tmp_path):
        values = {**defaults(), "VAR_DIR": str(tmp_path)}

        ended = start(tmp_path, "manage.py", "check", **values)

        assert ended.returncode == 0, ended.stderr

    def test_gives_the_defaults(self, tmp_path):
        code = (
            "from amc_trader import settings as s;"
            "print({n: v for n, v in sorted(vars(s).items()) if n.isupper() and n != 'SECRET_KEY'})"
        )
        values = {**defaults(), "VAR_DIR": str(tmp_path)}

        assert start(tmp_path, "-c", code, **values).stdout == start(tmp_path, "-c", code).stdout

    def test_lists_every_variable_that_is_read(self):
        read = set()
        for line in (ROOT / "amc_trader" / "settings.py").read_text().splitlines():
            before, found, after = line.partition('("')
            if found and before.rsplit("env.", 1)[-1].isidentifier() and "env." in before:
                read.add(after.partition('"')[0])
        listed = set(defaults())

        assert len(read) > 10
        assert read <= listed


class TestWebProcess:
    def test_loads_no_kernels_and_no_calendar(self, tmp_path):
        heavy = ("numba", "scipy", "pandas", "exchange_calendars", "statsmodels", "duckdb")
        code = (
            "import sys, amc_trader.wsgi; from django.urls import get_resolver;"
            f"get_resolver().url_patterns; print([m for m in {heavy} if m in sys.modules])"
        )

        ended = start(tmp_path, "-c", code)

        assert ended.stdout == "[]\n", ended.stderr
