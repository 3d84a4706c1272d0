"""crewai's events that need no more than a name in the log, and those that are left out, with why.

With `events.HANDLERS` these are all of them: a test walks crewai's classes, and fails on one that
nobody has decided about. Names are crewai's types; nothing here is called.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from service.events.kinds import Kind

STARTED, FINISHED, FAILED = "started", "finished", "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """How an event is recorded. fields: its attributes that go into data, under their own names."""

    kind: Kind
    name: str
    fields: tuple[str, ...] = ()

    @property
    def opens(self) -> bool:
        return self.name.endswith(f".{STARTED}")

    @property
    def closes(self) -> bool:
        return self.name.endswith((f".{FINISHED}", f".{FAILED}"))


def _call(name: str, phase: str, *fields: str) -> Entry:
    return Entry(Kind.ACTION, f"{name}.{phase}", fields)


def _thought(name: str, *fields: str) -> Entry:
    """A thought whose text is made of these attributes."""
    return Entry(Kind.THOUGHT, name, fields)


MEMORY = {
    "memory_query_started": _call("memory.query", STARTED, "query", "limit"),
    "memory_query_completed": _call("memory.query", FINISHED, "query", "results"),
    "memory_query_failed": _call("memory.query", FAILED, "query", "error"),
    "memory_save_started": _call("memory.save", STARTED, "value", "metadata"),
    "memory_save_completed": _call("memory.save", FINISHED, "value", "metadata"),
    "memory_save_failed": _call("memory.save", FAILED, "value", "error"),
    "memory_retrieval_started": _call("memory.retrieval", STARTED),
    "memory_retrieval_completed": _call("memory.retrieval", FINISHED, "memory_content"),
    "memory_retrieval_failed": _call("memory.retrieval", FAILED, "error"),
}

KNOWLEDGE = {
    "knowledge_query_started": _call("knowledge.query", STARTED, "task_prompt"),
    "knowledge_query_completed": _call("knowledge.query", FINISHED, "query"),
    "knowledge_query_failed": _call("knowledge.query", FAILED, "error"),
    "knowledge_search_query_started": _call("knowledge.search", STARTED),
    "knowledge_search_query_completed": _call(
        "knowledge.search", FINISHED, "query", "retrieved_knowledge"
    ),
    "knowledge_search_query_failed": _call("knowledge.search", FAILED, "query", "error"),
}

# The tool that an agent calls shows as tool.* besides; these are what goes on behind it.
MCP = {
    "mcp_connection_started": _call("mcp.connection", STARTED, "server_name", "transport_type"),
    "mcp_connection_completed": _call("mcp.connection", FINISHED, "server_name"),
    "mcp_connection_failed": _call("mcp.connection", FAILED, "server_name", "error"),
    "mcp_config_fetch_failed": _call("mcp.connection", FAILED, "slug", "error"),
    "mcp_tool_execution_started": _call(
        "mcp.tool", STARTED, "server_name", "tool_name", "tool_args"
    ),
    "mcp_tool_execution_completed": _call(
        "mcp.tool", FINISHED, "server_name", "tool_name", "result"
    ),
    "mcp_tool_execution_failed": _call("mcp.tool", FAILED, "server_name", "tool_name", "error"),
}

A2A_AGENT = ("a2a_agent_name", "endpoint")
DELEGATION = {
    "a2a_delegation_started": _call("delegate", STARTED, *A2A_AGENT, "task_description"),
    "a2a_delegation_completed": _call("delegate", FINISHED, *A2A_AGENT, "status", "result"),
    "a2a_parallel_delegation_started": _call("delegate.parallel", STARTED, "endpoints"),
    "a2a_parallel_delegation_completed": _call("delegate.parallel", FINISHED, "results"),
    "a2a_conversation_started": _call("delegate.conversation", STARTED, *A2A_AGENT),
    "a2a_conversation_completed": _call(
        "delegate.conversation", FINISHED, *A2A_AGENT, "status", "final_result", "error"
    ),
    "a2a_message_sent": _call("delegate", "sent", *A2A_AGENT, "message"),
    "a2a_response_received": _call("delegate", "received", *A2A_AGENT, "response", "status"),
    "a2a_artifact_received": _call("delegate", "artifact", "artifact_name", "mime_type"),
    "a2a_polling_status": _call("delegate", "polling", "state", "elapsed_seconds"),
    "a2a_connection_error": _call("delegate.connection", FAILED, *A2A_AGENT, "error"),
    "a2a_authentication_failed": _call("delegate.connection", FAILED, *A2A_AGENT, "error"),
    "a2a_push_notification_timeout": _call("delegate.notification", FAILED, "timeout_seconds"),
}

GUARDRAILS = {
    "llm_guardrail_started": _call("guardrail", STARTED, "guardrail_name", "retry_count"),
    "llm_guardrail_completed": _call(
        "guardrail", FINISHED, "guardrail_name", "success", "error", "retry_count"
    ),
}

THOUGHTS = {
    "agent_reasoning_failed": _thought("observation", "error"),
    "step_observation_completed": _thought("observation", "key_information_learned"),
    "step_observation_failed": _thought("observation", "error"),
    "goal_achieved_early": _thought("observation", "step_description"),
    "plan_refinement": _thought("plan", "refinements"),
    "plan_replan_triggered": _thought("plan", "replan_reason"),
}

OTHERS = {
    "plan_step_started": _call("plan.step", STARTED, "step_number", "step_description"),
    "plan_step_completed": _call("plan.step", FINISHED, "step_number", "success", "error"),
    "context_window_summarization_started": _call("summary", STARTED, "model"),
    "context_window_summarization_completed": _call("summary", FINISHED, "model"),
    "context_window_summarization_failed": _call("summary", FAILED, "model", "error"),
    "skill_loaded": _call("skill", "loaded", "skill_name"),
    "skill_activated": _call("skill", "activated", "skill_name"),
    "skill_used": _call("skill", "used", "skill_name"),
    "skill_load_failed": _call("skill", FAILED, "skill_name", "error"),
    "tool_selection_error": _call("tool", FAILED, "tool_name", "error"),
    "tool_validate_input_error": _call("tool", FAILED, "tool_name", "error"),
    "tool_execution_error": _call("tool", FAILED, "tool_name", "error"),
}

SIMPLE: Mapping[str, Entry] = MEMORY | KNOWLEDGE | MCP | DELEGATION | GUARDRAILS | THOUGHTS | OTHERS

_ITS_END = "its end says all; the model's call inside it shows that it has begun"
_REQUEST = "the question is a request, with HUMAN_INPUT_REQUEST and HUMAN_RESPONSE"
_MISSION = "the mission's own STATUS events say it"
_TERMINAL = "belongs to another command of crewai (train, test, evaluate, plot, chat)"
_CHECKPOINTS = "Longline resumes by finished tasks, not by crewai's checkpoints"
_SERVER = "Longline serves no A2A: it only calls other agents"
_WIRE = "a detail of the A2A transport; what was said is delegate.*"
_PROCESS = "about the process or the machine, not about the mission"
_TWICE = "the same thing has an event already"

LEFT_OUT: Mapping[str, str] = {
    "agent_logs_started": "repeats the task's description",
    "agent_reasoning_started": _ITS_END,
    "step_observation_started": _ITS_END,
    "crew_train_started": _TERMINAL,
    "crew_train_completed": _TERMINAL,
    "crew_train_failed": _TERMINAL,
    "crew_test_started": _TERMINAL,
    "crew_test_completed": _TERMINAL,
    "crew_test_failed": _TERMINAL,
    "crew_test_result": _TERMINAL,
    "task_evaluation": _TERMINAL,
    "agent_evaluation_started": _TERMINAL,
    "agent_evaluation_completed": _TERMINAL,
    "agent_evaluation_failed": _TERMINAL,
    "flow_created": _MISSION,
    "flow_started": _MISSION,
    "flow_finished": _MISSION,
    "flow_failed": _MISSION,
    "flow_plot": _TERMINAL,
    "flow_paused": _REQUEST,
    "method_execution_paused": _REQUEST,
    "flow_input_requested": _REQUEST,
    "flow_input_received": _REQUEST,
    "human_feedback_requested": _REQUEST,
    "human_feedback_received": _REQUEST,
    "conversation_turn_started": _TERMINAL,
    "conversation_turn_completed": _TERMINAL,
    "conversation_turn_failed": _TERMINAL,
    "conversation_message_added": _TERMINAL,
    "conversation_route_selected": _TERMINAL,
    "checkpoint_started": _CHECKPOINTS,
    "checkpoint_completed": _CHECKPOINTS,
    "checkpoint_failed": _CHECKPOINTS,
    "checkpoint_pruned": _CHECKPOINTS,
    "checkpoint_fork_started": _CHECKPOINTS,
    "checkpoint_fork_completed": _CHECKPOINTS,
    "checkpoint_restore_started": _CHECKPOINTS,
    "checkpoint_restore_completed": _CHECKPOINTS,
    "checkpoint_restore_failed": _CHECKPOINTS,
    "a2a_agent_card_fetched": _WIRE,
    "a2a_content_type_negotiated": _WIRE,
    "a2a_transport_negotiated": _WIRE,
    "a2a_streaming_started": _WIRE,
    "a2a_streaming_chunk": "delegate.received has the whole answer",
    "a2a_polling_started": _WIRE,
    "a2a_push_notification_registered": _WIRE,
    "a2a_push_notification_received": _WIRE,
    "a2a_push_notification_sent": _SERVER,
    "a2a_context_created": _SERVER,
    "a2a_context_idle": _SERVER,
    "a2a_context_expired": _SERVER,
    "a2a_context_completed": _SERVER,
    "a2a_context_pruned": _SERVER,
    "a2a_server_task_started": _SERVER,
    "a2a_server_task_completed": _SERVER,
    "a2a_server_task_failed": _SERVER,
    "a2a_server_task_canceled": _SERVER,
    "tool_failure_detected": _TWICE,
    "hook_dispatched": "says that a hook ran, ours among them; what it decided is tool.blocked",
    "skill_discovery_started": _PROCESS,
    "skill_discovery_completed": _PROCESS,
    "cc_env": _PROCESS,
    "codex_env": _PROCESS,
    "cursor_env": _PROCESS,
    "default_env": _PROCESS,
    "SIGINT": _PROCESS,
    "SIGTERM": _PROCESS,
    "SIGHUP": _PROCESS,
    "SIGTSTP": _PROCESS,
    "SIGCONT": _PROCESS,
}
