"""Agents and tasks that name each other: each name has to be there, and nothing waits for itself."""

import pytest

from service.api.parsing import fit
from service.missions.spec import MissionSpec
from tests.unit.specs import agent, mission, places, plan_of, refused, task


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
