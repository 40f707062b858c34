import json
from dataclasses import dataclass
from datetime import date

import pytest

from analytics.calc.evidence import Estimate, claimed, insufficient, measured
from performance.calc import figure_json

KNOWN = measured(
    value=0.1 + 0.2, n=3, source="imported", as_of=date(2024, 6, 28), method="counted",
    bounds=(-1 / 3, 2 / 3),
)  # fmt: skip
UNKNOWN = insufficient(n=0, reason="nothing has settled", source="imported")


@dataclass(frozen=True, kw_only=True)
class Leaf:
    rate: Estimate
    sessions: int


@dataclass(frozen=True, kw_only=True)
class Tree:
    one: Leaf
    other: Leaf
    target: Estimate


@pytest.mark.parametrize(
    "figure", [KNOWN, UNKNOWN, claimed(value=85.0, n=0)], ids=lambda f: f.status
)
def test_a_figure_comes_back_as_it_was(figure):
    stored = json.loads(json.dumps(figure_json.to_json(figure)))

    assert figure_json.from_json(stored) == figure


def test_a_tree_of_figures_comes_back_as_it_was():
    tree = Tree(
        one=Leaf(rate=KNOWN, sessions=60),
        other=Leaf(rate=UNKNOWN, sessions=0),
        target=claimed(value=85.0, n=0),
    )

    stored = json.loads(json.dumps(figure_json.to_tree(tree)))

    assert figure_json.from_tree(Tree, stored) == tree


def test_a_tree_of_another_kind_is_refused():
    with pytest.raises(KeyError):
        figure_json.from_tree(Tree, figure_json.to_tree(Leaf(rate=KNOWN, sessions=1)))
