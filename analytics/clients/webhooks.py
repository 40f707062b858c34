"""Posting JSON to where somebody wants to be told: their webhook, Slack, Telegram.

An address is a secret here (who has it can post), so no message of ours repeats one.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from analytics.clients import answers
from analytics.errors import BadAnswer, Unavailable

TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
TELEGRAM_LENGTH: Final = 4096  # characters of one message


def post(*, url: str, body: Mapping[str, Any], key: str, hidden: str = "") -> httpx.Response:
    """Post ``body`` once; redirects are not followed.

    Args:
        url: Where to.
        body: Sent as JSON.
        key: The same for every try of one message, in the header ``Idempotency-Key``.
        hidden: A secret in the address, besides the address itself.

    Raises:
        Unavailable: No answer, 408, 425, 429 (with ``retry_after``) or 5xx: may work later.
        BadAnswer: Any other refusal, or an address that is none.
    """
    try:
        response = httpx.post(
            url,
            json=dict(body),
            headers={"Idempotency-Key": key},
            timeout=TIMEOUT,
            follow_redirects=False,
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise BadAnswer("webhook: the address is no http(s) URL") from error
    except httpx.RequestError as error:
        raise Unavailable(f"webhook: {type(error).__name__}") from None
    answers.judge(response, "webhook", refusal=answers.no_opinion, hidden=[url, hidden])
    return response


def telegram(*, base_url: str, token: str, chat: str, text: str, key: str) -> None:
    """Have a Telegram bot say ``text`` in ``chat``. Raises as :func:`post` does."""
    post(
        url=f"{base_url}/bot{token}/sendMessage",
        body={"chat_id": chat, "text": text[:TELEGRAM_LENGTH]},
        key=key,
        hidden=token,
    )


def slack_text(text: str) -> str:
    """Return ``text`` with the three characters that mean something to Slack escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
