import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from analytics.calc.thesis_digest import START, Link, digest, first_break

ISSUED = datetime(2024, 6, 28, 22, 0, 0, 123456, tzinfo=UTC)
CONTENT = {
    "symbol": "VIGL",
    "session": date(2024, 6, 28),
    "entry": Decimal("2.9400"),
    "issued_at": ISSUED,
    "pack": {"volume": 5_000_000.0, "large": 1e22, "small": 1e-7, "names": ["a", None, True]},
}


def chain(length=3):
    links, before = [], START
    for number in range(1, length + 1):
        content = {**CONTENT, "number": number}
        links.append(Link(number, digest(content, before), before, content))
        before = links[-1].digest
    return links


class TestDigest:
    def test_is_that_of_equal_values_however_they_are_stored(self):
        eastern = CONTENT["issued_at"].astimezone(timezone(timedelta(hours=-4)))
        pack = {
            "names": ["a", None, True],
            "small": 0.0000001,
            "large": 10**22,
            "volume": 5_000_000,
        }
        again = {
            **dict(reversed(CONTENT.items())),
            "entry": Decimal("2.94"),
            "issued_at": eastern,
            "pack": json.loads(json.dumps(pack)),
        }

        assert digest(again, START) == digest(CONTENT, START)

    @pytest.mark.parametrize(
        "change",
        [{"symbol": "VIGLX"}, {"entry": Decimal("2.9401")}, {"session": date(2024, 6, 27)},
         {"issued_at": ISSUED + timedelta(microseconds=1)}, {"pack": {}},
         {"more": None}],
        ids=["text", "number", "day", "moment", "pack", "column"],
    )  # fmt: skip
    def test_is_another_for_any_change(self, change):
        assert digest({**CONTENT, **change}, START) != digest(CONTENT, START)

    def test_is_another_behind_another_thesis(self):
        assert digest(CONTENT, START) != digest(CONTENT, "1" * 64)

    def test_takes_nothing_that_cannot_be_stored(self):
        with pytest.raises(ValueError, match="JSON"):
            digest({"p": float("nan")}, START)
        with pytest.raises(TypeError):
            digest({"p": object()}, START)


class TestFirstBreak:
    def test_is_none_in_a_whole_chain(self):
        assert first_break(chain()) is None
        assert first_break([]) is None

    @pytest.mark.parametrize("at", [0, 1, 2])
    def test_is_where_content_was_changed(self, at):
        links = chain()
        links[at] = links[at]._replace(content={**links[at].content, "symbol": "CRWV"})

        found = first_break(links)

        assert (found.number, found.reason) == (at + 1, "its content is not what was issued")

    def test_is_where_a_digest_was_made_to_fit(self):
        links = chain()
        content = {**links[1].content, "symbol": "CRWV"}
        links[1] = Link(2, digest(content, links[0].digest), links[0].digest, content)

        assert first_break(links).number == 3

    def test_is_where_one_is_missing(self):
        links = chain()
        del links[1]

        assert "missing" in first_break(links).reason
        assert first_break(links).number == 2
