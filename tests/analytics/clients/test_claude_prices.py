from decimal import Decimal

import pytest

from analytics.clients.claude_prices import PRICES, price_of


class TestPriceOf:
    def test_knows_the_default_model(self):
        cost = price_of("claude-sonnet-5-5").billed(
            tokens_in=1_000_000, tokens_out=100_000, cache_write=0, cache_read=1_000_000
        )

        assert cost == Decimal("3.20")

    def test_does_not_guess(self):
        assert price_of("claude-next") is None

    def test_takes_what_is_stated(self):
        stated = price_of("claude-next", stated="3/15")

        assert (stated.tokens_in, stated.tokens_out) == (3, 15)

    @pytest.mark.parametrize("stated", ["3", "a/b", "1/2/3"])
    def test_refuses_what_it_cannot_read(self, stated):
        with pytest.raises(ValueError, match="CLAUDE_USD_PER_MILLION"):
            price_of("claude-next", stated=stated)


class TestPrice:
    @pytest.mark.parametrize("model", sorted(PRICES))
    def test_is_never_billed_above_its_bound(self, model):
        price = PRICES[model]
        most = price.highest(tokens_in=900, tokens_out=100)

        assert all(
            price.billed(tokens_in=a, tokens_out=100, cache_write=b, cache_read=900 - a - b) <= most
            for a in range(0, 901, 300)
            for b in range(0, 901 - a, 300)
        )
