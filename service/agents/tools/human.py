"""The tool `ask_human`: an agent's question to a person."""

from pydantic import BaseModel, Field

from service.agents.context import RunContext
from service.agents.tools.tool import Place, Tool
from service.requests.question import Answer, Question, RequestStatus

ASK_HUMAN = "Asks a human, and waits for the answer. For what only a human can know."
UNANSWERED = "Nobody answered in time. Go on without an answer, and say what you assumed."


class Args(BaseModel):
    question: str = Field(description="One question, with all that is needed to answer it")
    options: list[str] | None = Field(
        default=None, description="The answers to choose from; leave it out for a free answer"
    )


def ask_human(context: RunContext, place: Place) -> Tool:
    def run(question: str, options: list[str] | None = None) -> str:
        answer = context.ask(
            Question(
                key=f"ask:{place.task}:{place.number('ask')}",
                prompt=question,
                type="choice" if options else "text",
                options=options or None,
                agent=place.agent,
                task=place.task,
            )
        )
        return _told(answer, question)

    # One after the other: the second question of an attempt is then that of the next one as well.
    return Tool("ask_human", ASK_HUMAN, Args, run, one_by_one=True)


def _told(answer: Answer, question: str) -> str:
    """The answer in words. After a lost worker it may be to a question asked in other words."""
    if answer.status is RequestStatus.EXPIRED and answer.value is None:
        return UNANSWERED
    if answer.prompt != question:
        return f"The human was asked: {answer.prompt}\nThe answer is: {answer.value}"
    return str(answer.value)
