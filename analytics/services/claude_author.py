"""Have Claude write about a pack: within the budget, with one repair, every fault named."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.conf import settings

from analytics.calc import thesis_draft
from analytics.calc.thesis_draft import Draft
from analytics.clients import claude as claude_client
from analytics.clients.claude import Answer, Claude, ClaudeFailed
from analytics.models import CallPurpose, ThesisRequest
from analytics.services import claude_budget, claude_prompt
from analytics.services.claude_budget import NoPrice, OverBudget

MOST_TOKENS: Final = 4096  # of output, thinking included
MORE_TOKENS: Final = 8192  # once, for an answer that was cut off
TRIES: Final = 2  # of a call that the provider let down
LONGEST_WAIT_S: Final = 20.0
REPAIRED: Final = {"invalid", "not_json", "cut_off"}

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]
Turns = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What Claude wrote and what all calls for it took."""

    draft: Draft
    answer: Answer
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal


@dataclass(kw_only=True)
class _Bill:
    """What the calls for one thesis have taken so far."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)


def is_connected() -> bool:
    """Return whether there is a key."""
    return bool(settings.CLAUDE_API_KEY)


def connect() -> Claude:
    """Return the client as the settings describe it.

    Raises:
        ClaudeFailed: There is no key.
    """
    if not is_connected():
        raise ClaudeFailed("no_key", "CLAUDE_API_KEY is not set.")
    return Claude(
        settings.CLAUDE_API_KEY,
        model=settings.CLAUDE_MODEL,
        base_url=settings.CLAUDE_BASE_URL,
        timeout=float(settings.CLAUDE_TIMEOUT_S),
    )


def write(
    *,
    pack: Mapping[str, Any],
    close: float | None,
    clock: Clock,
    request: ThesisRequest | None = None,
    purpose: str = CallPurpose.THESIS,
    sleep: Sleep = time.sleep,
    client: Claude | None = None,
) -> Written:
    """Return what Claude says of a pack.

    An answer that cannot be used is asked for once more, with what is wrong. A provider that is
    busy is asked once more after the wait that it names, at most 20 s.

    Args:
        pack: See :mod:`data_pack`.
        close: Of the signal session, in the pack's dollars.
        clock: Reads the time, aware.
        request: What it is written for.
        purpose: One of :class:`CallPurpose`.
        sleep: Waits.
        client: A connection to be used, for many questions; one is made otherwise.

    Raises:
        ClaudeFailed: With its reason; nothing usable came.
    """
    turns: Turns = [("user", claude_prompt.user_turn(pack))]
    bill = _Bill()
    with nullcontext(client) if client else connect() as connection:
        desk = _Desk(client=connection, clock=clock, sleep=sleep, request=request, bill=bill)
        try:
            answer, draft = desk.ask(turns, purpose, MOST_TOKENS, close)
        except ClaudeFailed as failed:
            if failed.reason not in REPAIRED:
                raise
            again, room = _repair(turns, failed)
            purpose = CallPurpose.REPAIR if purpose == CallPurpose.THESIS else purpose
            answer, draft = desk.ask(again, purpose, room, close)
    return Written(
        draft=draft,
        answer=answer,
        tokens_in=bill.tokens_in,
        tokens_out=bill.tokens_out,
        cost_usd=bill.cost_usd,
    )


def _repair(turns: Turns, failed: ClaudeFailed) -> tuple[Turns, int]:
    """Return the question for the second and last attempt, and its room for an answer."""
    if failed.reason == "cut_off" or not failed.raw.strip():
        return turns, MORE_TOKENS
    mended = [("assistant", failed.raw), ("user", claude_prompt.repair_turn(str(failed)))]
    return [*turns, *mended], MOST_TOKENS


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """One thesis being asked for: every call is reserved before, and settled after."""

    client: Claude
    clock: Clock
    sleep: Sleep
    request: ThesisRequest | None
    bill: _Bill

    def ask(
        self, turns: Turns, purpose: str, room: int, close: float | None
    ) -> tuple[Answer, Draft]:
        for left in reversed(range(TRIES)):
            try:
                answer = self._call(turns, purpose, room)
                break
            except ClaudeFailed as failed:
                wait = failed.retry_after if failed.retry_after is not None else 2.0
                if not failed.again or not left or wait > LONGEST_WAIT_S:
                    raise
                self.sleep(wait)
        draft = claude_client.read(answer)
        wrong = thesis_draft.problems(draft, close=close)
        if wrong:
            raise ClaudeFailed(
                "invalid",
                "; ".join(wrong),
                usage=answer.usage,
                raw=answer.text,
                provider_id=answer.provider_id,
            )
        return answer, draft

    def _call(self, turns: Turns, purpose: str, room: int) -> Answer:
        """Make one call; its part of the budget is taken before and put right after."""
        try:
            call = claude_budget.reserve(
                model=self.client.model,
                tokens_in=claude_client.most_tokens_in(claude_prompt.SYSTEM, turns),
                tokens_out=room,
                purpose=purpose,
                request=self.request,
                now=self.clock(),
            )
        except OverBudget as error:
            raise ClaudeFailed("over_budget", str(error)) from error
        except NoPrice as error:
            raise ClaudeFailed("no_price", str(error)) from error
        try:
            answer = self.client.ask(system=claude_prompt.SYSTEM, turns=turns, most_tokens=room)
        except ClaudeFailed as failed:
            end = claude_budget.keep if failed.unknown else claude_budget.release
            end(
                call=call,
                ended_as=failed.reason,
                provider_id=failed.provider_id,
                now=self.clock(),
            )
            raise
        cost = claude_budget.settle(
            call=call,
            usage=answer.usage,
            ended_as=answer.stop_reason[:40],
            provider_id=answer.provider_id,
            now=self.clock(),
        )
        used = answer.usage
        self.bill.tokens_in += used.tokens_in + used.cache_write + used.cache_read
        self.bill.tokens_out += used.tokens_out
        self.bill.cost_usd += cost
        return answer
