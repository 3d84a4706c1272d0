"""The objects of the API as JSON Schema: what is sent and what comes back."""

from typing import Any

from pydantic import BaseModel

from service.api.links import LinkBody
from service.api.requests import AnswerBody
from service.api.webhooks import WebhookBody
from service.errors import ERRORS
from service.events.kinds import Kind
from service.missions.project_spec import ProjectSpec
from service.missions.spec import MissionSpec
from service.missions.states import Status
from service.requests.question import RequestStatus

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
ID: Schema = {"type": "integer", "minimum": 1}
ID_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 1}
MOMENT: Schema = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
ANY: Schema = {}
DOLLARS: Schema = {"type": ["number", "null"], "description": "null: a price is not known"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def listed(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def made_of(
    _description: str = "", /, *, optional: tuple[str, ...] = (), **members: Schema
) -> Schema:
    """An object. What is not optional is always there; there may be more one day."""
    always = [name for name in members if name not in optional]
    described = {"description": _description} if _description else {}
    return {"type": "object", **described, "properties": members, "required": always}


MODELS: dict[str, type[BaseModel]] = {
    "MissionSpec": MissionSpec,
    "ProjectSpec": ProjectSpec,
    "Answer": AnswerBody,
    "NewWebhook": WebhookBody,
    "NewLink": LinkBody,
}

_PROBLEM = made_of(
    "An error. Decide by `code`; `detail` is a sentence for people.",
    optional=("errors", "retry_s", "field", "did_you_mean", "limit", "head", "oldest", "feed",
              "answer", "answered_by", "answered_at", "expired_at"),
    type={"const": "about:blank"},
    title=TEXT,
    status={"type": "integer"},
    code={"enum": sorted(ERRORS)},
    detail=TEXT,
    errors=listed({
        "type": "object",
        "properties": {"pointer": TEXT, "parameter": TEXT, "detail": TEXT},
        "required": ["detail"],
    }),
    retry_s={"type": "number", "description": "Come back after so many seconds."},
    field=TEXT,
    did_you_mean=TEXT_OR_NULL,
    limit=COUNT,
    head=COUNT,
    oldest=COUNT,
    feed=TEXT,
    answer=ANY,
    answered_by=TEXT_OR_NULL,
    answered_at=MOMENT_OR_NULL,
    expired_at=MOMENT,
)  # fmt: skip

_MISSION = made_of(
    "A mission. `rev` is the seq of its last STATUS event.",
    optional=("as_of",),
    id=ID,
    title=TEXT,
    engine={"enum": ["crewai", "langchain"]},
    status={"enum": list(Status)},
    rev=COUNT,
    attempt=COUNT,
    created_at=MOMENT,
    started_at=MOMENT_OR_NULL,
    ended_at=MOMENT_OR_NULL,
    retry_of={"type": ["integer", "null"]},
    result={"type": ["object", "null"]},
    error={"type": ["object", "null"]},
    usage=made_of(
        prompt_tokens=COUNT,
        completion_tokens=COUNT,
        cached_tokens=COUNT,
        cost_usd=DOLLARS,
        agents={"type": ["object", "null"]},
    ),
    progress=made_of(done=COUNT, total=COUNT),
    requests=listed(ID),
    spec={"type": "object", "description": "What was asked for, defaults included."},
    as_of={**COUNT, "description": "The cursor of this view: follow it from here."},
)

_REQUEST = made_of(
    "A question to a human.",
    id=ID,
    mission=ID,
    seq={**COUNT, "description": "Of its event; behind an answer, of the event with the answer."},
    type={"enum": ["text", "choice", "approval", "form"]},
    prompt=TEXT,
    context=TEXT_OR_NULL,
    options={"type": ["array", "null"]},
    default=ANY,
    schema={"description": "The JSON Schema that the answer to a form has to fit."},
    agent=TEXT_OR_NULL,
    task=TEXT_OR_NULL,
    status={"enum": list(RequestStatus)},
    asked_at=MOMENT,
    expires_at=MOMENT,
    answer=ANY,
    answered_by=TEXT_OR_NULL,
    answered_at=MOMENT_OR_NULL,
    read_at={**MOMENT_OR_NULL, "description": "When the agent took the answer."},
)

_EVENT = made_of(
    "One row of the log. Skip kinds and names that you do not know.",
    optional=("agent", "task", "call"),
    seq={**ID, "description": "Counts the workspace's log, without holes."},
    mission=ID,
    mseq={**ID, "description": "Counts this mission's part of it."},
    attempt=COUNT,
    kind={"enum": list(Kind)},
    name=TEXT,
    at=MOMENT,
    agent=TEXT,
    task=TEXT,
    call={**TEXT, "description": "The same in all that belongs to one call of a model or a tool."},
    data={"type": "object"},
)

_PAGE = made_of(
    "Events behind a cursor.",
    optional=("status",),
    feed={**TEXT, "description": "Names the log. When it changes, begin again at 0."},
    events=listed(ref("Event")),
    next={**COUNT, "description": "The `after` of the next request."},
    head=COUNT,
    oldest=COUNT,
    more={"type": "boolean"},
    closed={"type": "boolean"},
    reason={"enum": ["events", "timeout", "now", "closed", "drain", "busy"]},
    retry_s={"type": "number"},
    status={"enum": list(Status), "description": "Of the mission, in the feed of one."},
)

_FILE = made_of(
    id=ID,
    mission=ID,
    direction={"enum": ["input", "output"]},
    task=TEXT_OR_NULL,
    name=TEXT,
    bytes=COUNT,
    sha256=TEXT,
    media_type=TEXT,
    created_at=MOMENT,
)

_WEBHOOK = made_of(
    optional=("secret",),
    id=ID,
    mission={"type": ["integer", "null"]},
    url=TEXT,
    kinds=listed({"enum": list(Kind)}),
    after=COUNT,
    created_at=MOMENT,
    disabled_at=MOMENT_OR_NULL,
    secret={**TEXT, "description": "Signs deliveries; told once, when it is made."},
)

_DELIVERY = made_of(
    id=ID,
    webhook=ID,
    seq=COUNT,
    status={"enum": ["pending", "delivered", "failed"]},
    tries=COUNT,
    response={"type": ["integer", "null"]},
    error=TEXT_OR_NULL,
    created_at=MOMENT,
    delivered_at=MOMENT_OR_NULL,
    next_at=MOMENT_OR_NULL,
)

_PROJECT = made_of(
    name=TEXT,
    kind=TEXT_OR_NULL,
    engine={"enum": ["crewai", "langchain", None]},
    description=TEXT_OR_NULL,
    inputs={"type": ["object", "null"], "description": "JSON Schema of what it takes."},
    available={"type": "boolean"},
)

_LINK = made_of(
    id=TEXT,
    path={**TEXT, "description": "Behind the server's address; told once."},
    expires_at=MOMENT,
)


def schemas() -> dict[str, Schema]:
    """All of components/schemas."""
    found: dict[str, Schema] = {
        "Problem": _PROBLEM,
        "Mission": _MISSION,
        "Request": _REQUEST,
        "Event": _EVENT,
        "Page": _PAGE,
        "File": _FILE,
        "Webhook": _WEBHOOK,
        "Delivery": _DELIVERY,
        "Project": _PROJECT,
        "Link": _LINK,
    }
    for name, model in MODELS.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {})
        found[name] = schema
    return found
