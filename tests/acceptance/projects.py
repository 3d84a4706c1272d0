"""Crews and flows: as the framework's own command makes them, and as people write them."""

import json
import subprocess
import sys
from pathlib import Path

from service import config
from tests.acceptance.project_files import write

SECRET = "a-key-of-the-project-alone"

FLOW = '''
from crewai.flow import Flow, human_feedback, listen, start
from pydantic import BaseModel


class State(BaseModel):
    topic: str = "rain"


class ReviewFlow(Flow[State]):
    """Drafts a line and has it reviewed."""

    @start()
    def colour(self):
        return self.ask("Which colour?")

    @human_feedback(message="Is this line right?")
    @listen(colour)
    def line(self, colour):
        return f"The {self.state.topic} is {colour}."

    @human_feedback(message="May it be sent?", emit=["yes", "no"], llm="openai/gpt-4o-mini")
    @listen(line)
    def judge(self, result):
        return f"{result.output} / {result.feedback}"

    @listen("no")
    def drop(self, result):
        return "dropped"

    @listen("yes")
    def send(self, result):
        return f"sent: {result.output}"
'''


HOOKED = """
from crewai import LLM, Agent, Crew, Task
from crewai.project import CrewBase, after_kickoff, agent, before_kickoff, crew, task
from crewai.tasks.conditional_task import ConditionalTask
from letters import Letter


@CrewBase
class Hooked:
    agents_config = {}
    tasks_config = {}

    @before_kickoff
    def prepare(self, inputs):
        return {**inputs, "name": inputs["name"].title()}

    @after_kickoff
    def finish(self, output):
        print("A letter to", output.tasks_output[0].pydantic.to)
        return f"{output.raw} / {input('May it be sent?')} / {len(output.tasks_output)}"

    @agent
    def clerk(self):
        llm = LLM(model="gpt-4o-mini", stream=False)
        return Agent(role="Clerk", goal="Write to {name}", backstory="Polite.", llm=llm)

    @task
    def letter(self):
        return Task(description="task letter to {name}", expected_output="A letter.",
                    agent=self.clerk(), output_pydantic=Letter, async_execution=True)

    @task
    def apology(self):
        return ConditionalTask(description="task apology", expected_output="An apology.",
                               agent=self.clerk(), condition=lambda output: "Bob" in output.raw)

    @task
    def envelope(self):
        return Task(description="task envelope", expected_output="A line.", agent=self.clerk())

    @crew
    def crew(self):
        return Crew(agents=self.agents, tasks=self.tasks, verbose=True)
"""

OFFICE = '''
from crewai import Agent, Crew, LLM, Process, Task
from crewai.tools import tool
from house_phrases import greeting
from letters import Letter


@tool("greet")
def greet(name: str) -> str:
    """Greets somebody."""
    return greeting(name)


def agent(role):
    return Agent(role=role, goal="Write letters", backstory="Polite.", tools=[greet])


clerk, typist = agent("Clerk in {town}"), agent("Typist")
beside = Task(description="task weather in {town}", expected_output="A line.", agent=typist,
              async_execution=True)
letter = Task(description="task letter to {name}", expected_output="A letter.", agent=clerk,
              context=[beside], output_pydantic=Letter)
crew = Crew(agents=[clerk, typist], tasks=[beside, letter])
'''

LETTER = """
from pydantic import BaseModel


class Letter(BaseModel):
    to: str
    body: str
"""


CREATE = """
import json, sys
from crewai_cli.cli import crewai
for arguments in json.loads(sys.argv[1]):
    crewai(["create", *arguments], standalone_mode=False)
"""


def create(folder: Path, *projects: tuple[str, ...]) -> None:
    """The framework's own command, as a user calls it; once for all, for it takes long to import."""
    arguments = [[*words, "--skip-provider"] if words[0] == "crew" else words for words in projects]
    subprocess.run(
        [sys.executable, "-c", CREATE, json.dumps(arguments)],
        cwd=folder,
        env=config.environment(CREWAI_DMN="true", **config.AGENT_ENVIRONMENT),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


CREATED = (
    ("crew", "json_crew"),
    ("crew", "classic_crew", "--classic"),
    ("flow", "written_flow"),
    ("flow", "declared_flow", "--declarative"),
)


def crews(folder: Path) -> dict[str, str]:
    """Crews and flows, by the names that they are registered under, and where they are.

    Those that the framework's command made are as it made them, but for the classic crew: it asks.
    """
    create(folder, *CREATED)
    _make_it_ask(folder / "classic_crew")
    write(folder / "flow" / "review.py", FLOW)
    write(folder / "hooked" / "letters.py", LETTER)
    write(folder / "hooked" / "hooked.py", HOOKED)
    write(folder / "broken" / "app.py", 'raise RuntimeError("no such model file")\n')
    write(folder / "stuck" / "app.py", "import time\ntime.sleep(600)\n")
    made_by_command = {name: str(folder / name) for _, name, *_ in CREATED}
    return {
        "stuck": f"{folder / 'stuck' / 'app.py'}:crew",
        **made_by_command,
        "review_flow": f"{folder / 'flow' / 'review.py'}:ReviewFlow",
        "hooked": f"{folder / 'hooked' / 'hooked.py'}:Hooked",
        "broken": f"{folder / 'broken' / 'app.py'}:crew",
        "nowhere": str(folder / "nowhere"),
    }


def office(folder: Path) -> str:
    """A Crew object with a module beside it, and a package in an environment of its own."""
    installed = folder / ".venv" / "lib" / "python3.11" / "site-packages"
    write(installed / "house_phrases" / "__init__.py", "greeting = 'Dear {}'.format\n")
    write(folder / "pyproject.toml", "[project]\nname = 'office'\n")
    write(folder / "letters.py", LETTER)
    write(folder / "office.py", OFFICE)
    return f"{folder / 'office.py'}:crew"


def _make_it_ask(project: Path) -> None:
    crew = project / "src" / project.name / "crew.py"
    asking = (
        '        print("Two tones are offered.")\n'
        '        self.tone = input("Which tone? ")\n'
        "        return Crew("
    )
    _replace(crew, "        return Crew(", asking)
    _replace(crew, "output_file='report.md'", "output_file='report.md', human_input=True")
    (project / ".env").write_text(f"PROJECT_API_KEY={SECRET}\n")


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
