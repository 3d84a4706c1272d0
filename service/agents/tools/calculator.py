"""The tool `calculator`."""

from pydantic import BaseModel, Field

from service.agents import arithmetic
from service.agents.tools.tool import Tool, refusal


class Args(BaseModel):
    expression: str = Field(description="Numbers with + - * / // % ** and parentheses")


def _run(expression: str) -> str:
    try:
        return str(arithmetic.evaluate(expression))
    except arithmetic.ArithmeticFault as fault:
        return refusal(str(fault))


CALCULATOR = Tool(
    name="calculator",
    description="Works out an arithmetic expression, such as 3 * (4 + 5) / 2.",
    args_schema=Args,
    run=_run,
)
