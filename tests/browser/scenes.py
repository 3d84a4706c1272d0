"""Missions as they look in the middle of things: for the screenshots of the docs, and for a look."""

from typing import Any

from service.events.kinds import Kind, NewEvent
from service.missions.attempts import Claim
from service.requests.question import Question
from tests.browser.stage import Stage, line, spoken, status, tool
from tests.contract import given as the

RESEARCH = """Three sources agree on the basics.

| climate | typical COP | source |
|---|---|---|
| mild | 3.5 – 4.5 | field trial, 2024 |
| cold | 2.2 – 2.8 | field trial, 2024 |

1. A heat pump **moves** heat instead of making it.
2. Below −15 °C the efficiency drops, but it still beats direct electric heating.
3. The largest effect comes from a *low flow temperature*.
"""

DRAFT = """## Why heat pumps work

A heat pump takes warmth from outside air, even in winter, and **raises it to a useful temperature**.
For each kilowatt-hour of electricity it delivers two to four of heat.

> The largest effect comes from a low flow temperature.

What that means at home:

- radiators that are large enough for 45 °C
- a well-insulated hot water tank
- a tariff that rewards night-time use

```python
cop = heat_delivered / electricity_used
```

The remaining question is whether an old house"""


def _task(name: str, agent: str, description: str) -> dict[str, Any]:
    expected = "A page, at most."
    return {"name": name, "agent": agent, "description": description, "expected_output": expected}


PLAN = [
    _task("research", "researcher", "Collect what is known about {topic}."),
    _task("draft", "writer", "Write a one-page brief about {topic} for homeowners."),
    _task("review", "researcher", "Check the brief against the facts."),
]
AGENTS = [
    {
        "name": "researcher",
        "role": "Researcher",
        "goal": "Find",
        "backstory": "Careful.",
        "tools": ["http_get"],
    },
    {"name": "writer", "role": "Writer", "goal": "Write", "backstory": "Clear."},
]
BRIEF: dict[str, Any] = {
    "title": "Brief on heat pumps for homeowners",
    "agents": AGENTS,
    "plan": PLAN,
    "inputs": {"topic": "heat pumps"},
}

SEND = Question(
    "send",
    "May the writer call send_mail?",
    type="approval",
    context="""```json
{"tool": "send_mail", "args": {"to": "team@example.org", "subject": "Heat pumps", "urgent": false}}
```""",
    agent="writer",
    task="draft",
)


def live_brief(stage: Stage, **changes: Any) -> Claim:
    """Two tasks in: one done with a table and a tool, one being written."""
    claimed = stage.running(**BRIEF | changes)
    stage.write(
        claimed,
        status("task.started", task="research", agent="researcher"),
        status("agent.started", task="research", agent="researcher"),
        NewEvent(
            Kind.THOUGHT,
            "plan",
            {
                "text": "I need **field data**, not brochures. First the trial, then the grid operator."
            },
            agent="researcher",
            task="research",
        ),
        *tool(
            "http_get",
            {"url": "https://example.org/trial-2024"},
            "COP by month: …",
            "t1",
            agent="researcher",
            task="research",
        ),
        line("connected to example.org"),
        line("cache is stale, fetching again", "log", "WARNING"),
        *spoken(RESEARCH, "c1", agent="researcher", task="research"),
        status("agent.completed", task="research", agent="researcher"),
    )
    the.finish_task(stage.db, claimed, "research", RESEARCH)
    stage.keep_file(claimed, "sources.csv", b"source,year\ntrial,2024\n", "research")
    stage.write(
        claimed,
        status("task.started", task="draft", agent="writer"),
        status("agent.started", task="draft", agent="writer"),
        *spoken(DRAFT, "c2")[:-2],
    )
    return claimed


def asked_brief(stage: Stage, **changes: Any) -> Claim:
    """The same, waiting for a human to allow a mail."""
    claimed = live_brief(stage, **changes)
    stage.ask(claimed, SEND)
    return claimed


def failed_brief(stage: Stage, title: str = "Weekly digest") -> Claim:
    claimed = stage.running(**BRIEF | {"title": title})
    stage.write(
        claimed,
        status("task.started", task="research", agent="researcher"),
        *spoken(RESEARCH, "c1", agent="researcher", task="research"),
    )
    the.fail(stage.db, claimed)
    return claimed


def done_brief(stage: Stage, title: str = "Brief on night trains") -> Claim:
    claimed = stage.running(**BRIEF | {"title": title})
    for name, agent in (("research", "researcher"), ("draft", "writer"), ("review", "researcher")):
        stage.write(
            claimed,
            status("task.started", task=name, agent=agent),
            *spoken(RESEARCH, f"c-{name}", agent=agent, task=name),
        )
        the.finish_task(stage.db, claimed, name, RESEARCH)
    the.complete(stage.db, claimed, RESEARCH)
    return claimed
