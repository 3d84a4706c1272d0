"""A mission that does not fit: 422, with a pointer to every place that is wrong, and nothing stored."""

from typing import Any

import pytest

from tests.api.server import Server, pointers, problem
from tests.contract.given import SPEC

AGENT, TASK = SPEC["agents"][0], SPEC["plan"][0]


def with_agent(**changes: Any) -> dict[str, Any]:
    return SPEC | {"agents": [AGENT | changes]}


def with_task(**changes: Any) -> dict[str, Any]:
    return SPEC | {"plan": [TASK | changes]}


def with_tool(tool: Any) -> dict[str, Any]:
    return with_agent(tools=["calculator", tool])


def plan(**contexts: list[str]) -> dict[str, Any]:
    """Tasks by name, each with the names of those it reads."""
    return SPEC | {"plan": [TASK | {"name": n, "context": c} for n, c in contexts.items()]}


def refused(server: Server, spec: Any, code: str = "invalid") -> dict[str, Any]:
    """The error that a spec gets. Nothing of it may be stored."""
    body = problem(server.post("/missions", spec), 422, code)
    assert server.poll()["head"] == 0
    return body


def without(item: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != key}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ["/agents", "/plan"]),
        ([], [""]),
        ("agents", [""]),
        (7, [""]),
        (without(SPEC, "agents"), ["/agents"]),
        (without(SPEC, "plan"), ["/plan"]),
        (SPEC | {"agents": []}, ["/agents"]),
        (SPEC | {"agents": {}}, ["/agents"]),
        (SPEC | {"agents": [7]}, ["/agents/0"]),
        (SPEC | {"agents": [AGENT | {"name": f"a{i}"} for i in range(51)]}, ["/agents"]),
        (SPEC | {"agents": [without(AGENT, "goal")]}, ["/agents/0/goal"]),
        (SPEC | {"plan": []}, ["/plan"]),
        (SPEC | {"plan": [TASK | {"name": f"t{i}"} for i in range(101)]}, ["/plan"]),
        (SPEC | {"plan": [without(TASK, "expected_output")]}, ["/plan/0/expected_output"]),
        (SPEC | {"title": ""}, ["/title"]),
        (SPEC | {"title": "x" * 501}, ["/title"]),
        (SPEC | {"title": 7}, ["/title"]),
        (SPEC | {"engine": "autogen"}, ["/engine"]),
        (SPEC | {"process": "parallel"}, ["/process"]),
        (SPEC | {"on_worker_lost": "retry"}, ["/on_worker_lost"]),
        (SPEC | {"model": "openai/nobody-has-it"}, ["/model"]),
        (SPEC | {"model": {}}, ["/model"]),
        (with_agent(model="openai/nobody-has-it"), ["/agents/0/model"]),
        (with_agent(name=""), ["/agents/0/name"]),
        (with_agent(name="a\nb"), ["/agents/0/name"]),
        (with_agent(name="x" * 101), ["/agents/0/name"]),
        (with_agent(role=None), ["/agents/0/role"]),
        (with_agent(role="two\nlines" * 100), ["/agents/0/role"]),
        (with_task(human_input="yes"), ["/plan/0/human_input"]),
        (with_task(human_input=1), ["/plan/0/human_input"]),
        (with_task(output_file="a/b.md"), ["/plan/0/output_file"]),
        (with_task(output_file="a\\b.md"), ["/plan/0/output_file"]),
        (with_task(output_file="a\0b"), ["/plan/0/output_file"]),
        (with_task(output_file=""), ["/plan/0/output_file"]),
    ],
)
def test_each_part_has_its_form(shared, spec, expected):
    assert pointers(refused(shared, spec)) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"human": 300}, ["/human"]),
        ({"human": {"timeout_s": 0}}, ["/human/timeout_s"]),
        ({"human": {"timeout_s": -1}}, ["/human/timeout_s"]),
        ({"human": {"timeout_s": 86_401}}, ["/human/timeout_s"]),
        ({"human": {"timeout_s": "300"}}, ["/human/timeout_s"]),
        ({"human": {"timeout_s": True}}, ["/human/timeout_s"]),
        ({"human": {"timeout_s": None}}, ["/human/timeout_s"]),
        ({"human": {"on_timeout": "wait"}}, ["/human/on_timeout"]),
        ({"limits": {"max_seconds": 0}}, ["/limits/max_seconds"]),
        ({"limits": {"max_seconds": 604_801}}, ["/limits/max_seconds"]),
        ({"limits": {"max_tokens": 1.5}}, ["/limits/max_tokens"]),
        ({"limits": {"max_tokens": 0}}, ["/limits/max_tokens"]),
        ({"limits": {"max_cost_usd": -0.1}}, ["/limits/max_cost_usd"]),
        ({"inputs": []}, ["/inputs"]),
        ({"inputs": {"a": None}}, ["/inputs/a"]),
        ({"inputs": {"a": []}}, ["/inputs/a"]),
        ({"inputs": {"a": {}}}, ["/inputs/a"]),
        ({"inputs": {"a/b~c": []}}, ["/inputs/a~1b~0c"]),
    ],
)
def test_every_number_and_value_is_in_its_bounds(shared, part, expected):
    assert pointers(refused(shared, SPEC | part)) == expected


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ("shell", ["/agents/0/tools/1"]),
        ({"name": "shell"}, ["/agents/0/tools/1"]),
        ("", ["/agents/0/tools/1"]),
        (7, ["/agents/0/tools/1"]),
        ({}, ["/agents/0/tools/1", "/agents/0/tools/1/name"]),
        (
            {"name": "calculator", "approve": "yes"},
            ["/agents/0/tools/1", "/agents/0/tools/1/approve"],
        ),
    ],
)
def test_a_tool_is_one_that_there_is(shared, tool, expected):
    assert pointers(refused(shared, with_tool(tool))) == expected


@pytest.mark.parametrize(
    ("spec", "expected", "said"),
    [
        (with_task(agent="nobody"), ["/plan/0/agent"], "nobody"),
        (SPEC | {"agents": [AGENT, AGENT]}, ["/agents/1/name"], "twice"),
        (SPEC | {"plan": [TASK, TASK, TASK]}, ["/plan/1/name", "/plan/2/name"], "twice"),
        (plan(a=[], b=["c"]), ["/plan/1/context/0"], "no task 'c'"),
        (plan(a=["a"]), ["/plan/0/context/0"], "wait for each other"),
        (plan(a=["b"], b=["a"]), ["/plan/0/context/0", "/plan/1/context/0"], "wait for each other"),
        (
            plan(a=["c"], b=["a"], c=["b"]),
            ["/plan/0/context/0", "/plan/1/context/0", "/plan/2/context/0"],
            "wait for each other",
        ),
        (plan(a=["b"], b=[]), ["/plan/0/context/0"], "later"),
        (with_task(description="On {topic}."), ["/plan/0/description"], "{topic}"),
        (with_task(expected_output="{n} words"), ["/plan/0/expected_output"], "{n}"),
        (with_agent(role="{a}", goal="{b}"), ["/agents/0/role", "/agents/0/goal"], "{a}"),
        (with_agent(backstory="{topic}{topic}"), ["/agents/0/backstory"], "{topic}"),
        (
            with_task(description="{topic}") | {"inputs": {"Topic": "x"}},
            ["/plan/0/description"],
            "{topic}",
        ),
    ],
)
def test_the_parts_hang_together(shared, spec, expected, said):
    body = refused(shared, spec)
    assert pointers(body) == expected
    assert said in body["errors"][0]["detail"]
    assert expected[0] in body["detail"]


@pytest.mark.parametrize(
    ("spec", "place", "meant"),
    [
        (SPEC | {"tittle": "x"}, "/tittle", "title"),
        (SPEC | {"tasks": []}, "/tasks", None),
        (SPEC | {"agent": "x"}, "/agent", "agent"),
        (SPEC | {"on_worker_los": "fail"}, "/on_worker_los", "on_worker_lost"),
        (with_agent(backstroy="x"), "/agents/0/backstroy", "backstory"),
        (with_agent(**{"a/b": 1}), "/agents/0/a~1b", None),
        (with_task(expected_ouput="x"), "/plan/0/expected_ouput", "expected_output"),
        (with_tool({"name": "calculator", "aprove": True}), "/agents/0/tools/1/aprove", "approve"),
        (SPEC | {"human": {"timeout": 5}}, "/human/timeout", "timeout_s"),
        (SPEC | {"limits": {"max_second": 5}}, "/limits/max_second", "max_seconds"),
    ],
)
def test_an_unknown_key_is_refused_with_the_one_that_was_meant(shared, spec, place, meant):
    body = refused(shared, spec, "unknown_field")
    assert (pointers(body), body["did_you_mean"]) == ([place], meant)
    assert body["field"] == place.rsplit("/", 1)[-1].replace("~1", "/")


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        (SPEC | {"process": "hierarchical"}, "/process"),
        (SPEC | {"planning": True}, "/planning"),
        (with_agent(allow_delegation=True), "/agents/0/allow_delegation"),
        (with_task(guardrail="It rhymes."), "/plan/0/guardrail"),
        (with_task(async_execution=True), "/plan/0/async_execution"),
    ],
)
def test_what_only_crewai_has_is_refused_of_langchain(shared, spec, place):
    assert place in pointers(refused(shared, spec | {"engine": "langchain"}))


def test_the_models_that_may_be_named_are_the_operator_s(tmp_path):
    with Server(tmp_path, model="openai/one", models="openai/two, ,openai/three") as server:
        for model in ("openai/one", "openai/two", "openai/three", None):
            assert server.post("/missions", SPEC | {"model": model}).status_code == 201
        body = problem(server.post("/missions", SPEC | {"model": "openai/four"}), 422, "invalid")
        assert "openai/one, openai/two, openai/three" in body["detail"]


@pytest.mark.parametrize(
    "spec",
    [
        plan(**{f"task-{i:03d}-{'x' * 91}": [f"none-{'y' * 95}"] * 20 for i in range(100)}),
        SPEC | {"x" * 200_000: 1},
        SPEC | {"\U000e0001" * 20_000: 1},
        SPEC | {"inputs": {"x" * 200_000: []}},
        with_task(description="{" + "x" * 90_000 + "}"),
        SPEC
        | {
            "agents": [
                AGENT | {"name": f"a{i}", "tools": ["\U000e0001" * 8] * 50} for i in range(49)
            ]
            + [AGENT]
        },
    ],
    ids=["faults", "key", "wide-key", "input", "placeholder", "tools"],
)
def test_an_error_stays_small_however_much_is_wrong(shared, spec):
    code = "unknown_field" if set(spec) - {*SPEC, "inputs"} else "invalid"
    assert refused(shared, spec, code)["errors"]
