"""Have theses written: by Claude, by the rules, by a person; one chain for all (design §9)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max, QuerySet

from analytics.calc import data_pack, falsifiers, number_check, thesis_draft, thesis_rules
from analytics.calc.number_check import Fact, Figure, Unit
from analytics.calc.thesis_draft import Draft
from analytics.clients.claude import ClaudeFailed
from analytics.errors import DomainError
from analytics.models import (
    AuthorKind,
    Candidate,
    JobRun,
    RequestOutcome,
    RequestReason,
    Thesis,
    ThesisRequest,
)
from analytics.services import (
    claude_author,
    claude_models,
    claude_prompt,
    lakes,
    thesis_chain,
    thesis_packs,
)
from analytics.services.claude_author import Clock, Sleep, Written

MACHINES: Final = (AuthorKind.RULES, AuthorKind.CLAUDE)  # in the order in which they write
RULES_AUTHOR: Final = f"rules:{thesis_rules.VERSION}"
MESSAGE_LENGTH: Final = 300


class NoSuchThesis(DomainError):
    """There is no thesis of that number."""


class NotWritten(DomainError):
    """The author gave nothing that can be issued."""


class BadDraft(DomainError):
    """A person's thesis breaks the rules; the message names the fields."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a caller knows beside the candidate; all of it as of the signal session.

    Attributes:
        portfolio: Positions and limits, plain values; see :func:`thesis_packs.get_pack`.
    """

    portfolio: Mapping[str, Any] | None = None


def get_top(*, source: str, session: date, count: int) -> list[Candidate]:
    """Return the best candidates of a session over all variants, one per symbol, best first."""
    found = (
        Candidate.objects.current()
        .filter(batch__source__in=lakes.sources_beside(source), batch__session=session)
        .select_related("batch__variant")
        .order_by("rank", "batch__variant__name", "batch__variant__version", "symbol")
    )
    best: dict[str, Candidate] = {}
    for candidate in found:
        best.setdefault(candidate.symbol, candidate)
    return list(best.values())[:count]


def get_newest_session(*, source: str) -> date | None:
    """Return the newest session that has candidates; None if there is none."""
    beside = Candidate.objects.current().filter(batch__source__in=lakes.sources_beside(source))
    newest: date | None = beside.aggregate(newest=Max("batch__session"))["newest"]
    return newest


def get_candidate(*, symbol: str, session: date, source: str) -> Candidate | None:
    """Return the candidate of a symbol and session that ranks best; None if there is none."""
    found = Candidate.objects.current().filter(
        batch__source__in=lakes.sources_beside(source),
        batch__session=session,
        symbol=symbol.strip().upper(),
    )
    return found.select_related("batch__variant").order_by("rank", "pk").first()


def get_theses(
    *,
    source: str,
    session: date | None = None,
    first: date | None = None,
    last: date | None = None,
    symbol: str = "",
    author: str = "",
    author_kind: str = "",
    candidate: int | None = None,
) -> QuerySet[Thesis]:
    """Return theses, the newest first. Arguments narrow it where they are given."""
    wanted: dict[str, Any] = {
        "session": session,
        "session__gte": first,
        "session__lte": last,
        "symbol": symbol.strip().upper() or None,
        "author": author or None,
        "author_kind": author_kind or None,
        "candidate_id": candidate,
    }
    asked = {name: value for name, value in wanted.items() if value is not None}
    of_realm = Thesis.objects.filter(source__in=lakes.sources_beside(source), **asked)
    return of_realm.select_related("calibration").newest_first()


def write_by_rules(
    *, candidate: Candidate, now: datetime, pack: Mapping[str, Any] | None = None
) -> Thesis:
    """Issue what the rules say of a candidate; what they said before is returned.

    Raises:
        NotWritten: Its range is not known, so no barriers can be set.
    """
    given = dict(pack) if pack is not None else thesis_packs.get_pack(candidate=candidate)
    try:
        draft = thesis_rules.write(given)
    except thesis_rules.NoRange as error:
        raise NotWritten(str(error)) from error
    wrong = thesis_draft.problems(draft, close=float(candidate.close))
    if wrong:
        raise NotWritten(f"{candidate.symbol}: {'; '.join(wrong)}")
    return thesis_chain.issue(
        _thesis(
            candidate,
            draft,
            given,
            now,
            author_kind=AuthorKind.RULES,
            author=RULES_AUTHOR,
            prompt_version=thesis_rules.VERSION,
        )
    )


def write(
    *,
    candidate: Candidate,
    authors: Sequence[str],
    clock: Clock,
    requested_by: User | None = None,
    job: JobRun | None = None,
    context: Context | None = None,
    sleep: Sleep = time.sleep,
) -> list[ThesisRequest]:
    """Have each author write about a candidate; return what came of it, one row each.

    The rules write first, so that their thesis can stand in where Claude gives nothing usable.

    Args:
        candidate: With its batch.
        authors: ``rules``, ``claude``.
        clock: Reads the time, aware.
        requested_by: The person; None at night.
        job: That does it, if one does.
        context: What the caller knows beside it.
        sleep: Waits, between two calls of a busy provider.
    """
    batch = candidate.batch
    titles = thesis_packs.get_titles(
        symbol=candidate.symbol, session=batch.session, source=batch.source
    )
    pack = thesis_packs.get_pack(
        candidate=candidate, titles=titles, portfolio=(context or Context()).portfolio
    )
    done = []
    for kind in (one for one in MACHINES if one in authors):
        request = ThesisRequest.objects.create(
            candidate=candidate,
            author_kind=kind,
            requested_by=requested_by,
            job=job,
            requested_at=clock(),
        )
        if kind == AuthorKind.RULES:
            _ask_rules(request, candidate, pack, clock)
        else:
            _ask_claude(request, candidate, pack, clock, sleep)
        done.append(request)
    return done


def record_by_person(*, candidate: Candidate, draft: Draft, author: User, now: datetime) -> Thesis:
    """Freeze a person's thesis about a candidate, under the same rules as the machines'.

    Raises:
        BadDraft: It breaks a rule.
    """
    wrong = thesis_draft.problems(draft, close=float(candidate.close))
    if wrong:
        raise BadDraft("; ".join(wrong))
    pack = thesis_packs.get_pack(candidate=candidate)
    return thesis_chain.issue(
        _thesis(
            candidate,
            draft,
            pack,
            now,
            author_kind=AuthorKind.PERSON,
            author=author.get_username()[:80],
            written_by=author,
        )
    )


def _ask_rules(
    request: ThesisRequest, candidate: Candidate, pack: Mapping[str, Any], clock: Clock
) -> None:
    before = _number_of_last()
    try:
        thesis = write_by_rules(candidate=candidate, now=clock(), pack=pack)
    except NotWritten as error:
        _finish(request, RequestOutcome.FAILED, clock, reason=RequestReason.NO_RANGE, why=error)
        return
    _finish(request, _outcome(thesis, before), clock, thesis=thesis)


def _ask_claude(
    request: ThesisRequest,
    candidate: Candidate,
    pack: Mapping[str, Any],
    clock: Clock,
    sleep: Sleep,
) -> None:
    author = f"claude:{settings.CLAUDE_MODEL}"[:80]
    said = Thesis.objects.filter(
        source=candidate.batch.source,
        symbol=candidate.symbol,
        session=candidate.batch.session,
        author=author,
        prompt_version=claude_prompt.VERSION,
    ).first()
    if said is not None:  # a prediction is not asked for until it pleases
        _finish(request, RequestOutcome.EXISTS, clock, thesis=said)
        return
    try:
        written = claude_author.write(
            pack=pack, close=float(candidate.close), clock=clock, request=request, sleep=sleep
        )
    except ClaudeFailed as failed:
        _stand_in(request, candidate, pack, failed, clock)
        return
    thesis = thesis_chain.issue(_by_claude(candidate, pack, written, author, clock()))
    _finish(request, RequestOutcome.WRITTEN, clock, thesis=thesis)


def _stand_in(
    request: ThesisRequest,
    candidate: Candidate,
    pack: Mapping[str, Any],
    failed: ClaudeFailed,
    clock: Clock,
) -> None:
    """Note why Claude did not write, with the rules' thesis in its place."""
    request.raw_answer = data_pack.clean(failed.raw, 20_000)
    known = failed.reason in RequestReason.values
    reason = failed.reason if known else RequestReason.SERVER_ERROR
    try:
        thesis = write_by_rules(candidate=candidate, now=clock(), pack=pack)
    except NotWritten:
        _finish(request, RequestOutcome.FAILED, clock, reason=reason, why=failed)
        return
    _finish(request, RequestOutcome.STAND_IN, clock, thesis=thesis, reason=reason, why=failed)


def _by_claude(
    candidate: Candidate, pack: Mapping[str, Any], written: Written, author: str, now: datetime
) -> Thesis:
    cutoff = claude_models.get_cutoff()
    return _thesis(
        candidate,
        written.draft,
        pack,
        now,
        author_kind=AuthorKind.CLAUDE,
        author=author,
        model_id=written.answer.model[:80],
        training_cutoff=cutoff.day,
        cutoff_basis=cutoff.basis,
        prompt_version=claude_prompt.VERSION,
        raw_answer=written.answer.text,
        stop_reason=written.answer.stop_reason[:40],
        tokens_in=written.tokens_in,
        tokens_out=written.tokens_out,
        cost_usd=written.cost_usd,
    )


def _thesis(
    candidate: Candidate, draft: Draft, pack: Mapping[str, Any], now: datetime, **who: Any
) -> Thesis:
    """Return a thesis that is not issued yet, its figures checked against the pack."""
    known = [*data_pack.facts(pack), *_own_facts(draft)]
    dates = data_pack.dates(pack)
    texts = {"text": draft.text, **{f"reasons.{n}": r for n, r in enumerate(draft.reasons)}}
    found: list[Figure] = []
    marks: list[dict[str, Any]] = []
    for where, text in texts.items():
        figures = number_check.check(text, facts=known, dates=dates)
        found += figures
        marks += number_check.marks(where, figures)
    return Thesis(
        candidate=candidate,
        symbol=candidate.symbol,
        session=candidate.batch.session,
        pattern=candidate.pattern,
        recommendation=draft.recommendation,
        entry_price=_price(draft.entry),
        target_price=_price(draft.target),
        stop_price=_price(draft.stop),
        max_entry_price=_price(draft.max_entry),
        horizon=draft.horizon,
        p_target=draft.p_target,
        p_explosive=draft.p_explosive,
        text=draft.text,
        reasons=list(draft.reasons),
        falsifiers=[str(falsifiers.parse(one)) for one in draft.falsifiers],
        unsupported=marks,
        figures=len(found),
        supported_share=number_check.share_supported(found),
        data_pack=dict(pack),
        pack_version=data_pack.VERSION,
        issued_at=now,
        source=candidate.batch.source,
        **who,
    )


def _own_facts(draft: Draft) -> list[Fact]:
    """Return what the thesis itself states in its fields: its text may repeat that."""
    prices = (draft.entry, draft.target, draft.stop, draft.max_entry)
    moves = (draft.target / draft.entry - 1, draft.stop / draft.entry - 1)
    shares = [*moves, draft.max_entry / draft.entry - 1, draft.p_target]
    if draft.p_explosive is not None:
        shares.append(draft.p_explosive)
    return [
        *(Fact(price, Unit.USD) for price in prices),
        *(Fact(share, Unit.SHARE) for share in shares),
        Fact(float(draft.horizon)),
    ]


def _price(value: float) -> Decimal:
    return round(Decimal(str(value)), thesis_draft.PLACES)


def _number_of_last() -> int:
    head = thesis_chain.get_head()
    return head.number if head else 0


def _outcome(thesis: Thesis, before: int) -> RequestOutcome:
    return RequestOutcome.WRITTEN if thesis.number > before else RequestOutcome.EXISTS


def _finish(
    request: ThesisRequest,
    outcome: RequestOutcome,
    clock: Clock,
    *,
    thesis: Thesis | None = None,
    reason: str = "",
    why: object = "",
) -> None:
    request.outcome, request.thesis, request.reason = outcome, thesis, reason
    request.message = data_pack.clean(str(why), MESSAGE_LENGTH)
    request.finished_at = clock()
    request.save(
        update_fields=["outcome", "thesis", "reason", "message", "raw_answer", "finished_at"]
    )
