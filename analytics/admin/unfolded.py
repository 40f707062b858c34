"""What we use of the admin theme, typed: the theme itself ships no types."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar, cast

from unfold.decorators import action as plain_action
from unfold.widgets import UnfoldAdminTextInputWidget

F = TypeVar("F", bound=Callable[..., Any])


def action(
    *, description: str, permissions: Sequence[str], icon: str, url_path: str | None = None
) -> Callable[[F], F]:
    """Declare a button of a list or a page; permission is asked again when it is pressed."""
    decorate = plain_action(
        description=description, permissions=permissions, icon=icon, url_path=url_path
    )
    return cast("Callable[[F], F]", decorate)


class DayInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]  # the theme is untyped
    """The browser's own date field: a session has no time zone to warn about."""

    input_type = "date"

    def format_value(self, value: date | str | None) -> str | None:
        return value.isoformat() if isinstance(value, date) else value
