"""A report's content as a mail: HTML by MJML, plain text, charts as PNG (design §18)."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import mrml
from django.conf import settings
from django.template.loader import render_to_string

from performance.calc import mail_words

TITLES: Final = {
    "morning": "Before the open",
    "close": "After the close",
    "weekly": "The week",
    "monthly": "The month",
}
BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#5b6675"  # told apart by all kinds of eyes
WIDTH_IN, HEIGHT_IN, DPI = 5.6, 1.9, 160  # shown at 560 px


@dataclass(frozen=True, kw_only=True)
class Image:
    """A chart: its name (the content id), what it shows in words, and its bytes."""

    name: str
    alt: str
    png: bytes


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A mail without its recipient; the unsubscribe link is put in when it is sent."""

    subject: str
    html: str
    text: str
    images: tuple[Image, ...]


UNSUBSCRIBE: Final = "https://unsubscribe.invalid/"  # replaced for each recipient


def render(content: Mapping[str, Any]) -> Rendered:
    """Return both bodies and the charts."""
    images = tuple(_charts(content))
    context = {
        "content": content,
        "title": TITLES[content["edition"]],
        "subject": mail_words.subject(content),
        "actions": mail_words.actions(content),
        "profit": mail_words.profit(content),
        "images": images,
        "site": settings.SITE_URL,
        "simulated": content["source"] == "simulated",
        "unsubscribe": UNSUBSCRIBE,
    }
    written = mrml.to_html(render_to_string("emails/report.mjml", context))
    return Rendered(
        subject=context["subject"],
        html=written.content,
        text=render_to_string("emails/report.txt", context),
        images=images,
    )


def stored(images: Sequence[Image]) -> list[dict[str, str]]:
    """Return images as JSON holds them."""
    return [
        {"name": each.name, "alt": each.alt, "png": base64.b64encode(each.png).decode()}
        for each in images
    ]


def loaded(rows: Sequence[Mapping[str, str]]) -> list[Image]:
    """Return what :func:`stored` stored."""
    return [
        Image(name=row["name"], alt=row["alt"], png=base64.b64decode(row["png"])) for row in rows
    ]


def preview(html: str, images: Sequence[Image]) -> str:
    """Return the HTML with its images inside, for a browser."""
    for each in images:
        data = base64.b64encode(each.png).decode()
        html = html.replace(f"cid:{each.name}", f"data:image/png;base64,{data}")
    return html


def _charts(content: Mapping[str, Any]) -> list[Image]:
    found = []
    rows = content["happened"]["rows"]
    if rows:
        words = ", ".join(f"{row['symbol']} {row['return_14'] * 100:+.0f} %" for row in rows)
        found.append(
            Image(
                name="happened",
                alt=f"Returns after 14 sessions: {words}",
                png=_bars([row["symbol"] for row in rows], [row["return_14"] for row in rows]),
            )
        )
    curve = content["equity"]
    if len(curve) > 1:
        first, last = curve[0], curve[-1]
        found.append(
            Image(
                name="equity",
                alt=f"Equity from {first[1]:,.0f} USD on {first[0]} to {last[1]:,.0f} on {last[0]}",
                png=_line(curve),
            )
        )
    return found


def _bars(names: Sequence[str], values: Sequence[float]) -> bytes:
    figure, axes = _figure()
    colours = [BLUE if value >= 0 else VERMILLION for value in values]
    axes.bar(range(len(values)), [value * 100 for value in values], color=colours)
    axes.set_xticks(range(len(names)), names)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_ylabel("after 14 sessions [%]", fontsize=8)
    return _png(figure)


def _line(curve: Sequence[Sequence[Any]]) -> bytes:
    figure, axes = _figure()
    days = [date.fromisoformat(day) for day, _value in curve]
    axes.plot(days, [value for _day, value in curve], color=BLUE, linewidth=1.6)
    axes.set_ylabel("equity [USD]", fontsize=8)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    figure.autofmt_xdate(rotation=0, ha="center")
    return _png(figure)


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.tick_params(labelsize=8, colors=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
