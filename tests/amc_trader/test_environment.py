"""Values of the environment: read, or refused with the name of the variable."""

import stat

import pytest

from amc_trader.environment import Environment, SettingsError, secret_key


def read(**values: str) -> Environment:
    return Environment(values)


class TestEnvironment:
    def test_takes_an_empty_value_for_none(self):
        assert read(X=" ").text("X", "default") == "default"

    @pytest.mark.parametrize(("value", "meaning"), [("true", True), ("0", False), ("", True)])
    def test_reads_a_flag(self, value, meaning):
        assert read(X=value).flag("X", default=True) is meaning

    def test_splits_a_list(self):
        assert read(X="a, b,,").names("X") == ["a", "b"]

    @pytest.mark.parametrize(
        "ask",
        [
            lambda env: env.flag("BAD", default=True),
            lambda env: env.whole("BAD", default=1),
            lambda env: env.amount("BAD", default=1.0),
            lambda env: env.rate("BAD", default="1/day"),
            lambda env: env.day("BAD"),
            lambda env: env.choice("BAD", ["one", "two"], default="one"),
            lambda env: env.url("BAD", ["https"]),
            lambda env: env.existing_directory("BAD"),
            lambda env: env.mail("BAD", folder="mail"),
            lambda env: env.database("BAD", default="file"),
        ],
    )
    def test_names_the_variable_in_one_sentence(self, ask):
        with pytest.raises(SettingsError) as refusal:
            ask(read(BAD="nonsense of a value"))

        sentence = str(refusal.value)
        assert sentence.startswith("BAD ")
        assert sentence.endswith(".")
        assert "\n" not in sentence

    @pytest.mark.parametrize("value", ["nan", "inf", "-1"])
    def test_refuses_an_amount_that_is_no_amount(self, value):
        with pytest.raises(SettingsError):
            read(X=value).amount("X", default=1)

    def test_does_not_repeat_a_password(self):
        with pytest.raises(SettingsError) as refusal:
            read(X="mysql://user:hunter2@host/name").database("X", default="file")

        assert "hunter2" not in str(refusal.value)


class TestDatabase:
    def test_is_sqlite_for_several_processes_by_default(self, tmp_path):
        config = read().database("DATABASE_URL", default=tmp_path / "with blank.sqlite3")

        assert config["NAME"] == str(tmp_path / "with blank.sqlite3")
        assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        assert config["OPTIONS"]["timeout"] == 20
        assert "journal_mode=WAL" in config["OPTIONS"]["init_command"]

    def test_pools_connections_to_postgresql(self):
        config = read(X="postgresql://u:p@h:5433/n").database("X", default="file")

        assert (config["HOST"], config["PORT"], config["NAME"]) == ("h", 5433, "n")
        assert config["OPTIONS"]["pool"]

    def test_does_not_wait_long_for_a_postgresql_that_is_away(self):
        options = read(X="postgresql://u:p@h:5433/n").database("X", default="file")["OPTIONS"]

        # the pool's own: 30 s for each caller, and pauses that double for five minutes
        assert options["pool"]["timeout"] <= 5
        assert options["pool"]["reconnect_timeout"] < options["pool"]["timeout"]
        assert options["connect_timeout"] <= 5

    @pytest.mark.parametrize("url", ["postgresql://u:p@h:port/n", "postgresql://host", "postgres"])
    def test_refuses_half_a_url(self, url):
        with pytest.raises(SettingsError):
            read(X=url).database("X", default="file")


class TestSecretKey:
    def test_is_made_once_and_read_by_its_owner_only(self, tmp_path):
        file = tmp_path / "secret_key"

        first = secret_key("", file)

        assert len(first) >= 50
        assert secret_key("", file) == first
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]

    def test_refuses_a_short_one(self, tmp_path):
        with pytest.raises(SettingsError, match="SECRET_KEY"):
            secret_key("short", tmp_path / "secret_key")


class TestMail:
    def test_goes_to_a_provider_by_its_key(self, tmp_path):
        found = read(X="anymail+mailgun://k%40y@mg.example.com").mail("X", folder=tmp_path)

        assert found["EMAIL_BACKEND"] == "anymail.backends.mailgun.EmailBackend"
        assert found["ANYMAIL"]["MAILGUN_API_KEY"] == "k@y"
        assert found["ANYMAIL"]["MAILGUN_SENDER_DOMAIN"] == "mg.example.com"

    @pytest.mark.parametrize("value", ["anymail+pigeon://hunter2@", "anymail+postmark://"])
    def test_refuses_a_provider_that_it_does_not_know_and_repeats_no_key(self, tmp_path, value):
        with pytest.raises(SettingsError, match="postmark") as refusal:
            read(X=value).mail("X", folder=tmp_path)

        assert "hunter2" not in str(refusal.value)
