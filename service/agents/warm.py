"""What a mission's process would load and build first, done once in the process it is forked from.

The preload module of the forkserver: importing it costs three seconds, a child forked after it
begins its crew in a tenth of one. Starts no thread and runs no crew: a child forked after either
would hang.
"""

import httpcore
import openai.resources.chat
from crewai.events import AgentExecutionCompletedEvent, AgentExecutionStartedEvent
from openai.types.chat import ChatCompletionChunk

from service.agents import runner
from service.agents.crewai.crew import rehearse
from service.agents.crewai.llm import Model
from service.agents.endpoint import Endpoint

NOWHERE = Endpoint(model="none", base_url="http://127.0.0.1:9/v1", api_key="none")

LOADED = (httpcore, openai.resources.chat, runner)  # imported for their own sake

rehearse(Model.at(NOWHERE))
for built_late in (AgentExecutionStartedEvent, AgentExecutionCompletedEvent, ChatCompletionChunk):
    built_late.model_rebuild()  # else pydantic does it at the first of each, in every child
