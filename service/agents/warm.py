"""What a mission's process would load and build first, done once in the process it is forked from.

The preload module of the forkserver: importing it costs three seconds, a child forked after it
begins its crew in a tenth of one. Starts no thread and runs no crew: a child forked after either
would hang.
"""

import gc

import crewai.hooks.contexts
import crewai.llms.cache
import genai_prices.data
import httpcore
import openai.resources.chat
from crewai.events import AgentExecutionCompletedEvent, AgentExecutionStartedEvent
from openai.types.chat import ChatCompletionChunk

from service.agents import runner
from service.agents.crewai.crew import rehearse
from service.agents.crewai.llm import Model
from service.agents.endpoint import Endpoint

NOWHERE = Endpoint(model="none", base_url="http://127.0.0.1:9/v1", api_key="none")

LOADED = (  # imported for their own sake
    crewai.hooks.contexts,
    crewai.llms.cache,
    genai_prices.data,
    httpcore,
    openai.resources.chat,
    runner,
)

rehearse(Model.at(NOWHERE))
for built_late in (AgentExecutionStartedEvent, AgentExecutionCompletedEvent, ChatCompletionChunk):
    built_late.model_rebuild()  # else pydantic does it at the first of each, in every child

# A collection in a child would walk, and so copy, all that it shares with its parent.
gc.collect()
gc.freeze()
