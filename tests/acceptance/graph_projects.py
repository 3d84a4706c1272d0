"""Graphs, agents and chains as people write them, in folders and in a module."""

from pathlib import Path

from tests.acceptance.project_files import write

GRAPH = """
from typing import TypedDict
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt


class State(TypedDict, total=False):
    topic: str
    draft: str
    verdict: str


async def draft(state: State) -> State:
    if not state["topic"]:
        raise ValueError("nothing to write about")
    answer = await ChatOpenAI(model="scripted-1").ainvoke(f"task draft about {state['topic']}")
    return {"draft": answer.content}


def review(state: State) -> State:
    first = interrupt({"question": "Is it good?", "draft": state["draft"]})
    second = interrupt("Are you sure?")
    open("verdict.txt", "w").write(f"{first}, {second}")
    return {"verdict": f"{first}, {second}"}


builder = StateGraph(State)
builder.add_node(draft)
builder.add_node(review)
builder.add_edge(START, "draft")
builder.add_edge("draft", "review")
builder.add_edge("review", END)
graph = builder.compile(checkpointer=InMemorySaver())
"""

AGENT = '''
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_openai import ChatOpenAI


async def send(to: str) -> str:
    """Sends the letter."""
    return f"sent to {to}"


def build(config):
    gate = HumanInTheLoopMiddleware(interrupt_on={"send": True})
    return create_agent(ChatOpenAI(model="scripted-1"), [send], middleware=[gate])
'''

CHAIN = """
from getpass import getpass
from operator import itemgetter

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

model = ChatOpenAI(model="scripted-1", streaming=False)
prompt = ChatPromptTemplate.from_messages([("human", "task {topic} in the style of {style}")])
chain = prompt | model | StrOutputParser()


def shorten(text: str) -> str:
    print("shortening", text)
    return text[:20]


shouter = {"text": shorten} | RunnableLambda(itemgetter("text")) | model | StrOutputParser()


def unlock(text: str) -> str:
    return getpass("Passphrase: ")


vault = RunnableLambda(unlock)


class Note(BaseModel):
    to: str


noted = model.with_structured_output(Note)
"""


def graphs(folder: Path) -> dict[str, str]:
    """Graphs, agents and runnables. Those of a module are found where `site` is on the path."""
    write(folder / "graph" / "langgraph.json", '{"graphs": {"agent": "./agent.py:graph"}}')
    write(folder / "graph" / "agent.py", GRAPH)
    write(folder / "graph" / "sender.py", AGENT)
    write(folder / "site" / "house_chains.py", CHAIN)
    return {
        "graph": str(folder / "graph"),
        "agent": f"{folder / 'graph' / 'sender.py'}:build",
        **{name: f"house_chains:{name}" for name in ("chain", "shouter", "vault", "noted")},
    }
