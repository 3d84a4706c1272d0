"""What a mission may ask for: every misfit is refused, and the refusal names the place."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.api.parsing import fit
from service.errors import Problem
from service.events.text import decode, encode
from service.missions import specs
from service.missions.spec import MissionSpec


def agent(**changes: Any) -> dict[str, Any]:
    return {"name": "writer", "role": "Writer", "goal": "Write", "backstory": "Writes."} | changes


def task(name: str = "draft", **changes: Any) -> dict[str, Any]:
    whole = {"name": name, "description": "Write.", "expected_output": "Text.", "agent": "writer"}
    return whole | changes


def mission(**changes: Any) -> dict[str, Any]:
    return {"agents": [agent()], "plan": [task()]} | changes


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name != key}


def refused(value: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        fit(MissionSpec, value)
    assert caught.value.declared.status == 422
    return caught.value


def places(value: Any) -> list[str]:
    return [error["pointer"] for error in refused(value).extra["errors"]]


def plan_of(**contexts: list[str] | None) -> dict[str, Any]:
    """A mission of tasks a, b, c … with the contexts given."""
    return mission(plan=[task(name, context=context) for name, context in contexts.items()])


# Keys


@pytest.mark.parametrize(
    ("value", "pointer", "meant"),
    [
        (mission(tasks=[]), "/tasks", None),
        (mission(agentss=[]), "/agentss", "agents"),
        (mission(agents=[agent(tool=[])]), "/agents/0/tool", "tools"),
        (mission(plan=[task(), task("b", expected="x")]), "/plan/1/expected", "expected_output"),
        (mission(human={"timeout": 3}), "/human/timeout", "timeout_s"),
        (mission(limits={"max_second": 3}), "/limits/max_second", "max_seconds"),
        (
            mission(agents=[agent(tools=[{"name": "ask_human", "aprove": True}])]),
            "/agents/0/tools/0/aprove",
            "approve",
        ),
    ],
)
def test_an_unknown_key_is_refused_and_the_one_meant_is_named(value, pointer, meant):
    problem = refused(value)
    assert problem.code == "unknown_field"
    assert problem.extra["field"] == pointer.rpartition("/")[2]
    assert [error["pointer"] for error in problem.extra["errors"]] == [pointer]
    if meant:
        assert problem.extra["did_you_mean"] == meant


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (without(mission(), "agents"), "/agents"),
        (without(mission(), "plan"), "/plan"),
        (mission(agents=[without(agent(), "goal")]), "/agents/0/goal"),
        (mission(plan=[task(), without(task("b"), "expected_output")]), "/plan/1/expected_output"),
    ],
)
def test_a_missing_key_is_named(value, pointer):
    assert places(value) == [pointer]


# Values


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ([], ""),
        (mission(agents=[]), "/agents"),
        (mission(plan=[]), "/plan"),
        (mission(plan=[task(str(i)) for i in range(101)]), "/plan"),
        (mission(title=""), "/title"),
        (mission(title="x" * 501), "/title"),
        (mission(title=7), "/title"),
        (mission(engine="autogen"), "/engine"),
        (mission(process="parallel"), "/process"),
        (mission(on_worker_lost="retry"), "/on_worker_lost"),
        (mission(on_limit="raise"), "/on_limit"),
        (mission(agents=[agent(name="")]), "/agents/0/name"),
        (mission(agents=[agent(name="two\nlines")]), "/agents/0/name"),
        (mission(agents=[agent(goal="")]), "/agents/0/goal"),
        (mission(plan=[task(human_input="yes")]), "/plan/0/human_input"),
        (mission(plan=[task(output_file="../secret")]), "/plan/0/output_file"),
        (mission(plan=[task(output_file="a\\b")]), "/plan/0/output_file"),
        (mission(plan=[task(context="draft")]), "/plan/0/context"),
        (mission(human={"timeout_s": 0}), "/human/timeout_s"),
        (mission(human={"timeout_s": 86_401}), "/human/timeout_s"),
        (mission(human={"timeout_s": "300"}), "/human/timeout_s"),
        (mission(human={"on_timeout": "wait"}), "/human/on_timeout"),
        (mission(limits={"max_seconds": -1}), "/limits/max_seconds"),
        (mission(limits={"max_tokens": 0}), "/limits/max_tokens"),
        (mission(limits={"max_tokens": 1.5}), "/limits/max_tokens"),
        (mission(limits={"max_cost_usd": 0}), "/limits/max_cost_usd"),
        (mission(limits={"max_cost_usd": float("inf")}), "/limits/max_cost_usd"),
    ],
)
def test_a_value_out_of_bounds_is_refused_where_it_stands(value, pointer):
    assert places(value) == [pointer]


@pytest.mark.parametrize("value", [None, [], {}, float("nan"), float("inf")])
def test_an_input_is_a_plain_value(value):
    assert set(places(mission(inputs={"topic": value}))) == {"/inputs/topic"}


# Names that have to be there


def test_a_task_for_an_unknown_agent_is_refused():
    value = mission(plan=[task(), task("b", agent="nobody"), task("c", agent="Writer")])
    assert places(value) == ["/plan/1/agent", "/plan/2/agent"]


def test_only_a_manager_may_choose_who_does_a_task():
    whole = task()
    del whole["agent"]
    assert places(mission(plan=[whole])) == ["/plan/0/agent"]
    fit(MissionSpec, mission(plan=[whole], process="hierarchical"))
    checked = mission(plan=[whole | {"guardrail": "Be kind."}], process="hierarchical")
    assert places(checked) == ["/plan/0/agent"]


def test_a_name_stands_for_one_agent_and_one_task():
    value = mission(agents=[agent(), agent()], plan=[task(), task("b"), task()])
    assert places(value) == ["/agents/1/name", "/plan/2/name"]


def test_every_tool_that_is_named_has_its_place():
    value = mission(agents=[agent(tools=["ask_human", {"name": "shell"}]), agent(name="b")])
    assert list(fit(MissionSpec, value).tool_names()) == [
        ("/agents/0/tools/0", "ask_human"),
        ("/agents/0/tools/1", "shell"),
    ]


@pytest.mark.parametrize("tool", [7, None, {"approve": True}, ""])
def test_a_tool_is_a_name_or_an_object_with_one(tool):
    assert places(mission(agents=[agent(tools=[tool])]))[0].startswith("/agents/0/tools/0")


# Context


def test_a_task_reads_only_tasks_that_are_there():
    assert places(plan_of(a=None, b=["a", "z"])) == ["/plan/1/context/1"]


def test_a_task_reads_only_what_comes_before_it():
    assert places(plan_of(a=["b"], b=[], c=["a"])) == ["/plan/0/context/0"]


@pytest.mark.parametrize(
    ("contexts", "pointers"),
    [
        ({"a": ["a"]}, ["/plan/0/context/0"]),
        ({"a": ["b"], "b": ["a"]}, ["/plan/0/context/0", "/plan/1/context/0"]),
        (
            {"a": ["c"], "b": ["a"], "c": ["b"], "d": ["a"]},
            ["/plan/0/context/0", "/plan/1/context/0", "/plan/2/context/0"],
        ),
    ],
)
def test_tasks_that_wait_for_each_other_are_refused(contexts, pointers):
    problem = refused(plan_of(**contexts))
    assert [error["pointer"] for error in problem.extra["errors"]] == pointers
    assert "wait for each other" in problem.detail


def test_tasks_may_share_what_they_read():
    fit(MissionSpec, plan_of(a=None, b=["a"], c=["a"], d=["c", "b"], e=[]))


# Tasks beside each other


def test_a_task_does_not_read_what_runs_beside_it():
    beside = [task("a", async_execution=True), task("b", async_execution=True, context=["a"])]
    assert places(mission(plan=[*beside, task("c")])) == ["/plan/1/context/0"]
    between = [beside[0], task("x"), beside[1], task("c", context=["a", "b"])]
    fit(MissionSpec, mission(plan=between))


def test_one_task_at_most_still_runs_when_the_plan_is_through():
    last = [task("a"), task("b", async_execution=True)]
    fit(MissionSpec, mission(plan=last))
    assert places(mission(plan=[*last, task("c", async_execution=True)])) == [
        "/plan/2/async_execution"
    ]


def test_a_manager_gives_out_one_task_at_a_time():
    plan = [task("a", async_execution=True), task("b")]
    value = mission(plan=plan, process="hierarchical")
    assert places(value) == ["/plan/0/async_execution"]


# Structured results

OBJECT = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_a_result_may_have_a_schema():
    nested = OBJECT | {"properties": {"x": {"$ref": "#/$defs/x"}}, "$defs": {"x": OBJECT}}
    for schema in (OBJECT, nested):
        spec = fit(MissionSpec, mission(plan=[task(output_schema=schema)]))
        assert specs.load(decode(encode(specs.dump(spec)))) == spec


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "array"},
        {"type": "object"},
        {"type": "object", "properties": {"n": {"type": "number of"}}},
        {"type": "object", "properties": {"n": {"$ref": "http://10.0.0.1/schema"}}},
        {"type": "object", "properties": {"n": {"$ref": "file:///etc/passwd"}}},
        {"type": "object", "properties": {"n": {"allOf": [{"$ref": "other.json#/x"}]}}},
        {"type": "object", "properties": {str(n): {} for n in range(501)}},
    ],
)
def test_a_schema_that_no_result_could_have_or_that_points_elsewhere_is_refused(schema):
    assert places(mission(plan=[task(output_schema=schema)])) == ["/plan/0/output_schema"]


# Placeholders


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (mission(agents=[agent(role="{topic} expert")]), "/agents/0/role"),
        (mission(agents=[agent(goal="Know {topic}")]), "/agents/0/goal"),
        (mission(agents=[agent(backstory="{topic}")]), "/agents/0/backstory"),
        (mission(plan=[task(description="On {topic} and {topic}")]), "/plan/0/description"),
        (mission(plan=[task(expected_output="A {topic}")]), "/plan/0/expected_output"),
    ],
)
def test_a_placeholder_without_an_input_is_refused(value, pointer):
    assert places(value) == [pointer]
    assert "{topic}" in refused(value).detail
    fit(MissionSpec, value | {"inputs": {"topic": "pumps"}})


@pytest.mark.parametrize("text", ["{}", '{"a": 1}', "{ topic }", "{1}", "a } b { c"])
def test_braces_that_are_no_placeholder_are_text(text):
    fit(MissionSpec, mission(plan=[task(description=text)]))


def test_all_that_is_wrong_is_told_at_once():
    value = mission(plan=[task(agent="nobody", description="{topic}", context=["z"])])
    assert places(value) == ["/plan/0/agent", "/plan/0/context/0", "/plan/0/description"]


# What fits


def test_what_is_left_out_has_the_defaults_of_the_contract():
    spec = fit(MissionSpec, mission())
    assert (spec.engine, spec.process, spec.model) == ("crewai", "sequential", None)
    assert (spec.human.timeout_s, spec.human.on_timeout) == (300.0, "continue")
    assert (spec.limits.max_seconds, spec.limits.max_tokens) == (3600.0, None)
    assert spec.on_worker_lost == "resume"
    assert spec.plan[0].context is None


def test_a_tool_by_its_name_needs_no_approval():
    approved = {"name": "ask_human", "approve": True}
    [writer] = fit(MissionSpec, mission(agents=[agent(tools=["calculator", approved])])).agents
    assert [(use.name, use.approve) for use in writer.tool_uses()] == [
        ("calculator", False),
        ("ask_human", True),
    ]


def test_every_model_that_is_named_has_its_place():
    value = mission(model="openai/a", agents=[agent(), agent(name="b", model="openai/b")])
    assert list(fit(MissionSpec, value).model_names()) == [
        ("/model", "openai/a"),
        ("/agents/1/model", "openai/b"),
    ]


@pytest.mark.parametrize(
    ("value", "title"),
    [
        (mission(title="Mine"), "Mine"),
        (mission(plan=[task(description="\n  First line.  \nSecond.")]), "First line.  "),
        (mission(plan=[task(description="x" * 999)]), "x" * 200),
        (mission(plan=[task(description=" \n")]), "draft"),
    ],
)
def test_a_mission_without_a_title_is_named_by_its_first_task(value, title):
    assert fit(MissionSpec, value).display_title() == title


INPUTS = st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(-1e300, 1e300)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(inputs=st.dictionaries(st.text(max_size=5), INPUTS, max_size=3))
def test_a_spec_comes_back_from_storage_as_it_was(inputs):
    spec = fit(MissionSpec, mission(inputs={k.replace("\0", ""): v for k, v in inputs.items()}))
    again = specs.load(decode(encode(specs.dump(spec))))
    for name, value in spec.inputs.items():
        expected = value.replace("\0", "\ufffd") if isinstance(value, str) else value
        assert (type(again.inputs[name]), again.inputs[name]) == (type(value), expected)
    assert again.model_copy(update={"inputs": spec.inputs}) == spec


def test_what_was_never_stored_is_not_loaded():
    with pytest.raises(ValidationError):
        specs.load({"plan": []})
