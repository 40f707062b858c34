"""The exit rules that are replayed: the named ones, and those that people defined (design §13)."""

from analytics.calc import exits_rules as exits
from analytics.calc.exits_rules import Rule, Target
from analytics.errors import DomainError
from analytics.models import ExitRule


class NameTaken(DomainError):
    """A rule of that name stands in the definitions already."""


def get_rules() -> list[Rule]:
    """Return the named rules, hold-to-horizon first, then the active ones of people by name."""
    return [*exits.NAMED, *(rule_of(row) for row in ExitRule.objects.active().by_name())]


def rule_of(row: ExitRule) -> Rule:
    """Return a stored rule as the exit lab takes it.

    Raises:
        NameTaken: It is called like a named rule.
        exits.BadRule: It makes no sense.
    """
    if row.name in {rule.name for rule in (*exits.NAMED, exits.THESIS)}:
        raise NameTaken(f"{row.name!r} is a named rule; give yours another name.")
    pairs = ((row.target_1, row.fraction_1), (row.target_2, row.fraction_2))
    return Rule(
        name=row.name,
        horizon=row.horizon,
        stop=row.stop,
        trail=row.trail,
        targets=tuple(
            Target(gain=gain, fraction=fraction)
            for gain, fraction in pairs
            if gain is not None and fraction is not None
        ),
        time_stop=row.time_stop,
    )


def is_used(rule: ExitRule) -> bool:
    """Return whether a report was made with it: then it is frozen."""
    return rule.pk is not None and rule.reports.exists()
