"""A mission's limits: kept exactly, raised by a human only, and never silently not kept."""

import threading
from typing import Any

import pytest

from service.missions.spec import LimitsSpec
from service.requests.question import Answer, Question, RequestStatus
from service.worker.limits import Ask, Limits


def usage(tokens: int, cost_usd: float | None = 0.0) -> dict[str, Any]:
    return {"model": "m", "prompt_tokens": tokens - 1, "completion_tokens": 1, "cost_usd": cost_usd}


def limits(ask: Ask | None = None, *, tokens: int = 0, cost_usd: float | None = None, **spec: Any):
    return Limits(LimitsSpec(**spec), tokens=tokens, cost_usd=cost_usd, ask=ask)


class Human:
    """Answers from a list; None is nobody."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.questions: list[Question] = []

    def __call__(self, question: Question) -> Answer:
        self.questions.append(question)
        value = self.answers.pop(0)
        status = RequestStatus.EXPIRED if value is None else RequestStatus.ANSWERED
        return Answer(status, value, "Ann", question.prompt, question.context)


def test_a_limit_is_reached_behind_it_and_not_on_it() -> None:
    kept = limits(max_tokens=10)
    kept.count(usage(10))
    assert kept.reached is None
    kept.count(usage(1))
    assert kept.reached is not None
    assert (kept.reached.limit, kept.reached.allowed, kept.reached.used) == ("max_tokens", 10, 11)


def test_what_earlier_attempts_used_counts() -> None:
    kept = limits(tokens=9, max_tokens=10)
    kept.count(usage(2))
    assert kept.reached is not None
    dear = limits(cost_usd=0.9, max_cost_usd=1.0)
    dear.count(usage(1, 0.2))
    assert dear.reached is not None
    assert "$1.1" in dear.reached.message


def test_without_limits_nothing_is_reached() -> None:
    kept = limits()
    kept.count(usage(10**9, None))
    assert kept.reached is None


def test_a_cost_that_nobody_knows_is_not_taken_for_none() -> None:
    kept = limits(max_cost_usd=1.0)
    kept.count(usage(1, None))
    assert kept.reached is not None
    assert "price of m is not known" in kept.reached.message


def test_a_human_raises_a_limit_as_often_as_it_takes() -> None:
    human = Human({"new_limit": 20}, {"new_limit": 25}, {})
    kept = limits(human, max_tokens=10)
    for _ in range(5):
        kept.count(usage(5))
    assert kept.reached is None
    assert [q.key for q in human.questions] == [f"limit:max_tokens:{n}" for n in (1, 2)]
    kept.count(usage(1))
    assert kept.reached is not None
    kept = limits(Human({"new_limit": 20}, {}), max_tokens=10)
    kept.count(usage(15))
    kept.count(usage(15))
    assert kept.reached is not None
    assert kept.reached.allowed == 20


@pytest.mark.parametrize("answer", [None, {}])
def test_nobodys_answer_and_an_empty_one_stop_the_mission(answer: Any) -> None:
    kept = limits(Human(answer), max_tokens=10)
    kept.count(usage(11))
    assert kept.reached is not None


def test_the_question_takes_only_a_limit_that_helps() -> None:
    human = Human({})
    limits(human, max_tokens=10).count(usage(12))
    (question,) = human.questions
    assert question.schema is not None
    assert question.schema["properties"]["new_limit"]["exclusiveMinimum"] == 12


def test_a_human_may_let_a_mission_go_on_whose_price_nobody_knows() -> None:
    human = Human({"new_limit": 1.0})
    kept = limits(human, max_cost_usd=1.0)
    kept.count(usage(1, None))
    kept.count(usage(1, None))
    assert kept.reached is None
    assert len(human.questions) == 1


def test_others_wait_while_somebody_is_asked() -> None:
    asked, answered, went_on = threading.Event(), threading.Event(), threading.Event()

    def ask(question: Question) -> Answer:
        asked.set()
        kept.pause()  # who asks also looks whether it was cancelled
        assert answered.wait(10)
        return Answer(RequestStatus.ANSWERED, {}, "Ann", "", None)

    kept = limits(ask, max_tokens=1)
    asking = threading.Thread(target=kept.count, args=(usage(2),))
    asking.start()
    assert asked.wait(10)
    other = threading.Thread(target=lambda: (kept.pause(), went_on.set()))
    other.start()
    assert not went_on.wait(0.05)
    answered.set()
    asking.join(10)
    assert went_on.wait(10)
    assert kept.reached is not None
