"""Settings: read from the environment, named in errors, absolute where a process may move."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from service import config
from service.cli.settings import BadSettings, settings
from service.config import Settings
from service.db import Database


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing."""
    for name in os.environ:
        if name.startswith("LONGLINE_") or name in ("PORT", "DATABASE_URL", "DYNO", "RENDER"):
            monkeypatch.delenv(name)
    for name in ("WEB_CONCURRENCY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_it_is_an_sqlite_file_on_loopback(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = config.load()
    assert settings.resolved_database_url == f"sqlite:///{tmp_path / 'var' / 'longline.db'}"
    assert (settings.bind_host, settings.port, settings.on_loopback) == ("127.0.0.1", 8000, True)
    assert settings.concurrency == 4


def test_names_have_our_prefix_or_are_those_that_platforms_set(monkeypatch):
    monkeypatch.setenv("LONGLINE_CONCURRENCY", "2")
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("WEB_CONCURRENCY", "3")
    monkeypatch.setenv("DATABASE_URL", "postgresql://host/name")
    settings = config.load()
    assert (settings.concurrency, settings.port, settings.web_processes) == (2, 9000, 3)
    assert settings.resolved_database_url == "postgresql://host/name"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LONGLINE_CONCURRENCY", "0"),
        ("LONGLINE_CONCURRENCY", "many"),
        ("LONGLINE_LEASE_S", "-1"),
        ("LONGLINE_AUTH", "never"),
        ("WEB_CONCURRENCY", "0"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        config.load()
    named = str(refused.value.errors()[0]["loc"][0]).upper()
    assert name.endswith(named)


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_the_data_folder_is_absolute(monkeypatch, tmp_path):
    """A child process works in another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(data=Path("here")).data == tmp_path / "here"
    assert Settings(data=Path("~/there")).data == tmp_path / "there"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_platforms_database_url_gets_the_driver_we_ship(tmp_path, scheme):
    url = f"{scheme}://user:pass@host:5432/name"
    db = Database(Settings(data=tmp_path, database_url=url))
    assert db.url.drivername == "postgresql+psycopg"
    assert not db.is_sqlite
    db.close()


def test_the_default_model_comes_first_and_once():
    settings = Settings(model="openai/a", models=" openai/b, ,openai/a,openai/b ")
    assert settings.allowed_models == ("openai/a", "openai/b")


def test_without_a_model_it_is_the_embedded_one():
    assert Settings().allowed_models == ("local",)


@pytest.mark.parametrize("name", ["PORT", "DYNO", "RENDER"])
def test_a_hosting_platform_is_known_by_its_variables(monkeypatch, name):
    assert config.platform_variable() is None
    monkeypatch.setenv(name, "8000")
    assert config.platform_variable() == name
    settings = Settings()
    assert (settings.bind_host, settings.on_loopback) == ("0.0.0.0", False)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.0.7", False),
        ("example.com", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host, loopback):
    assert Settings(host=host).on_loopback is loopback


def test_secrets_are_not_shown():
    settings = Settings(openai_api_key="sk-very-secret", token="lt-very-secret")  # type: ignore[arg-type]
    assert "very-secret" not in repr(settings)


def test_secret_values_are_those_that_a_name_gives_away(monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    os.environ.update(
        OPENAI_API_KEY="sk-12345678",
        DB_PASSWORD="longer-than-the-key",
        SHORT_TOKEN="1234567",
        LANG="en_US.UTF-8",
    )
    assert config.secret_values() == ("longer-than-the-key", "sk-12345678")


def test_agents_find_telemetry_off_and_a_folder_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    config.prepare_agent_environment(Settings(data=tmp_path))
    assert os.environ["CREWAI_DISABLE_TELEMETRY"] == os.environ["OTEL_SDK_DISABLED"] == "true"
    assert Path(os.environ["CREWAI_STORAGE_DIR"]).is_dir()


@pytest.mark.parametrize("home", [None, "/nowhere/longline"])
def test_a_user_without_a_home_gets_one_in_the_data_folder(monkeypatch, tmp_path, home):
    """As `useradd --system` makes them, and as containers with a user's number have it."""
    monkeypatch.setattr(os, "environ", {} if home is None else {"HOME": home})
    config.prepare_agent_environment(Settings(data=tmp_path))
    assert os.access(os.environ["HOME"], os.W_OK)


def test_a_home_of_ones_own_stays(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path)})
    config.prepare_agent_environment(Settings(data=tmp_path / "data"))
    assert os.environ["HOME"] == str(tmp_path)


def test_a_started_process_gets_our_environment_with_changes(monkeypatch):
    monkeypatch.setenv("LONGLINE_CONCURRENCY", "2")
    monkeypatch.setenv("PORT", "1")
    given = config.environment(LONGLINE_DATA="/tmp/x", PORT=None)
    assert (given["LONGLINE_CONCURRENCY"], given["LONGLINE_DATA"]) == ("2", "/tmp/x")
    assert "PORT" not in given


@pytest.mark.parametrize("url", [None, "sqlite:////tmp/some.db"])
def test_a_queue_on_postgresql_is_refused_without_one(monkeypatch, url):
    monkeypatch.setenv("LONGLINE_DISPATCH", "procrastinate")
    if url:
        monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(
        BadSettings, match=r"LONGLINE_DISPATCH: .* needs PostgreSQL; name one"
    ) as told:
        settings()
    assert told.value.exit_code == 2


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_queue_on_postgresql_goes_with_any_way_to_name_one(monkeypatch, scheme):
    monkeypatch.setenv("LONGLINE_DISPATCH", "procrastinate")
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://somebody@somewhere/longline")
    assert settings().dispatch == "procrastinate"
