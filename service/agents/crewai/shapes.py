"""Results of a shape: a class for a task's schema, and the rule that a result is checked by."""

import logging
from collections.abc import Callable
from typing import Any

from crewai.tasks.task_output import TaskOutput
from crewai.utilities.pydantic_schema_utils import create_model_from_schema
from pydantic import BaseModel, ValidationError

from service.agents.context import MissionFailed
from service.missions.spec import TaskSpec

FAULTS_MAX = 10  # that a model is told of at once

_log = logging.getLogger(__name__)


def of(spec: TaskSpec) -> type[BaseModel] | None:
    """The class of a task's result. Raises MissionFailed for a schema that crewai cannot use."""
    if spec.output_schema is None:
        return None
    try:
        return create_model_from_schema(spec.output_schema, model_name="Result")
    except Exception as error:
        _log.info("The output_schema of %s makes no class", spec.name, exc_info=True)
        message = f"crewai cannot use the output_schema of the task {spec.name}."
        raise MissionFailed("output_schema", message) from error


def rule(shape: type[BaseModel]) -> Callable[[TaskOutput], tuple[bool, Any]]:
    """A guardrail: a result that does not fit goes back to the agent, with what is wrong with it.

    crewai's own conversion fails the task at once when the JSON is well-formed and misses a key.
    """

    def fits(output: TaskOutput) -> tuple[bool, Any]:
        text = _bare(output.raw)
        try:
            shape.model_validate_json(text)
        except ValidationError as error:
            return False, f"The result must be JSON of the given schema. {_faults(error)}"
        return True, text

    return fits


def value(result: Any, shape: type[BaseModel] | None) -> dict[str, Any] | None:
    """The result as JSON values, None where it does not fit or need not."""
    if shape is None:
        return None
    try:
        return shape.model_validate_json(_bare(str(result))).model_dump(mode="json")
    except ValidationError:
        return None


def _bare(text: str) -> str:
    """The JSON without the fence that models like to put around it."""
    text = text.strip()
    if not (text.startswith("```") and text.endswith("```")):
        return text
    return text.removesuffix("```").partition("\n")[2].strip()


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False)[:FAULTS_MAX]
    return " ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'It'}: {fault['msg']}." for fault in faults
    )
