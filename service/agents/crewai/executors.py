"""crewai's executors, one for each task's agent: what each would build and then throw away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crewai.agents.agent_executor import AgentExecutor, AgentExecutorState


@contextmanager
def state_made_once() -> Iterator[None]:
    """While this lasts, an executor begins with the state that it gives itself anyway.

    As the flow that it is, it first makes a class for its state, with a schema of its own: a fifth of
    what a crew takes till its model is asked, and memory of each run. Then it sets another state.
    """
    theirs = AgentExecutor._create_initial_state

    def ours(_self: Any) -> AgentExecutorState:
        return AgentExecutorState()

    AgentExecutor._create_initial_state = ours  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        AgentExecutor._create_initial_state = theirs  # type: ignore[method-assign]
