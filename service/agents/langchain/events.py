"""langchain's callbacks in the words of the log. Called in the thread that works; decides nothing."""

# ruff: noqa: ARG002 - langchain passes these by name

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers._streaming import _StreamingCallbackHandler
from langgraph.errors import GraphBubbleUp

from service.agents.context import TaskResult
from service.agents.crewai.failures import Failure, explain
from service.agents.crewai.stage import Call, Calls
from service.agents.guard import GuardedContext
from service.agents.langchain import reading
from service.agents.langchain.scene import Scene, Steps
from service.agents.values import jsonable, shortened
from service.events.kinds import Kind

# Callbacks that are not recorded, and why; a test walks langchain's.
LEFT_OUT: Mapping[str, str] = {
    "on_text": "an intermediate text of old chains, which their model calls show",
    "on_retry": "each call that is tried again is a call of its own",
    "on_stream_event": "the same deltas as on_llm_new_token, in another form",
    "on_agent_finish": "the last answer of its model says it",
}

BROKEN = Failure("task_error", "The step failed.", retryable=False)


class EventHandler(BaseCallbackHandler, _StreamingCallbackHandler[Any]):
    """Takes langchain's callbacks to a RunContext.

    The base class makes every chat model stream, whether its owner asked for it or not: the one
    that langgraph uses itself. steps: of a graph whose nodes are the mission's tasks, else None.
    """

    raise_error = True
    run_inline = True  # in order, also in a graph that is async

    def __init__(
        self,
        context: GuardedContext,
        scene: Scene,
        steps: Steps | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._context = context
        self._scene = scene
        self._steps = steps
        self._secrets = secrets
        self._calls = Calls()
        self._tasks: dict[UUID, str | None] = {}
        self._models: dict[UUID, str] = {}

    def _begin(self, run_id: UUID, parent: UUID | None) -> None:
        self._context.check_cancelled()
        if parent is not None and parent in self._tasks:
            self._tasks[run_id] = self._tasks[parent]

    def _emit(
        self, kind: Kind, name: str, run_id: UUID, data: dict[str, Any], call: Call | None = None
    ) -> None:
        self._context.check_cancelled()
        self._context.emit(
            kind,
            name,
            data,
            agent=self._scene.agent,
            task=self._tasks.get(run_id) or self._scene.task,
            call=call.id if call else None,
        )

    # Steps of a graph

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **named: Any,
    ) -> None:
        self._begin(run_id, parent_run_id)
        if self._steps is None or not reading.is_step(named.get("name"), tags, metadata):
            return
        step = str((metadata or {}).get("langgraph_checkpoint_ns") or run_id)
        self._tasks[run_id] = self._steps.name(str(named["name"]), step)
        self._context.plan(self._steps.known())
        self._emit(Kind.STATUS, "task.started", run_id, {})
        self._models[run_id] = ""  # marks it as the step itself, not what runs inside

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        name = self._tasks.pop(run_id, None)
        if self._models.pop(run_id, None) == "" and name is not None:
            text, json = reading.output(outputs)
            self._context.finish_task(TaskResult(name, self._scene.agent, text, json))

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        is_step = self._models.pop(run_id, None) == ""
        if is_step and isinstance(error, Exception) and not isinstance(error, GraphBubbleUp):
            failure = explain(error, self._secrets) or BROKEN
            self._emit(Kind.STATUS, "task.failed", run_id, {"reason": failure.message})
            self._emit(Kind.ERROR, "task", run_id, failure.as_data())
        self._tasks.pop(run_id, None)

    # Calls of a model

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: list[list[Any]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **named: Any,
    ) -> None:
        shown = reading.messages(messages[0] if messages else [])
        self._model_started(run_id, parent_run_id, metadata, shown, named)

    def on_llm_start(
        self,
        serialized: Any,
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **named: Any,
    ) -> None:
        self._model_started(run_id, parent_run_id, metadata, reading.prompts(prompts), named)

    def _model_started(
        self, run_id: UUID, parent: UUID | None, metadata: Any, shown: Any, named: Any
    ) -> None:
        self._begin(run_id, parent)
        parameters = named.get("invocation_params") or {}
        self._models[run_id] = reading.model_name(metadata, parameters)
        data = {"model": self._models[run_id], "messages": shown}
        if parameters.get("tools"):
            data["tools"] = [reading.tool_name(tool) for tool in parameters["tools"]]
        self._emit(Kind.ACTION, "llm.started", run_id, data, self._calls.open(str(run_id)))

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **_: Any) -> None:
        call = self._calls.open(str(run_id))
        text, args, thought = reading.deltas(token, chunk)
        if text:
            call.streamed = True
            self._emit(Kind.STREAM, "text", run_id, {"delta": text}, call)
        if args:
            self._emit(Kind.STREAM, "tool_args", run_id, {"delta": args}, call)
        if thought:
            call.thinking.append(thought)

    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:
        call = self._calls.close(str(run_id))
        model = self._models.pop(run_id, "")
        message = reading.message_of(response)
        text = reading.text_of(message)
        if text and not call.streamed:
            self._emit(Kind.STREAM, "text", run_id, {"delta": text}, call)
        self._emit_thinking(run_id, call)
        data = {
            "model": model,
            "finish_reason": reading.finish_reason(response, message),
            "duration_ms": call.duration_ms(),
        }
        self._emit(Kind.ACTION, "llm.finished", run_id, data, call)
        self._emit(Kind.USAGE, "call", run_id, reading.usage(model, message, response), call)
        self._tasks.pop(run_id, None)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        call = self._calls.close(str(run_id))
        self._emit_thinking(run_id, call)
        known = explain(error, self._secrets)
        failure = known or Failure("model_error", "The call of the model failed.", retryable=False)
        data = {
            "model": self._models.pop(run_id, ""),
            "error": failure.message,
            "duration_ms": call.duration_ms(),
        }
        self._emit(Kind.ACTION, "llm.failed", run_id, data, call)
        self._emit(Kind.ERROR, "llm", run_id, failure.as_data(), call)

    def _emit_thinking(self, run_id: UUID, call: Call) -> None:
        if call.thinking:
            text = shortened("".join(call.thinking))
            self._emit(Kind.THOUGHT, "reasoning", run_id, {"text": text}, call)

    # Calls of a tool

    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        inputs: Any = None,
        **named: Any,
    ) -> None:
        self._begin(run_id, parent_run_id)
        name = str((serialized or {}).get("name") or named.get("name"))
        self._models[run_id] = name
        data = {"tool": name, "args": reading.arguments(inputs, input_str)}
        self._emit(Kind.ACTION, "tool.started", run_id, data, self._calls.open(str(run_id)))

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        call = self._calls.close(str(run_id))
        data = {"tool": self._models.pop(run_id, ""), "duration_ms": call.duration_ms()}
        text = reading.tool_output(output)
        if getattr(output, "status", None) == "error":
            self._tool_failed(run_id, data, str(text), call)
            return
        self._emit(Kind.ACTION, "tool.finished", run_id, data | {"output": text}, call)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        call = self._calls.close(str(run_id))
        data = {"tool": self._models.pop(run_id, ""), "duration_ms": call.duration_ms()}
        if isinstance(error, GraphBubbleUp):  # it asks a human, and is called again with the answer
            reason = {"reason": "It waits for a human."}
            self._emit(Kind.ACTION, "tool.blocked", run_id, data | reason, call)
            return
        self._tool_failed(run_id, data, f"{type(error).__name__}: {error}", call)

    def _tool_failed(self, run_id: UUID, data: dict[str, Any], error: str, call: Call) -> None:
        error = shortened(error)
        self._emit(Kind.ACTION, "tool.failed", run_id, data | {"error": error}, call)
        failure = Failure("tool_error", error, retryable=True)
        self._emit(Kind.ERROR, "tool", run_id, failure.as_data(), call)

    # Retrievers, agents of old, and what a project says itself

    def on_retriever_start(
        self,
        serialized: Any,
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **_: Any,
    ) -> None:
        self._begin(run_id, parent_run_id)
        call = self._calls.open(str(run_id))
        self._emit(Kind.ACTION, "knowledge.search.started", run_id, {"query": query}, call)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **_: Any) -> None:
        call = self._calls.close(str(run_id))
        found = [shortened(str(getattr(document, "page_content", ""))) for document in documents]
        data = {"retrieved_knowledge": jsonable(found), "duration_ms": call.duration_ms()}
        self._emit(Kind.ACTION, "knowledge.search.finished", run_id, data, call)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        call = self._calls.close(str(run_id))
        data = {"error": shortened(str(error)), "duration_ms": call.duration_ms()}
        self._emit(Kind.ACTION, "knowledge.search.failed", run_id, data, call)

    def on_agent_action(self, action: Any, *, run_id: UUID, **_: Any) -> None:
        thought = str(getattr(action, "log", "") or "").strip()
        if thought:
            self._emit(Kind.THOUGHT, "reasoning", run_id, {"text": shortened(thought)})

    def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **_: Any) -> None:
        self._emit(Kind.ACTION, "custom", run_id, {"name": name, "data": jsonable(data)})

    def tap_output_iter(self, run_id: UUID, output: Iterator[Any]) -> Iterator[Any]:
        return output

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[Any]) -> AsyncIterator[Any]:
        return output
