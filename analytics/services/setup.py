"""First rows: what the mission claims, what detectors start with, who may do what.

Each function may be run twice. What a person has changed since is kept.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Model

from analytics.models import Baseline, ReferencePattern, Source, Variant, VariantKind

PERIOD = "June-July 2024"
ADMIN = "admin"

# The mission's claims, word for word (design §2). They are targets, never measurements.
BASELINE: Mapping[str, Any] = {
    "picks": 15,
    "winners": 11,
    "explosive": 7,
    "average_return": 1.52,
    "profit_usd": Decimal("957.50"),
    "invested_usd": Decimal("1500.00"),
    "stars": [
        {"symbol": "VIGL", "return": 3.24, "entry": 2.94, "peak": 12.46},
        {"symbol": "CRWV", "return": 1.71},
        {"symbol": "AEVA", "return": 1.62},
    ],
    "note": (
        "Stated by the owner, not reproducible from data here. The totals do not agree: "
        "$957.50 on $1,500 is +63.8 %, not +152 % for equal stakes."
    ),
}
REFERENCES: Mapping[str, Mapping[str, Any]] = {
    "VIGL": {
        "entry_price": 2.94,
        "peak_price": 12.46,
        "gain": 3.24,
        "volume_spike": 20.9,
        "sessions_to_peak": 14,
        "price_low": 2.94,
        "price_high": 4.66,
        "characteristics": ["extreme_volume", "small_float", "high_short_interest"],
        "note": "Float and short interest are not given in numbers.",
    },
    "CRWV": {"gain": 1.71, "note": "Only the gain is given."},
    "AEVA": {"gain": 1.62, "note": "Only the gain is given."},
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {  # weights of design §5; gates are the defaults (§7)
    "A": {
        "title": "original",
        "w_volume": 0.30,
        "w_momentum": 0.25,
        "w_sentiment": 0.25,
        "w_technical": 0.20,
    },
    "B": {
        "title": "squeeze-optimized",
        "w_volume": 0.40,
        "w_momentum": 0.30,
        "w_float": 0.15,
        "w_short_interest": 0.15,
    },
    "C": {  # its own gates: the base universe of §8; no weights, its fitted models rank (§17)
        "title": "learned",
        "kind": VariantKind.LEARNED,
        "min_rel_volume": 0.0,
        "max_float": 1e12,
        "min_coverage": 0.30,
    },
}

APPS = ("analytics", "performance")
PEOPLE_APPS = ("auth", "axes", "django_celery_beat", "knox")  # accounts, locks, timetable, keys
# Permissions of each group by what they do; models a release adds are picked up on the next run.
TRADERS_ADD = {
    "acknowledge_alert",
    "resolve_alert",
    "run_discovery",
    "run_backtest",
    "audit_claims",
    "change_referencepattern",
    "cancel_jobrun",
    "rerun_jobrun",
}
DATA_MANAGERS_ADD = {"sync_market_data", "accept_heldsession"}
DATA_MANAGERS_CHANGE = {
    "alertroute",
    "security",
    "correction",
    "referencepattern",
    "baseline",
    "variant",
}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What one step stored (True) or found there and kept (False), by name."""

    what: str
    rows: Mapping[str, bool]


@dataclass(frozen=True, kw_only=True)
class NewAdmin:
    """An account just made. The password exists nowhere else in clear."""

    username: str
    password: str


def store_baseline() -> Stored:
    """Store the June-July 2024 baseline as a claim (design §2)."""
    return Stored(what="Baseline", rows={PERIOD: _keep(Baseline, {"period": PERIOD}, BASELINE)})


def store_references() -> Stored:
    """Store the reference patterns; what the mission does not give stays null (design §6)."""
    rows = {
        symbol: _keep(ReferencePattern, {"symbol": symbol}, {**fields, "source": Source.CLAIMED})
        for symbol, fields in REFERENCES.items()
    }
    return Stored(what="Reference patterns", rows=rows)


def store_variants() -> Stored:
    """Store variants A, B and C, unless any version of them is there (design §5, §7, §17)."""
    rows = {}
    for name, fields in VARIANTS.items():
        rows[name] = not Variant.objects.filter(name=name).exists() and _keep(
            Variant, {"name": name, "version": 1}, fields
        )
    return Stored(what="Variants", rows=rows)


@transaction.atomic
def store_groups() -> Stored:
    """Store the groups and give them the permissions they lack; none is taken away."""
    ours = Permission.objects.filter(content_type__app_label__in=APPS)
    viewing = ours.filter(codename__startswith="view_")
    traders = viewing | ours.filter(codename__in=TRADERS_ADD)
    keeping = {f"{verb}_{model}" for verb in ("add", "change") for model in DATA_MANAGERS_CHANGE}
    keeping |= DATA_MANAGERS_ADD
    people = Permission.objects.filter(content_type__app_label__in=PEOPLE_APPS)
    grants = {
        "viewers": viewing,
        "traders": traders,
        "data managers": traders | ours.filter(codename__in=keeping),
        "administrators": ours | people,
    }
    rows = {}
    for name, permissions in grants.items():
        group, rows[name] = Group.objects.get_or_create(name=name)
        group.permissions.add(*permissions)
    return Stored(what="Groups", rows=rows)


def create_admin() -> NewAdmin | None:
    """Make the first administrator with a random password, unless there is one.

    Only the hash is stored: the answer is the one chance to read the password.
    """
    user_model = get_user_model()
    if user_model.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(15)
    user_model.objects.create_superuser(username=ADMIN, password=password)
    return NewAdmin(username=ADMIN, password=password)


def _keep(model: type[Model], key: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Return whether the row was missing and is now stored."""
    _row, created = model._default_manager.get_or_create(**key, defaults=fields)
    return created
