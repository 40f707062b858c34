"""Outcome rows are out of reach of analytics, also by the ways that need no import."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(p for p in (ROOT / "analytics").rglob("*.py") if "migrations" not in p.parts)
COLUMNS_TOO = {"trades"}  # also a column of bars: only its use in a query is told apart


def backward_names() -> set[str]:
    """By what names a row of analytics leads to rows of performance."""
    return {
        name
        for model in apps.get_app_config("analytics").get_models()
        for relation in model._meta.related_objects
        if relation.related_model._meta.app_label == "performance"
        for name in (relation.name, relation.get_accessor_name() or "")
        if name and not name.endswith("+")
    }


def tables() -> set[str]:
    return {model._meta.db_table for model in apps.get_app_config("performance").get_models()}


def reaches(source: str, names: set[str], forbidden_tables: set[str]) -> list[str]:
    """Return what of ``source`` follows a relation, names a table or asks for a model by name."""
    path = re.compile(rf"(^|__)({'|'.join(sorted(names))})__")

    def leaks(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in {*names, "get_model"} - COLUMNS_TOO
        if isinstance(node, ast.keyword) and node.arg not in COLUMNS_TOO:
            return bool(path.search(f"{node.arg}__"))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            return bool(path.search(text)) or any(table in text for table in forbidden_tables)
        return False

    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if leaks(node)]


class TestOutcomeRows:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
    def test_are_not_reached_from_analytics(self, path):
        assert reaches(path.read_text(), backward_names(), tables()) == []


class TestGuard:
    def test_knows_the_relations_it_guards(self):
        assert {"tracking", "analysis"} <= backward_names()
        assert "discovery_candidate_tracking" in tables()

    @pytest.mark.parametrize(
        "planted",
        [
            "candidate.tracking.return_14",
            "Candidate.objects.filter(tracking__return_14__gt=0)",
            "Candidate.objects.exclude(tracking=None)",
            "Candidate.objects.values('tracking__return_14')",
            "DiscoveryBatch.objects.filter(candidates__tracking__mfe__gt=0.5)",
            "cursor.execute('select * from discovery_candidate_tracking')",
            "apps.get_model('performance', 'CandidateTracking')",
        ],
    )
    def test_catches_a_planted_leak(self, planted):
        assert reaches(planted, backward_names(), tables())
