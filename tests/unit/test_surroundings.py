"""What a run sees of the worker's environment: what is on the list."""

import os

import pytest

from service.config import Settings
from service.security.redaction import MARK, Redactor
from service.worker import surroundings

OURS = {
    "PATH": "/bin",
    "LC_ALL": "C.UTF-8",
    "https_proxy": "http://proxy.example:3128",
    "OPENAI_API_KEY": "sk-0123456789abcdefgh",
    "AWS_SECRET_ACCESS_KEY": "aws-0123456789",
    "DATABASE_URL": "postgresql://me:pass-word-1@db/x",
    "HOUSE_KEY": "house-0123456789",
    "SOMETHING": "else",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)


def settings(**changes) -> Settings:
    return Settings(**{"model": "openai/some", "database_url": None} | changes)


def test_a_mission_by_spec_finds_no_key():
    assert set(surroundings.of_spec(settings()).environment) == {"PATH", "LC_ALL", "https_proxy"}


def test_a_model_that_finds_its_keys_only_there_gets_them():
    around = surroundings.of_spec(settings(models="bedrock/some"))
    assert "AWS_SECRET_ACCESS_KEY" in around.environment
    assert "OPENAI_API_KEY" not in around.environment


def test_an_operator_may_name_more():
    around = surroundings.of_spec(settings(child_env="HOUSE_*, SOMETHING"))
    assert {"HOUSE_KEY", "SOMETHING"} < set(around.environment)


def test_a_project_has_the_keys_of_models_and_its_own_file(tmp_path):
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-of-the-project-alone\nTHEIRS=1\n")
    around = surroundings.of_project(settings(), tmp_path, tmp_path / "storage")
    assert around.environment["OPENAI_API_KEY"] == "sk-of-the-project-alone"
    assert around.environment["THEIRS"] == "1"
    assert "AWS_SECRET_ACCESS_KEY" in around.environment
    assert not {"DATABASE_URL", "HOUSE_KEY", "SOMETHING"} & set(around.environment)
    assert "sk-of-the-project-alone" in around.secrets


def test_what_a_run_must_not_see_is_redacted_in_what_it_says():
    redactor = Redactor(surroundings.of_spec(settings()).secrets)
    for secret in ("house-0123456789", "aws-0123456789", "pass-word-1"):
        assert redactor.text(f"it is {secret}") == f"it is {MARK}"
    assert redactor.text("something else") == "something else"
