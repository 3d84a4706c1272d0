"""A mission's files as an agent's knowledge: cut up, embedded, and looked up for each task.

Kept in memory, in the one process that runs the mission: some files are some hundred pieces.
crewai's own store is one folder for all missions, in which agents of the same role would read each
other's files.
"""

import io
from typing import Any

import numpy
import openai
import pdfplumber
from crewai.knowledge.knowledge import Knowledge
from crewai.knowledge.source.string_knowledge_source import StringKnowledgeSource
from crewai.knowledge.storage.base_knowledge_storage import BaseKnowledgeStorage
from crewai.rag.types import SearchResult
from pydantic import PrivateAttr

from service.agents.context import MissionFailed, RunContext
from service.agents.endpoint import Endpoint
from service.events.kinds import Kind
from service.missions.spec import AgentSpec

COUNTED = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
BATCH = 100  # texts in one request
SIMILAR = 0.2  # least cosine of a piece that is shown; what models call alike differs widely


def of(agent: AgentSpec, context: RunContext, endpoint: Endpoint) -> Knowledge:
    """What an agent knows. endpoint: of the model that embeds.

    Raises MissionFailed `knowledge`, when a file is missing or no text, or cannot be embedded.
    """
    texts = [_text(name, context.read_file(name)) for name in agent.knowledge]
    store = Store(Embedder(endpoint, context, agent.name))
    sources = [StringKnowledgeSource(content=text) for text in texts if text.strip()]
    knowledge = Knowledge(collection_name=agent.name, sources=list(sources), storage=store)
    try:
        knowledge.add_sources()
    except openai.OpenAIError as error:
        message = f"What {agent.name} is to know could not be embedded by {endpoint.model}."
        raise MissionFailed("knowledge", message, retryable=True) from error
    return knowledge


class Embedder:
    """Has texts embedded by an endpoint, and counts what it reports as the agent's usage."""

    def __init__(self, endpoint: Endpoint, context: RunContext, agent: str) -> None:
        self._client = openai.OpenAI(api_key=endpoint.api_key, base_url=endpoint.base_url)
        self._model = endpoint.model
        self._context = context
        self._agent = agent

    def directions(self, texts: list[str]) -> Any:
        """A row of length 1 for each text."""
        rows: list[list[float]] = []
        for start in range(0, len(texts), BATCH):
            answer = self._client.embeddings.create(
                model=self._model, input=texts[start : start + BATCH], encoding_format="float"
            )
            usage = {"model": self._model, "prompt_tokens": answer.usage.prompt_tokens}
            counted = {**dict.fromkeys(COUNTED, 0), **usage, "cost_usd": None}
            self._context.emit(Kind.USAGE, "call", counted, agent=self._agent)
            rows += [item.embedding for item in answer.data]
        matrix = numpy.array(rows, dtype=numpy.float32)
        return matrix / numpy.maximum(numpy.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)


class Store(BaseKnowledgeStorage):
    """Pieces of text and where they point; compared one by one."""

    _embedder: Embedder = PrivateAttr()
    _pieces: list[str] = PrivateAttr(default_factory=list)
    _directions: list[Any] = PrivateAttr(default_factory=list)

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self._embedder = embedder

    def search(
        self,
        query: list[str],
        limit: int = 5,
        metadata_filter: dict[str, Any] | None = None,  # noqa: ARG002 (crewai's)
        score_threshold: float = SIMILAR,  # noqa: ARG002 (made for another measure)
    ) -> list[SearchResult]:
        if not self._pieces:
            return []
        towards = self._embedder.directions([" ".join(query)])[0]
        scores = numpy.stack(self._directions) @ towards
        best = [int(i) for i in numpy.argsort(-scores)[:limit] if scores[i] >= SIMILAR]
        return [self._result(i, float(scores[i])) for i in best]

    def save(self, documents: list[str]) -> None:
        if documents:
            self._directions += list(self._embedder.directions(documents))
            self._pieces += documents

    def reset(self) -> None:
        self._pieces.clear()
        self._directions.clear()

    async def asearch(
        self,
        query: list[str],
        limit: int = 5,
        metadata_filter: dict[str, Any] | None = None,
        score_threshold: float = SIMILAR,
    ) -> list[SearchResult]:
        return self.search(query, limit, metadata_filter, score_threshold)

    async def asave(self, documents: list[str]) -> None:
        self.save(documents)

    async def areset(self) -> None:
        self.reset()

    def _result(self, i: int, score: float) -> SearchResult:
        return {"id": str(i), "content": self._pieces[i], "metadata": {}, "score": score}


def _text(name: str, content: bytes | None) -> str:
    if content is None:
        raise MissionFailed("knowledge", f"The mission has no file {name}.")
    try:
        if name.lower().endswith(".pdf"):
            with pdfplumber.open(io.BytesIO(content)) as pdf:
                return "\n".join(page.extract_text() or "" for page in pdf.pages)
        return content.decode()
    except Exception as error:
        message = f"The file {name} is neither text in UTF-8 nor a readable PDF."
        raise MissionFailed("knowledge", message) from error
