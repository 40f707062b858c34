import json

import pytest

from analytics.calc import data_pack, masking
from tests.thesis_packs import make_pack


def pack():
    return make_pack(
        news=[{"at": "2024-06-28", "title": "VIGL jumps"}],
        notices=[{"kind": "offering", "label": "424B5 of VIGL", "at": "2024-06-20"}],
        portfolio={"held": {"weight": 0.1, "note": "VIGL"}},
    )


class TestMask:
    def test_names_no_symbol_and_no_date(self):
        shown = data_pack.render(masking.mask(pack()).pack)

        assert not [name for name in ("VIGL", "AEVA", "CRWV", "2024", "2023") if name in shown]

    def test_counts_sessions_from_the_signal(self):
        masked = masking.mask(pack()).pack

        assert masked["session"] == "D"
        assert masked["calendar"]["entry_session"] == "D+1"
        assert masked["notices"] == [{"kind": "offering", "at": "D-6"}]

    def test_rescales_prices_and_keeps_every_ratio(self):
        before, masked = pack(), masking.mask(pack())

        after = masked.pack["features"]
        assert after["close"] != before["features"]["close"]
        assert after["close"] * after["volume"] == pytest.approx(2.94 * 5e6, rel=1e-3)
        assert after["rel_volume"] == before["features"]["rel_volume"]
        assert masked.pack["similarity"][0]["reached"] == before["similarity"][0]["reached"]
        assert masked.price(after["close"]) == pytest.approx(2.94, rel=1e-3)

    def test_is_the_same_each_time_and_another_for_another_stock(self):
        assert masking.mask(pack()) == masking.mask(pack())
        assert masking.mask(pack()).scale != masking.mask({**pack(), "symbol": "CRWV"}).scale

    def test_leaves_the_original_alone(self):
        given = pack()
        before = json.dumps(given)

        masking.mask(given)

        assert json.dumps(given) == before
