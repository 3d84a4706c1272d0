"""Nothing that langchain can say is forgotten: each callback is recorded, or left out for a reason."""

import pytest

pytestmark = pytest.mark.agents


def test_every_callback_of_langchain_is_recorded_or_left_out_for_a_reason(prepared: None) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    from service.agents.langchain.events import LEFT_OUT, EventHandler

    known = {name for name in dir(BaseCallbackHandler) if name.startswith("on_")}
    ours = {name for name in known if name in vars(EventHandler)}

    assert len(known) >= 17
    assert known - ours - set(LEFT_OUT) == set(), "nobody has decided about these"
    assert set(LEFT_OUT) - known == set(), "langchain has these no more"
    assert ours & set(LEFT_OUT) == set()
    assert all(LEFT_OUT.values())
