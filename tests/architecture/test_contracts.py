"""The grid may not bend: import rules, names and sizes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("amc_trader", "analytics", "performance", "benchmarks", "tests")
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
HIDDEN_IN_CALC = ("django", "rest_framework", "celery", "httpx", "anthropic", "deltalake", "random")
CLOCKS = {"now", "today", "utcnow", "time_ns", "localdate"}


def sources(*rooms: str) -> list[Path]:
    return sorted(
        path
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts
    )


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


EVERY = sources(*ROOMS)
CALC = [path for path in EVERY if "calc" in path.parts and path.parts[-1] != "__init__.py"]
CALC = [path for path in CALC if "tests" not in path.parts]


def imported(path: Path) -> set[str]:
    """Every module that the file imports, at its head or later."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


class TestImports:
    def test_keep_every_contract(self):
        ended = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode == 0, ended.stdout + ended.stderr

    def test_are_read_from_a_tree_that_has_the_guarded_rooms(self):
        guarded = ("calc/features.py", "calc/detector.py", "calc/outcomes.py")
        missing = [name for name in guarded if not (ROOT / "analytics" / name).exists()]

        assert missing == [], "the look-ahead contract guards modules of these names"


class TestLookAheadContract:
    @pytest.fixture
    def lint(self, tmp_path):
        """Lint a copy of the calc room into which one import was planted."""

        def planted(module: str, line: str) -> subprocess.CompletedProcess[str]:
            import shutil

            for room in ("amc_trader", "analytics", "performance", "tests/architecture"):
                shutil.copytree(
                    ROOT / room,
                    tmp_path / room,
                    ignore=shutil.ignore_patterns("__pycache__"),
                )
            (tmp_path / "tests" / "__init__.py").touch()
            shutil.copy(ROOT / "pyproject.toml", tmp_path)
            file = tmp_path / module
            file.write_text(f"{file.read_text()}\n{line}\n")
            return subprocess.run(
                [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )

        return planted

    @pytest.mark.parametrize(
        ("module", "line", "broken"),
        [
            (
                "analytics/calc/features.py",
                "from analytics.calc import outcomes",
                "No line of the detector",
            ),
            (
                "analytics/services/setup.py",
                "from performance.models import CandidateTracking",
                "analytics knows nothing of",
            ),
            ("analytics/calc/sessions.py", "import django.conf", "calc knows neither"),
            (
                "analytics/models/market.py",
                "from analytics.services import setup",
                "Inside analytics",
            ),
        ],
    )
    def test_catches_a_planted_import(self, lint, module, line, broken):
        ended = lint(module, line)

        assert ended.returncode != 0
        report = " ".join(ended.stdout.split())
        assert f"{broken}" in report
        assert "BROKEN" in report


class TestCalc:
    @pytest.mark.parametrize("path", CALC, ids=named)
    def test_imports_nothing_of_the_world(self, path):
        outside = {name for name in imported(path) if name.split(".")[0] in HIDDEN_IN_CALC}

        assert outside == set()

    @pytest.mark.parametrize("path", CALC, ids=named)
    def test_reads_no_clock(self, path):
        calls = {
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }

        assert calls & CLOCKS == set()


class TestNames:
    def test_say_what_a_module_is_about(self):
        assert [named(path) for path in EVERY if path.stem in EMPTY_NAMES] == []

    def test_of_tests_mirror_the_code(self):
        rooms = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}

        assert rooms - {"__pycache__"} <= {
            "amc_trader", "analytics", "performance", "architecture", "e2e", "faults", "data",
            "benchmarks", "stubs",
        }  # fmt: skip


class TestSizes:
    def test_of_files_stay_readable(self):
        long = {named(path): len(path.read_text().splitlines()) for path in EVERY}

        assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}

    def test_of_functions_stay_readable(self):
        long = {}
        for path in EVERY:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or node.lineno) - node.lineno + 1
                    if lines > LONGEST_FUNCTION:
                        long[f"{named(path)}:{node.name}"] = lines

        assert long == {}


class TestDependencies:
    @pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
    def test_are_pinned_and_name_no_host(self, file):
        lines = [line.strip() for line in (ROOT / file).read_text().splitlines()]
        pins = [line for line in lines if line and not line.startswith(("#", "-r "))]

        assert [line for line in pins if line.count("==") != 1] == []
        assert [line for line in lines if "//" in line or line.startswith("--")] == []
