"""From POST /missions to the mission's first STREAM event at a client, on a scripted model.

The baseline is crewai by itself: kickoff to the first chunk of the same crew on the same
endpoint, in one warm process.
"""

import json
import statistics
import subprocess
import sys
import time

from tests.bench.table import Figure, quantile
from tests.missions import mission
from tests.model_server import ModelServer, Reply, Rule
from tests.processes import Longline

MISSIONS = 20
# Between two missions: the worker has come to rest, and has prepared a process for the next one.
REST_S = 1.0
TEXT = "One two three four five six seven eight nine ten."

BARE = """
import json, sys, time
from crewai import LLM, Agent, Crew, Task
from crewai.events.stream_context import add_stream_sink

url, runs = sys.argv[1], int(sys.argv[2])
first = []

def sink(source, event):
    if event.type == "agent_execution_started":
        event.agent.llm.stream = True
    if event.type == "llm_stream_chunk" and not first:
        first.append(time.monotonic_ns())

add_stream_sink(sink)
samples = []
for _ in range(runs + 1):
    llm = LLM(model="scripted-1", provider="openai", base_url=url, api_key="k", stream=True)
    agent = Agent(role="The writer", goal="Write what was asked for",
                  backstory="You have written for years.", llm=llm)
    task = Task(description="Do the task draft.", expected_output="A few sentences.", agent=agent)
    first.clear()
    begin = time.monotonic_ns()
    Crew(agents=[agent], tasks=[task]).kickoff()
    samples.append((first[0] - begin) / 1e6)
print(json.dumps(samples[1:]))
"""


def measure(longline: Longline, server: ModelServer) -> list[Figure]:
    server.rules = [Rule(Reply(TEXT))]
    in_turn = [_first_word(longline) for _ in range(MISSIONS + 1)][1:]
    samples = [_first_word(longline, rest_s=REST_S) for _ in range(MISSIONS)]
    bare = subprocess.run(
        [sys.executable, "-c", BARE, server.base_url, str(MISSIONS)],
        env={
            **longline.environment,
            "CREWAI_DISABLE_TELEMETRY": "true",
            "OTEL_SDK_DISABLED": "true",
        },
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    baseline = json.loads(bare.stdout.splitlines()[-1])
    row, bare_p50 = "POST to first STREAM", statistics.median(baseline)
    p50 = statistics.median(samples)
    return [
        Figure(row, "p50 ms", p50, "crewai alone, warm", bare_p50),
        Figure(row, "p50 ms beyond crewai's", p50 - bare_p50, at_most=30),
        Figure(row, "p99 ms", quantile(samples, 99), "crewai alone, warm", quantile(baseline, 99)),
        Figure(row, "one behind the other, p50 ms", statistics.median(in_turn)),
    ]


def _first_word(longline: Longline, *, rest_s: float = 0.0) -> float:
    time.sleep(rest_s)
    begin = time.monotonic_ns()
    created = longline.client.create(mission())
    arrived = 0
    for event in longline.client.follow(created["id"]):
        if event["kind"] == "STREAM" and not arrived:
            arrived = time.monotonic_ns()
    return (arrived - begin) / 1e6
