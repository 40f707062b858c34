from datetime import UTC, date, datetime

import pytest

from analytics.clients import nasdaq
from analytics.clients.nasdaq import Nasdaq
from analytics.errors import BadAnswer

END = "File Creation Time: 1123202621:33|||||||"
LISTED = "\r\n".join(
    [
        nasdaq.NASDAQ_HEADER,
        "VIGL|Vigil Neuroscience, Inc. - Common Stock|S|N|D|100|N|N",
        "QQQ|Invesco QQQ Trust|G|N|N|100|Y|N",
        "ZVZZT|NASDAQ TEST STOCK|G|Y|N|100|N|N",
        "NA|Nano Labs|G|N||100|N|N",
        END,
    ]
)
OTHER = "\r\n".join(
    [
        nasdaq.OTHER_HEADER,
        "BRK.B|Berkshire Hathaway Inc.|N|BRK.B|N|100|N|BRK.B",
        "KIM$L|Kimco Realty, Preferred L|N|KIMpL|N|100|N|KIM-L",
        "NTEST|NYSE test|N|NTEST|N|100|Y|NTEST",
        END,
    ]
)
ITEM = """<item><title>{symbol}</title><pubDate>Fri, 16 Jun 2023 04:00:00 GMT</pubDate>
<ndaq:HaltDate>06/16/2023</ndaq:HaltDate><ndaq:HaltTime>{time}</ndaq:HaltTime>
<ndaq:IssueSymbol>{symbol}</ndaq:IssueSymbol><ndaq:IssueName>Ranger Oil</ndaq:IssueName>
<ndaq:Market>NASDAQ</ndaq:Market><ndaq:ReasonCode>T12</ndaq:ReasonCode>
<ndaq:PauseThresholdPrice />{resumption}
<description><![CDATA[<table><tr><td>06/16/2023</td></tr></table>]]></description></item>"""
OPEN = "<ndaq:ResumptionDate /><ndaq:ResumptionQuoteTime /><ndaq:ResumptionTradeTime />"


def feed(*items: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\r\n'
        '<rss version="2.0" xmlns:ndaq="http://www.nasdaqtrader.com/"><channel>'
        "<title>NASDAQTrader.com</title><ndaq:numItems>1</ndaq:numItems>"
        f"{''.join(items)}</channel></rss>"
    )


def item(symbol="ROCC", time="19:50:01", resumption=OPEN) -> str:
    return ITEM.format(symbol=symbol, time=time, resumption=resumption)


@pytest.fixture
def client(stub, options):
    with Nasdaq(base_url=stub.url, **options) as client:
        yield client


class TestDirectory:
    def test_lists_all_exchanges_without_test_issues(self, stub, client):
        stub.on("/dynamic/SymDir/nasdaqlisted.txt", LISTED)
        stub.on("/dynamic/SymDir/otherlisted.txt", OTHER)

        frame = client.directory()

        assert dict(frame.schema) == nasdaq.DIRECTORY
        assert frame.select("symbol", "exchange", "is_etf", "trouble").rows() == [
            ("BRK.B", "nyse", False, None),
            ("KIMpL", "nyse", False, None),
            ("NA", "nasdaq", False, None),
            ("QQQ", "nasdaq", True, None),
            ("VIGL", "nasdaq", False, "deficient"),
        ]

    def test_is_known_from_the_time_it_was_made(self):
        known = nasdaq.read_directory(LISTED)["known_on"][0]

        assert known == datetime(2026, 11, 24, 2, 33, tzinfo=UTC)

    def test_that_was_cut_short_is_refused(self):
        with pytest.raises(BadAnswer, match="cut short"):
            nasdaq.read_directory(LISTED.removesuffix(END))

    @pytest.mark.parametrize("text", ["<html>", "Symbol|Name", ""])
    def test_that_is_something_else_is_refused(self, text):
        with pytest.raises(BadAnswer, match="expected its header"):
            nasdaq.read_directory(text)


class TestHalts:
    def test_are_read_in_new_york_time(self, stub, client):
        stub.on("/rss.aspx", feed(item()))

        (halt,) = client.halts()

        assert (halt.symbol, halt.market, halt.reason) == ("ROCC", "NASDAQ", "T12")
        assert halt.halted_at == datetime(2023, 6, 16, 23, 50, 1, tzinfo=UTC)
        assert halt.resumes_at is None
        assert stub.asked[0].query == {"feed": "tradehalts"}

    def test_of_a_day_are_asked_for(self, stub, client):
        stub.on("/rss.aspx", feed())

        assert client.halts(date(2023, 6, 16)) == []
        assert stub.asked[0].query["haltdate"] == "06162023"

    @pytest.mark.parametrize("time", ["09:57:48.636", "09:57:48 .636", "09:57:48"])
    def test_may_have_fractions_of_a_second(self, time):
        (halt,) = nasdaq.read_halts(feed(item(time=time)))

        assert halt.halted_at == datetime(2023, 6, 16, 13, 57, 48, tzinfo=UTC)

    def test_end_when_trading_goes_on(self):
        resumption = (
            "<ndaq:ResumptionDate>06/20/2023</ndaq:ResumptionDate>"
            "<ndaq:ResumptionTradeTime>08:30:00</ndaq:ResumptionTradeTime>"
        )

        (halt,) = nasdaq.read_halts(feed(item(resumption=resumption)))

        assert halt.resumes_at == datetime(2023, 6, 20, 12, 30, tzinfo=UTC)

    def test_come_oldest_first_and_without_those_that_have_no_time(self):
        found = nasdaq.read_halts(
            feed(item("B", "10:00:00"), item("A", "09:00:00"), item("C", "later"))
        )

        assert [halt.symbol for halt in found] == ["A", "B"]

    @pytest.mark.parametrize(
        "text",
        [
            "<html><body>busy</body></html>",
            "<rss><channel>",
            "busy",
            '<!DOCTYPE r [<!ENTITY a "b">]><rss><channel/></rss>',
        ],
    )
    def test_that_are_no_feed_are_refused(self, text):
        with pytest.raises(BadAnswer, match="Nasdaq halts"):
            nasdaq.read_halts(text)
