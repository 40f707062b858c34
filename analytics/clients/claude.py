"""Claude: one question, one answer in a strict schema, every fault with a name.

Asks with ``messages.create`` and a JSON schema, so that the usage of an unusable answer is kept.
Blocks are picked by type: a thinking block may come first. The SDK retries nothing here; who calls
decides.

Source: the provider's documentation, as summarised in the project's notes on interfaces.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

import anthropic
import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from analytics.calc.thesis_draft import LONGEST_HORIZON, Draft
from analytics.errors import UpstreamError

CONNECT_S: Final = 5.0
OVERHEAD: Final = 600  # tokens that the API adds: roles, format, grammar
EFFORT: Final = "low"


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens as billed: new input, output, written to cache, read from cache."""

    tokens_in: int
    tokens_out: int
    cache_write: int = 0
    cache_read: int = 0


class ClaudeFailed(UpstreamError):
    """No usable answer.

    Args:
        reason: One of ``models.RequestReason``.
        message: In a sentence.
        usage: What was billed; None if nothing was, or if that is not known.
        unknown: Whether the call may have been billed all the same.
        again: Whether the same question may succeed soon.
        retry_after: Seconds that we were asked to wait.
        raw: The text that could not be used.
        provider_id: Request id of the provider.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        usage: Usage | None = None,
        unknown: bool = False,
        again: bool = False,
        retry_after: float | None = None,
        raw: str = "",
        provider_id: str = "",
    ) -> None:
        super().__init__(message)
        self.reason, self.usage, self.unknown, self.again = reason, usage, unknown, again
        self.retry_after, self.raw, self.provider_id = retry_after, raw, provider_id


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: text as it is, why it ended, what was billed."""

    text: str
    stop_reason: str
    model: str
    usage: Usage
    provider_id: str
    refusal: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """Where a model is in its life, as the provider says."""

    model: str
    lifecycle: str
    released_at: datetime | None
    retires_at: datetime | None


class ThesisOut(BaseModel):
    """The schema of an answer. What the grammar cannot force is checked afterwards."""

    model_config = ConfigDict(extra="forbid")

    recommendation: Literal["BUY", "HOLD", "TRIM", "LIQUIDATE", "AVOID"]
    entry_price: float = Field(gt=0)
    target_price: float = Field(gt=0)
    stop_price: float = Field(ge=0)
    max_entry_price: float = Field(gt=0)
    horizon_sessions: int = Field(ge=1, le=LONGEST_HORIZON)
    p_target: float = Field(ge=0, le=1)
    p_explosive: float = Field(ge=0, le=1)
    text: str
    reasons: list[str]
    falsifiers: list[str]

    @field_validator("recommendation", mode="before")
    @classmethod
    def in_capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


class Claude:
    """A connection to the Messages API. Close it, or use it in ``with``.

    Args:
        key: API key.
        model: Id of the model.
        base_url: Of the API.
        timeout: Seconds that an answer may take.
    """

    def __init__(self, key: str, *, model: str, base_url: str, timeout: float) -> None:
        self.model = model
        self._client = anthropic.Anthropic(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=httpx2.Timeout(timeout, connect=CONNECT_S),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def ask(self, *, system: str, turns: Sequence[tuple[str, str]], most_tokens: int) -> Answer:
        """Ask for a thesis; ``system`` is cached by the provider.

        Args:
            system: Stable prefix.
            turns: ``user`` and ``assistant`` with their texts; the last is the user's.
            most_tokens: Of output, thinking included.

        Raises:
            ClaudeFailed: No answer. A refusal and a cut answer are answers: see :func:`read`.
        """
        try:
            raw = self._client.messages.with_raw_response.create(
                model=self.model,
                max_tokens=most_tokens,
                system=[{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
                messages=[_turn(role, text) for role, text in turns],
                output_config={
                    "effort": EFFORT,
                    "format": {"type": "json_schema", "schema": schema()},
                },
            )
        except anthropic.AnthropicError as error:
            raise _failure(error) from error
        return _answer(raw.text(), raw.headers.get("request-id") or "")

    def get_state(self) -> ModelState | None:
        """Return where the model is in its life; None if the provider does not list it.

        Raises:
            ClaudeFailed: No answer.
        """
        try:
            for found in self._client.models.list(limit=100):
                if found.id == self.model:
                    return ModelState(
                        model=found.id,
                        lifecycle=str(found.lifecycle or "active"),
                        released_at=found.created_at,
                        retires_at=found.retires_at,
                    )
        except anthropic.AnthropicError as error:
            raise _failure(error) from error
        except (ValueError, AttributeError, TypeError) as error:
            raise ClaudeFailed("not_json", "The list of models cannot be read.") from error
        return None


def _turn(role: str, text: str) -> anthropic.types.MessageParam:
    if role == "assistant":
        return {"role": "assistant", "content": text}
    return {"role": "user", "content": text}


def schema() -> dict[str, Any]:
    """Return the JSON schema that the provider takes."""
    return anthropic.transform_schema(ThesisOut)


def most_tokens_in(system: str, turns: Sequence[tuple[str, str]]) -> int:
    """Return an upper bound of the input tokens: one per byte, and what the API adds."""
    texts = [system, json.dumps(schema()), *(text for _role, text in turns)]
    return sum(len(text.encode()) for text in texts) + OVERHEAD


def read(answer: Answer) -> Draft:
    """Return the thesis that an answer states.

    Raises:
        ClaudeFailed: It refuses, was cut off, is no JSON, or breaks the schema.
    """
    if answer.stop_reason == "refusal":
        said = answer.refusal or "without a reason"
        raise _unusable("refusal", f"Claude refused to answer: {said}", answer)
    if answer.stop_reason in {"max_tokens", "model_context_window_exceeded"}:
        raise _unusable("cut_off", f"The answer was cut off ({answer.stop_reason}).", answer)
    try:
        found = ThesisOut.model_validate_json(answer.text)
    except ValidationError as error:
        raise _invalid(error, answer) from error
    return Draft(
        recommendation=found.recommendation,
        entry=found.entry_price,
        target=found.target_price,
        stop=found.stop_price,
        max_entry=found.max_entry_price,
        horizon=found.horizon_sessions,
        p_target=found.p_target,
        p_explosive=found.p_explosive,
        text=found.text,
        reasons=found.reasons,
        falsifiers=found.falsifiers,
    )


def _invalid(error: ValidationError, answer: Answer) -> ClaudeFailed:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    if any(fault["type"] == "json_invalid" for fault in faults):
        return _unusable("not_json", "The answer is no JSON.", answer)
    told = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
    return _unusable("invalid", told, answer)


def _unusable(reason: str, message: str, answer: Answer) -> ClaudeFailed:
    return ClaudeFailed(
        reason, message, usage=answer.usage, raw=answer.text, provider_id=answer.provider_id
    )


def _answer(body: str, provider_id: str) -> Answer:
    """Return what the body of a reply states.

    Raises:
        ClaudeFailed: It is no message of the API; whether it was billed is not known.
    """
    try:
        said = json.loads(body)
        used = said["usage"]
        return Answer(
            text="".join(b["text"] for b in said["content"] if b["type"] == "text"),
            stop_reason=str(said["stop_reason"] or ""),
            model=str(said["model"]),
            usage=Usage(
                tokens_in=int(used["input_tokens"]),
                tokens_out=int(used["output_tokens"]),
                cache_write=int(used.get("cache_creation_input_tokens") or 0),
                cache_read=int(used.get("cache_read_input_tokens") or 0),
            ),
            provider_id=provider_id[:80],
            refusal=str((said.get("stop_details") or {}).get("explanation") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClaudeFailed(
            "not_json", "The reply is no message of the API.", unknown=True, raw=body[:2000]
        ) from error


_STATUSES: Final = {
    400: ("bad_request", "The request was not accepted"),
    401: ("unauthorized", "The key was not accepted"),
    402: ("billing", "Billing"),
    403: ("forbidden", "The key may not do this"),
    404: ("model_gone", "The model was not found; it may be retired"),
    413: ("bad_request", "The request is too large"),
    529: ("overloaded", "Claude is overloaded"),
}


def _failure(error: anthropic.AnthropicError) -> ClaudeFailed:
    if isinstance(error, anthropic.APITimeoutError):
        never_sent = isinstance(error.__cause__, httpx2.ConnectTimeout)
        return ClaudeFailed("timed_out", "No answer in time.", unknown=not never_sent, again=True)
    if isinstance(error, anthropic.APIStatusError):
        return _refused(error)
    if not isinstance(error, anthropic.APIConnectionError):
        return ClaudeFailed("bad_request", f"{type(error).__name__}: {error}"[:200], unknown=True)
    never_sent = isinstance(error.__cause__, httpx2.ConnectError)
    return ClaudeFailed(
        "unreachable", f"Not reachable: {error.__cause__!r}", unknown=not never_sent, again=True
    )


def _refused(error: anthropic.APIStatusError) -> ClaudeFailed:
    status, told = error.status_code, " ".join(str(error.message).split())[:200]
    provider_id = (error.request_id or "")[:80]
    if status == 429:
        wait = _seconds(error.response.headers.get("retry-after"))
        if wait is None:  # the provider's way of saying so
            reason, said = "monthly_cap", "The account's spending cap is reached"
        else:
            reason, said = "rate_limited", "Too many requests"
        return ClaudeFailed(
            reason,
            f"{said}: {told}",
            again=wait is not None,
            retry_after=wait,
            provider_id=provider_id,
        )
    reason, said = _STATUSES.get(
        status, ("server_error", "Server error") if status >= 500 else _STATUSES[400]
    )
    return ClaudeFailed(
        reason, f"{said} ({status}): {told}", again=status >= 500, provider_id=provider_id
    )


def _seconds(header: str | None) -> float | None:
    with suppress(ValueError, TypeError):
        return max(float(header), 0.0)  # type: ignore[arg-type]  # None is caught
    return None
