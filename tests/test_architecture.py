"""What no import contract can hold: where the environment is read, how long a module may get."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*(ROOT / "service").rglob("*.py"), *(ROOT / "models").rglob("*.py")])
MODULE_MAX_LINES = 300
FUNCTION_MAX_LINES = 45  # with signature and docstring
TOP_LEVEL = {
    "service", "models", "static", "migrations", "tests", "docs", "Procfile", "setup.cfg",
    "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "render.yaml",
    "pyproject.toml", "Dockerfile",
}  # fmt: skip
BUILT = {"var", "build", "dist", "longline.egg-info"}


def test_only_config_touches_the_environment() -> None:
    found = [
        source.name
        for source in SOURCES
        if re.search(r"os\.environ|os\.getenv|from os import", source.read_text())
    ]

    assert found == ["config.py"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_stays_readable(source: Path) -> None:
    text = source.read_text()
    tree = ast.parse(text)

    assert ast.get_docstring(tree), "a module begins with what it is for"
    assert text.count("\n") <= MODULE_MAX_LINES
    assert [name for name, length in functions(tree) if length > FUNCTION_MAX_LINES] == []


def test_the_top_level_holds_what_a_newcomer_expects_and_no_more() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    assert found - BUILT <= TOP_LEVEL


def test_static_files_ship_with_the_wheel() -> None:
    shipped = (ROOT / "setup.cfg").read_text().split("[options.package_data]")[1].split("[")[0]

    for path in (ROOT / "static").rglob("*.*"):
        assert f"*{path.suffix}" in shipped, path
        assert path.is_file(), "a folder with a dot in its name is no package, and would not ship"


def functions(tree: ast.Module) -> list[tuple[str, int]]:
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
