"""The tools of a mission: the ones it may name, and arithmetic that is nothing but arithmetic."""

import pytest

from service.agents.arithmetic import ArithmeticFault, evaluate
from service.missions.spec import TOOLS


@pytest.mark.agents
@pytest.mark.usefixtures("prepared")
def test_the_tools_that_every_server_has_are_the_tools_there_are() -> None:
    from service.agents.tools import registry

    assert set(registry.BUILT_IN) == TOOLS


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("6 * 7", 42),
        (" -3 + +4.5 ", 1.5),
        ("2 ** 10 // 3 % 5", 1),
        ("(1 + 2) * (3 + 4) / 7", 3.0),
        ("2 ** -1", 0.5),
        ("1e3", 1000.0),
    ],
)
def test_arithmetic_is_worked_out(expression: str, value: float) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os')",
        "x + 1",
        "(1).real",
        "[1]",
        "'a' * 3",
        "True + 1",
        "1 if 1 else 2",
        "1j",
        "lambda: 1",
        "",
        "1 +",
        "\0",
    ],
)
def test_what_is_not_arithmetic_is_refused(expression: str) -> None:
    with pytest.raises(ArithmeticFault):
        evaluate(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "9 ** 9 ** 9",
        "2 ** 5000",
        "10 ** 1000 * 10 ** 1000",
        "1.5 ** 1000 ** 2",
        "1e308 * 10",
        "9" * 600,
        "(" * 250 + "1" + ")" * 249,
        "(-8) ** 0.5",
        "1 / 0",
        "0 ** -1",
    ],
)
def test_what_has_no_value_or_too_large_a_one_is_refused_at_once(expression: str) -> None:
    with pytest.raises(ArithmeticFault):
        evaluate(expression)
