"""The registered projects: what the operator offers, and what a look at each has found."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator
from referencing.jsonschema import EMPTY_REGISTRY
from sqlalchemy import Connection, Row, delete, insert, select

from models import projects
from service import clock
from service.errors import Problem
from service.events.text import decode, encode, repair, repair_or_none
from service.missions import target
from service.missions.project_spec import ProjectSpec
from service.missions.target import Target

Source = Literal["command", "environment"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at a project has found. inputs: JSON Schema of an object.

    error: why it cannot be loaded; the others are then None.
    """

    kind: str | None = None
    engine: str | None = None
    description: str | None = None
    inputs: dict[str, Any] | None = None
    error: str | None = None


def register(conn: Connection, name: str, where: str, found: Found, *, source: Source) -> None:
    """Offer a project, or what it has become, under this name."""
    conn.execute(delete(projects).where(projects.c.name == name))
    conn.execute(
        insert(projects).values(
            name=name,
            target=where,
            source=source,
            kind=found.kind,
            engine=found.engine,
            description=repair_or_none(found.description),
            inputs=None if found.inputs is None else encode(found.inputs),
            error=None if found.error is None else repair(found.error),
            looked_ms=clock.now_ms(),
        )
    )


def remove(conn: Connection, name: str) -> bool:
    """Offer it no more. False when there was none of this name."""
    return bool(conn.execute(delete(projects).where(projects.c.name == name)).rowcount)


def keep_only(conn: Connection, names: Collection[str], *, source: Source) -> None:
    """Offer no more what this source does not name any more."""
    conn.execute(
        delete(projects).where(projects.c.source == source, projects.c.name.not_in(list(names)))
    )


def offered(conn: Connection) -> list[dict[str, Any]]:
    """All projects by name, as clients see them. Where they lie is the operator's business."""
    return [_view(row) for row in conn.execute(select(projects).order_by(projects.c.name))]


def listed(conn: Connection) -> list[Row[Any]]:
    """All projects by name, as the operator sees them."""
    return list(conn.execute(select(projects).order_by(projects.c.name)))


def admit(conn: Connection, spec: ProjectSpec) -> ProjectSpec:
    """The spec with its project's engine. Raises Problem for what this project cannot run with."""
    row = _one(conn, spec.project)
    if row is None:
        names = [project["name"] for project in offered(conn)]
        known = f"there are {', '.join(names)}" if names else "none is registered"
        raise _misfit("/project", f"there is no project {spec.project!r}; {known}")
    if row.error is not None:
        raise _misfit("/project", f"the project {spec.project!r} cannot be loaded")
    errors = list(_faults(decode(row.inputs) or {}, spec.inputs))
    if errors:
        raise Problem("invalid", errors[0]["detail"], errors=errors)
    return spec.model_copy(update={"engine": row.engine})


def where(conn: Connection, name: str) -> Target | None:
    """Where a registered project is now; None when there is none any more."""
    row = _one(conn, name)
    try:
        return None if row is None else target.parse(row.target)
    except ValueError:  # it was there when it was registered
        return None


def _one(conn: Connection, name: str) -> Row[Any] | None:
    return conn.execute(select(projects).where(projects.c.name == name)).one_or_none()


def _faults(schema: dict[str, Any], inputs: dict[str, Any]) -> list[dict[str, str]]:
    # The empty registry: without it, a $ref to another host would be fetched.
    validator = Draft202012Validator(schema, registry=EMPTY_REGISTRY)
    return [
        {"pointer": _pointer("inputs", *error.absolute_path), "detail": error.message[:300]}
        for error in validator.iter_errors(inputs)
    ]


def _pointer(*parts: str | int) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _misfit(pointer: str, detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"pointer": pointer, "detail": detail}])


def _view(row: Row[Any]) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "engine": row.engine,
        "description": row.description,
        "inputs": decode(row.inputs),
        "available": row.error is None,
    }
