"""The report on paper: PDF with vector charts, the same bytes for the same report (design §12)."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.shapes import Drawing, Line, PolyLine, String
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from performance.calc import report
from performance.calc.report import Chart, Report, Section

MARGIN = 16 * mm
WIDTH = A4[0] - 2 * MARGIN
CHART_HEIGHT = 90.0
LONGEST = 600  # characters of a cell
INK, MUTED, RULE = (
    colors.HexColor("#1b2430"),
    colors.HexColor("#556070"),
    colors.HexColor("#c3cad3"),
)
ACCENT, WARN = colors.HexColor("#0072b2"), colors.HexColor("#8a4b00")
HEAD = {True: "unit", False: "small"}  # of a column, by whether it holds figures only
CELL = {True: "figure", False: "cell"}
FONT, BOLD = "Helvetica", "Helvetica-Bold"


def _styles() -> dict[str, ParagraphStyle]:
    base = getSampleStyleSheet()["Normal"]
    return {
        name: ParagraphStyle(name, parent=base, textColor=colour, **look)
        for name, colour, look in (
            ("title", INK, {"fontName": BOLD, "fontSize": 18, "leading": 22}),
            ("about", MUTED, {"fontSize": 9, "leading": 12}),
            ("banner", WARN, {"fontName": BOLD, "fontSize": 10, "leading": 14}),
            ("head", INK, {"fontName": BOLD, "fontSize": 12, "leading": 16, "spaceBefore": 10}),
            ("text", INK, {"fontSize": 9, "leading": 12}),
            ("cell", INK, {"fontSize": 8, "leading": 10}),
            ("bold", INK, {"fontName": BOLD, "fontSize": 8, "leading": 10}),
            ("small", MUTED, {"fontSize": 7, "leading": 9}),
            ("figure", INK, {"fontSize": 8, "leading": 10, "alignment": TA_RIGHT}),
            ("unit", MUTED, {"fontSize": 7, "leading": 9, "alignment": TA_RIGHT}),
        )
    }


def render(found: Report) -> bytes:
    """Return the report as PDF: selectable text, charts as lines, no image."""
    styles, target = _styles(), BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=found.title,
        author="AMC-TRADER",
        invariant=1,  # no clock and no chance in the file
    )
    story: list[Flowable] = [*_head(found, styles)]
    for section in found.sections:
        story += _section(section, styles)
    foot = _foot(found)
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return target.getvalue()


def _head(found: Report, styles: dict[str, ParagraphStyle]) -> list[Flowable]:
    age = "no figures yet" if found.age is None else f"{found.age} sessions old"
    story: list[Flowable] = [
        _text(found.title, styles["title"]),
        _text(
            f"Session {found.session or 'none'} ({age}); window of {found.window_days} days; "
            f"source: {found.source}; made {found.generated_at:%Y-%m-%d %H:%M} UTC",
            styles["about"],
        ),
    ]
    if found.simulated:
        said = "SIMULATED: everything here comes from the sample market, not from real stocks."
        story.append(_text(said, styles["banner"]))
    return story


def _section(section: Section, styles: dict[str, ParagraphStyle]) -> list[Flowable]:
    head: list[Flowable] = [_text(section.title, styles["head"])]
    if section.status != report.OK:
        said = f"Insufficient data: {section.reason}"
        return [KeepTogether([*head, _text(said, styles["text"])])]
    if section.words:
        head.append(_text(section.words, styles["text"]))
    body: list[Flowable] = []
    if section.lines:
        body.append(_figures(section, styles))
    if section.chart:
        body.append(_chart(section.chart))
        body.append(_text(section.chart.words, styles["small"]))
    if section.table:
        body.append(_table(section.table, styles))
    body += [_text(f"\u2022 {note}", styles["text"]) for note in section.notes]
    first = body[:1] if not section.table or len(section.table.rows) < 10 else []
    return [KeepTogether([*head, *first]), *body[len(first) :], Spacer(1, 4)]


def _figures(section: Section, styles: dict[str, ParagraphStyle]) -> Table:
    rows = [[_text(text, styles["small"]) for text in ("Figure", "Value", "Target", "Evidence")]]
    for line in section.lines:
        mark = f" {line.figure.status}" if line.figure.status in {"claimed", "simulated"} else ""
        rows.append(
            [
                _text(line.label, styles["cell"]),
                _text(f"{line.value}{mark}", styles["bold"]),
                _text(line.wanted, styles["cell"]),
                _text(line.evidence, styles["small"]),
            ]
        )
    return _ruled(rows, [0.30, 0.17, 0.11, 0.42])


def _table(found: report.Table, styles: dict[str, ParagraphStyle]) -> Table:
    rows = [[_text(text, styles[HEAD[numeric]]) for text, numeric in found.heads]]
    rows += [
        [_text(_cut(text), styles[CELL[numeric]]) for text, numeric in row] for row in found.cells
    ]
    if found.more:
        left = [_text(f"{found.more} more are left out", styles["small"])]
        rows.append(left + [_text("", styles["small"])] * (len(found.headings) - 1))
    return _ruled(rows, _shares(found))


def _cut(text: str) -> str:
    """Return a text that fits a page: a row is never broken over two."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} \u2026"


def _shares(found: report.Table) -> list[float]:
    """Return the share of the width of each column: by the root of its longest text."""
    longest = [
        max(len(text) for text in column) ** 0.5 + 1
        for column in zip(found.headings, *found.rows, strict=True)
    ]
    return [length / sum(longest) for length in longest]


def _ruled(rows: list[list[Any]], shares: list[float]) -> Table:
    table = Table(rows, colWidths=[WIDTH * share for share in shares], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, RULE),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def _chart(found: Chart) -> Drawing:
    """Draw a line over time with its lowest and highest value and its ends."""
    left, below, height = 62.0, 16.0, CHART_HEIGHT - 28
    width = WIDTH - left - 6
    drawing = Drawing(WIDTH, CHART_HEIGHT)
    low, high = found.ends
    for y, text in ((below, low), (below + height, high)):
        drawing.add(Line(left, y, left + width, y, strokeColor=RULE, strokeWidth=0.5))
        drawing.add(_label(left - 4, y - 2, text, "end"))
    drawing.add(_label(left, 4, str(found.days[0]), "start"))
    drawing.add(_label(left + width, 4, str(found.days[-1]), "end"))
    drawing.add(_label(left, CHART_HEIGHT - 8, found.title, "start"))
    points = [value for x, y in found.points(width, height) for value in (left + x, below + y)]
    drawing.add(PolyLine(points, strokeColor=ACCENT, strokeWidth=1.4))
    return drawing


def _label(x: float, y: float, text: str, anchor: str) -> String:
    return String(x, y, text, fontName=FONT, fontSize=7, fillColor=MUTED, textAnchor=anchor)


def _foot(found: Report) -> Callable[[Any, Any], None]:
    """Return what is drawn on every page: whose data, and the number of the page."""
    mark = "SIMULATED \u00b7 " if found.simulated else ""

    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 7)
        canvas.setFillColor(WARN if found.simulated else MUTED)
        canvas.drawString(MARGIN, 9 * mm, f"{mark}AMC-TRADER \u00b7 source: {found.source}")
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"page {document.page}")
        canvas.restoreState()

    return draw


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    """Return text as it is: nothing in it is markup; what the font lacks is replaced."""
    plain = text.encode("cp1252", "replace").decode("cp1252")
    return Paragraph(escape(plain), style)
