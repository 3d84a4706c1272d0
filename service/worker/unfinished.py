"""Tools that a lost attempt had started and not finished: a human says whether to go on."""

import json

from service.agents.context import MissionFailed, RunContext
from service.missions.progress import StartedTool
from service.requests.question import Question

AGAIN, STOP = "Run the task again", "Stop the mission"


def report(context: RunContext, tools: list[StartedTool]) -> None:
    """Ask about each tool. Raises MissionFailed `worker_lost` unless the task is to run again."""
    for tool in tools:
        answer = context.ask(_question(tool))
        if answer.value != AGAIN:
            message = f"The worker was lost while the tool {tool.tool} ran, and it is not to be run again."
            raise MissionFailed("worker_lost", message)


def _question(tool: StartedTool) -> Question:
    where = f" for the task {tool.task}" if tool.task else ""
    shown = json.dumps({"tool": tool.tool, "args": tool.args}, indent=2, ensure_ascii=False)
    return Question(
        key=f"unfinished:{tool.call}",
        type="choice",
        prompt=(
            f"The worker was lost while the tool {tool.tool} ran{where}. Whether it has done its "
            "work is not known. Should the task run again?"
        ),
        context=f"```json\n{shown}\n```",
        options=[AGAIN, STOP],
        default=STOP,
        agent=tool.agent,
        task=tool.task,
    )
