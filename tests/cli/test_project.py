"""`longline project add`: what is no target is said at once, and nothing is registered."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli.project import project


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [
        ("a name", "/srv", "letters, digits"),
        ("-x", "/srv", "No such option"),
        ("nowhere", "/nowhere", "is no folder"),
        ("gone", "/nowhere/app.py:graph", "is no file"),
        ("os", "os:", "no name of an object"),
        ("url", "http://127.0.0.1/app:graph", "no MODULE:OBJECT"),
    ],
)
def test_what_is_no_target_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, target: str, said: str
) -> None:
    monkeypatch.setenv("LONGLINE_DATA", str(tmp_path / "data"))
    result = CliRunner().invoke(project, ["add", name, target])
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "data" / "longline.db").exists()
