"""The tools that a mission may name, for crewai. None of them reads a file or opens a connection."""

from collections.abc import Callable, Mapping
from typing import Any

from crewai.tools import BaseTool
from pydantic import BaseModel, Field, PrivateAttr

from service.agents import arithmetic
from service.agents.crewai.stage import Stage
from service.agents.guard import GuardedContext
from service.requests.question import Answer, Question, RequestStatus

# With a bound on its uses crewai runs a tool's calls one after the other: the second question of
# an attempt is then the second one of the next attempt as well.
QUESTIONS_MAX = 100

ASK_HUMAN = "Asks a human, and waits for the answer. For what only a human can know."
UNANSWERED = "Nobody answered in time. Go on without an answer, and say what you assumed."


def _never(*_: object) -> bool:
    return False


class CalculatorArgs(BaseModel):
    expression: str = Field(description="Numbers with + - * / // % ** and parentheses")


class Calculator(BaseTool):
    name: str = "calculator"
    description: str = "Works out an arithmetic expression, such as 3 * (4 + 5) / 2."
    args_schema: type[BaseModel] = CalculatorArgs

    def _run(self, expression: str) -> str:
        try:
            return str(arithmetic.evaluate(expression))
        except arithmetic.ArithmeticFault as fault:
            return f"Error: {fault}"


class AskHumanArgs(BaseModel):
    question: str = Field(description="One question, with all that is needed to answer it")
    options: list[str] | None = Field(
        default=None, description="The answers to choose from; leave it out for a free answer"
    )


class AskHuman(BaseTool):
    name: str = "ask_human"
    description: str = ASK_HUMAN
    args_schema: type[BaseModel] = AskHumanArgs
    max_usage_count: int | None = QUESTIONS_MAX
    cache_function: Any = _never  # the same question may have another answer later

    _context: GuardedContext = PrivateAttr()
    _stage: Stage = PrivateAttr()

    def __init__(self, context: GuardedContext, stage: Stage) -> None:
        super().__init__(name="ask_human", description=ASK_HUMAN)
        self._context = context
        self._stage = stage

    def _run(self, question: str, options: list[str] | None = None) -> str:
        answer = self._context.ask(
            Question(
                key=f"ask:{self._stage.task}:{self._stage.number('ask')}",
                prompt=question,
                type="choice" if options else "text",
                options=options or None,
                agent=self._stage.agent,
                task=self._stage.task,
            )
        )
        return _told(answer, question)


def _told(answer: Answer, question: str) -> str:
    """The answer in words. After a lost worker it may be to a question asked in other words."""
    if answer.status is RequestStatus.EXPIRED and answer.value is None:
        return UNANSWERED
    if answer.prompt != question:
        return f"The human was asked: {answer.prompt}\nThe answer is: {answer.value}"
    return str(answer.value)


Maker = Callable[[GuardedContext, Stage], BaseTool]

# The names are those of `service.missions.spec.TOOLS`; a test holds the two together.
REGISTRY: Mapping[str, Maker] = {
    "ask_human": AskHuman,
    "calculator": lambda _context, _stage: Calculator(),
}
