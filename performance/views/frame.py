"""What every page shares: who may see it, the frame around it, the range it looks at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import user_passes_test
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRefresh

from analytics.models import Source
from analytics.services import lakes
from performance.calc.spans import DAYS, DEFAULT, WHOLE, Span

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

RANGE_KEYS = ("range", "from", "to")


@dataclass(frozen=True, kw_only=True)
class RangeLink:
    """One choice of the page's time range."""

    title: str
    url: str
    current: bool


def staff_page(view: View[P]) -> View[P]:
    """Show a page to staff; send others to the login and back."""
    guarded: View[P] = user_passes_test(_is_staff, login_url=settings.LOGIN_URL)(view)
    return never_cache(guarded)


def staff_partial(view: View[P]) -> View[P]:
    """Answer a piece of a page to staff; reload the page where the session has ended.

    A redirect would put the login form inside the card.
    """

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not _is_staff(request.user):
            return HttpResponseClientRefresh()
        return view(request, *args, **kwargs)

    answer: View[P] = guarded
    return answer


def page(
    request: HttpRequest,
    template: str,
    *,
    title: str,
    source: str,
    span: Span,
    **context: Any,
) -> HttpResponse:
    """Render a page inside the admin's frame."""
    own = {
        "title": title,
        "subtitle": None,
        "frame_has_htmx": settings.FRAME_HAS_HTMX,
        "simulated": source == Source.SIMULATED,
        "source": source,
        "span": span,
        "ranges": range_links(request, span),
        "range_hidden": _hidden(request.GET, RANGE_KEYS),
    }
    return render(request, template, {**admin.site.each_context(request), **own, **context})


def source_of_page() -> str:
    """Return whose rows pages show: real ones if there are any."""
    return lakes.get_active_source()


def asked_span(query: QueryDict) -> Span:
    """Return the range that the address asks for; the default where it makes no sense."""
    first, last = _day(query.get("from")), _day(query.get("to"))
    if first or last:
        return Span(first=first, last=last) if _in_order(first, last) else DEFAULT
    key = query.get("range", "")
    if key == WHOLE.key:
        return WHOLE
    return Span(days=int(key)) if key in {str(days) for days in DAYS} else DEFAULT


def range_links(request: HttpRequest, span: Span) -> list[RangeLink]:
    """Return the choices of the time range; each keeps the rest of the address."""
    offered = [(f"{days} d", Span(days=days)) for days in DAYS] + [("All", WHOLE)]
    return [
        RangeLink(
            title=title,
            url=address(request.GET, drop=RANGE_KEYS, range=each.key),
            current=span == each,
        )
        for title, each in offered
    ]


def address(query: QueryDict, *, drop: tuple[str, ...] = (), **changed: Any) -> str:
    """Return the query part of an address with some of it dropped or changed; page is dropped."""
    without = {*drop, *changed, "page"} if "page" not in changed else {*drop, *changed}
    kept = [(key, value) for key, values in query.lists() if key not in without for value in values]
    kept += [(key, value) for key, value in changed.items() if value not in ("", None)]
    return f"?{urlencode(kept)}"


def _hidden(query: QueryDict, without: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return what a form must carry along so that the rest of the address stays."""
    dropped = {*without, "page"}
    return [(key, v) for key, values in query.lists() if key not in dropped for v in values]


def _is_staff(user: Any) -> bool:
    return bool(user.is_active and user.is_staff)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _in_order(first: date | None, last: date | None) -> bool:
    return not (first and last and last < first)
