"""What a mission may ask for: every misfit is refused, and the refusal names the place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.api.parsing import fit
from service.events.text import decode, encode
from service.missions import specs
from service.missions.spec import MissionSpec
from tests.unit.specs import agent, mission, places, refused, task, without

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
        (mission(title="On {topic}, {who}", inputs={"topic": "ten\npumps"}), "On ten pumps, {who}"),
        (mission(title="{topic}", inputs={"topic": "x" * 999}), "x" * 500),
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
