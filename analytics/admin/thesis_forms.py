"""The form in which a person writes a thesis, under the same rules as the machines (design §9)."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from analytics.admin.unfolded import DayInput
from analytics.calc.thesis_draft import LONGEST_HORIZON, Draft
from analytics.models import Candidate, Recommendation
from analytics.services import lakes, theses


def _number(label: str, **options: Any) -> forms.FloatField:
    return forms.FloatField(label=label, widget=UnfoldAdminTextInputWidget, **options)


class ThesisForm(forms.Form):
    """What a person expects of a candidate. It cannot be changed once it is issued."""

    symbol = forms.CharField(max_length=16, widget=UnfoldAdminTextInputWidget)
    session = forms.DateField(label="Signal session", widget=DayInput)
    recommendation = forms.ChoiceField(
        choices=Recommendation.choices, widget=UnfoldAdminSelectWidget
    )
    entry = _number("Entry [USD]", min_value=0)
    target = _number("Target [USD]", min_value=0)
    stop = _number("Stop [USD]", min_value=0)
    max_entry = _number("Do not chase above [USD]", min_value=0)
    horizon = forms.IntegerField(
        label="Horizon [sessions]",
        min_value=1,
        max_value=LONGEST_HORIZON,
        initial=14,
        widget=UnfoldAdminTextInputWidget,
    )
    p_target = _number(
        "P(target before stop) [%]", min_value=0, max_value=100, help_text="0 to 100"
    )
    p_explosive = _number(
        "P(best close +50 % in 14 sessions) [%]", min_value=0, max_value=100, required=False
    )
    text = forms.CharField(label="Why", widget=UnfoldAdminTextareaWidget)
    reasons = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget, help_text="One a line."
    )
    falsifiers = forms.CharField(
        widget=UnfoldAdminTextareaWidget,
        help_text="One a line, such as: close < 3.10, or: rel_volume < 2 for 3 sessions.",
    )

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "symbol" in given and "session" in given:
            given["candidate"] = self._candidate(given["symbol"], given["session"])
        return given

    def draft(self) -> Draft:
        """Return what was written; only after ``is_valid``."""
        given = self.cleaned_data
        explosive = given["p_explosive"]
        return Draft(
            recommendation=given["recommendation"],
            entry=given["entry"],
            target=given["target"],
            stop=given["stop"],
            max_entry=given["max_entry"],
            horizon=given["horizon"],
            p_target=given["p_target"] / 100,
            p_explosive=explosive / 100 if explosive is not None else None,
            text=given["text"],
            reasons=_lines(given["reasons"]),
            falsifiers=_lines(given["falsifiers"]),
        )

    def _candidate(self, symbol: str, session: Any) -> Candidate | None:
        found = theses.get_candidate(
            symbol=symbol, session=session, source=lakes.get_active_source()
        )
        if found is None:
            self.add_error("symbol", f"{symbol.upper()} is no candidate of {session}.")
        return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
