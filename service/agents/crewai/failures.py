"""What went wrong with a model, in a sentence that may be shown. Never a traceback, never a key."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import openai

from service.agents.context import MissionFailed
from service.agents.terminal import NoPassword
from service.agents.values import shortened

DETAIL_MAX = 300  # characters of what the endpoint says; some answer with a page of HTML

# Trying again with the same key, name and request gives the same answer.
HOPELESS = frozenset({400, 401, 403, 404, 405, 413, 415, 422})


RULE_BROKEN = "Task failed guardrail"  # crewai's words, of a plain Exception


@dataclass(frozen=True, slots=True)
class Failure:
    """code, message, retryable: as in an ERROR event. hopeless: not even to be tried again."""

    code: str
    message: str
    retryable: bool
    hopeless: bool = False

    def as_data(self) -> dict[str, object]:
        return {"code": self.code, "message": self.message, "retryable": self.retryable}

    def as_exception(self) -> MissionFailed:
        return MissionFailed(self.code, self.message, retryable=self.retryable)


def explain(error: BaseException | None, secrets: tuple[str, ...] = ()) -> Failure | None:
    """The failure of a model's endpoint behind an error, None when there is none behind it.

    secrets: blotted out of what the endpoint said.
    """
    for cause in _chain(error):
        failure = _explain(cause, secrets)
        if failure:
            return failure
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it; crewai wraps some of the client's errors."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _explain(error: BaseException, secrets: tuple[str, ...]) -> Failure | None:
    match error:
        case NoPassword():
            return Failure("password_asked", str(error), retryable=False, hopeless=True)
        case openai.APIStatusError(status_code=status):
            message = f"The model's endpoint answered with HTTP {status}{_detail(error, secrets)}."
            return Failure("model_error", message, status not in HOPELESS, status in HOPELESS)
        case openai.APITimeoutError() | httpx.TimeoutException():
            return _endpoint_failure("The model's endpoint did not answer in time.")
        case openai.APIConnectionError() | httpx.ConnectError():
            return _endpoint_failure("The model's endpoint cannot be reached.")
        case httpx.TransportError() | httpx.StreamError():
            return _endpoint_failure("The model's answer broke off.")
        case openai.OpenAIError():
            return _endpoint_failure("The model's endpoint sent what cannot be understood.")
        case Exception() if (foreign := _foreign_status(error)) is not None:
            message = f"The model's endpoint answered with HTTP {foreign}."
            return Failure("model_error", message, foreign not in HOPELESS, foreign in HOPELESS)
        case Exception() if str(error).startswith(RULE_BROKEN):
            said = shortened(str(error).partition("Last error: ")[2].strip(), DETAIL_MAX)
            message = f"The result broke a rule of its task, also when it was tried again: {said}"
            return Failure("result_rejected", message, retryable=True)
        case ValueError() if "Invalid response from LLM call" in str(error):
            return _endpoint_failure("The model gave an empty answer.")
    return None


# Clients of other providers, which need not be installed: what they raise is known by where it is from.
FOREIGN = ("anthropic", "google", "botocore", "azure")


def _foreign_status(error: Exception) -> int | None:
    """The HTTP status that another provider's client reports, None when this is no error of one."""
    if type(error).__module__.partition(".")[0] not in FOREIGN:
        return None
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):  # botocore's
        answer = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    found = [getattr(error, "status_code", None), getattr(error, "code", None), answer]
    return next((status for status in found if isinstance(status, int)), None)


def _endpoint_failure(message: str) -> Failure:
    return Failure("model_error", message, retryable=True)


def _detail(error: openai.APIStatusError, secrets: tuple[str, ...]) -> str:
    """What the endpoint's own error object says, when it has one."""
    said = error.body.get("message") if isinstance(error.body, dict) else None
    if not isinstance(said, str) or not said.strip():
        return ""
    for secret in secrets:
        said = said.replace(secret, "***")
    return f": {shortened(said.strip().rstrip('.'), DETAIL_MAX)}"
