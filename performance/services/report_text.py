"""The report as Markdown: for the documentation and for terminals (design §12)."""

from performance.calc import report
from performance.calc.report import Report, Section, Table


def render(found: Report) -> str:
    """Return the report as Markdown; pipes in texts are escaped."""
    age = "no figures yet" if found.age is None else f"{found.age} sessions old"
    when = f"Session {found.session or 'none'} ({age}); window of {found.window_days} days"
    parts = [f"# {found.title}", f"{when}; source: {found.source}."]
    if found.simulated:
        parts.append("**SIMULATED**: everything here comes from the sample market.")
    for section in found.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> list[str]:
    parts = [f"## {section.title}"]
    if section.status != report.OK:
        return [*parts, f"Insufficient data: {section.reason}"]
    if section.words:
        parts.append(section.words)
    if section.lines:
        rows = tuple(
            (line.label, _marked(line), line.wanted, line.evidence) for line in section.lines
        )
        parts.append(_table(Table(headings=("Figure", "Value", "Target", "Evidence"), rows=rows)))
    if section.chart:
        parts.append(section.chart.words)
    if section.table:
        parts.append(_table(section.table))
    if section.notes:
        parts.append("\n".join(f"- {note}" for note in section.notes))
    return parts


def _marked(line: report.Line) -> str:
    status = str(line.figure.status)
    return f"{line.value} ({status})" if status in {"claimed", "simulated"} else line.value


def _table(found: Table) -> str:
    rows = [found.headings, tuple("---" for _ in found.headings), *found.rows]
    if found.more:
        rows.append((f"{found.more} more are left out", *[""] * (len(found.headings) - 1)))
    return "\n".join(f"| {' | '.join(_cell(text) for text in row)} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
