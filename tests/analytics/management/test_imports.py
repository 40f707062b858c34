import io

import polars as pl
import pytest
from django.core.management import CommandError, call_command

from analytics.models import ImportRun, Security
from analytics.services import market_data
from tests.analytics.lake.frames import bars

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    settings.LAKE_URL = tmp_path / "lake"
    made = tmp_path / "files"
    made.mkdir()
    return made


def put(folder, frame, name="bars_2024.parquet"):
    frame.rename({"session": "date"}).drop("source").write_parquet(folder / name)
    return folder / name


def run(*words):
    out, err = io.StringIO(), io.StringIO()
    call_command(*[str(word) for word in words], stdout=out, stderr=err)
    return out.getvalue()


class TestImportBars:
    def test_shows_what_went_in_and_what_was_found(self, folder):
        path = put(folder, bars(count=3, close=[3.0, 30.0, 30.0]))

        shown = run("import_bars", path).splitlines()

        assert shown[0].split() == [
            "rows", "symbols", "sessions", "new", "changed", "unchanged", "rejected", "path"
        ]  # fmt: skip
        assert shown[1].split()[:7] == ["3", "1", "3", "3", "0", "0", "0"]
        assert ["1", "unadjusted_split"] in [line.split() for line in shown]

    def test_says_that_a_file_is_in_already(self, folder):
        path = put(folder, bars())
        run("import_bars", path)

        assert "(1 of 1 files already in)" in run("import_bars", path)

    def test_takes_a_folder_and_assumes_a_type_when_told(self, folder):
        put(folder, bars("A"), "a.parquet")
        put(folder, bars("B"), "b.parquet")

        run("import_bars", folder, "--assume-type", "common")

        assert list(Security.objects.values_list("kind", flat=True)) == ["common", "common"]

    def test_fails_when_a_file_was_refused_but_takes_the_others(self, folder):
        wrong = folder / "notes.csv"
        wrong.write_text("author,text\n")
        path = put(folder, bars())

        with pytest.raises(CommandError, match=r"1 refused: notes.csv: expected"):
            run("import_bars", wrong, path)

        assert ImportRun.objects.filter(state="done").count() == 1

    def test_fails_on_a_path_that_is_not_there(self, folder):
        with pytest.raises(CommandError, match="no such file"):
            run("import_bars", folder / "missing")


class TestImportReference:
    def test_shows_what_went_in(self, folder):
        path = folder / "splits.csv"
        path.write_text("symbol,date,split_ratio\nVIGL,2024-06-04,2\n")

        assert run("import_reference", path).splitlines()[1].split()[3] == "1"


class TestImportMarketData:
    def test_takes_reference_data_before_bars_and_leaves_the_rest(self, folder, settings):
        settings.AMC_DATA_DIR = str(folder)
        put(folder, bars())
        (folder / "symbols_2024.csv").write_text("symbol,sec_type\nVIGL,common\n")
        (folder / "sealed-evaluation-set.bin").write_bytes(b"sealed")

        run("import_market_data")

        assert Security.objects.get().kind == "common"
        assert market_data.lake_of("imported").read("bars").select(pl.len()).item() == 5
        assert list(ImportRun.objects.order_by("pk").values_list("file", flat=True)) == [
            "symbols_2024.csv", "bars_2024.parquet"
        ]  # fmt: skip

    def test_fails_without_a_folder(self, settings):
        settings.AMC_DATA_DIR = ""

        with pytest.raises(CommandError, match="AMC_DATA_DIR"):
            run("import_market_data")
