"""From a registered target to the object that it stands for. Runs the project's code, never a request's."""

import asyncio
import importlib
import importlib.util
import inspect
import json
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from service.agents.crewai import memory
from service.missions.target import Target

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class NotAProject(Exception):
    """There is nothing in it that can be run. Its text is for the operator."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """kind: crew, flow, graph or runnable. thing: the object. defaults: values of its inputs."""

    kind: str
    thing: Any
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        return "crewai" if self.kind in ("crew", "flow") else "langchain"


def load(target: Target, folder: Path | None) -> Loaded:
    """The target's object. folder: where the project is now, which may be a copy.

    Raises NotAProject, or whatever the project's own code raises.
    """
    memory.open_late()
    if folder is not None:
        _extend_path(folder, target.folder)
    if target.module is not None:
        return classify(getattr(importlib.import_module(target.module), str(target.attribute)))
    assert folder is not None
    if target.file is not None:
        return classify(getattr(_module_of(folder / target.file, folder), str(target.attribute)))
    return _of_folder(folder)


def _extend_path(folder: Path, original: Path | None) -> None:
    """The project's modules come first; what it has installed for itself comes last.

    Last, because the frameworks are loaded already, and have to be ours.
    """
    for place in (folder, folder / "src"):
        if place.is_dir() and str(place) not in sys.path:
            sys.path.insert(0, str(place))
    for environment in (".venv", "venv"):
        for installed in sorted(
            (original or folder).glob(f"{environment}/lib/python3*/site-packages")
        ):
            sys.path.append(str(installed))


def _of_folder(folder: Path) -> Loaded:
    """What the folder's own configuration says."""
    if (folder / "langgraph.json").is_file():
        return _langgraph(folder)
    pyproject = folder / "pyproject.toml"
    data = tomllib.loads(pyproject.read_text()) if pyproject.is_file() else {}
    kind = data.get("tool", {}).get("crewai", {}).get("type")
    definition = _definition(folder, data, kind)
    if definition is not None and kind == "flow":
        from crewai.flow.flow import Flow

        return Loaded("flow", Flow.from_declaration(path=definition))
    if definition is not None:
        from crewai.project import load_crew

        crew, defaults = load_crew(definition)
        return Loaded("crew", crew, defaults)
    return _of_modules(folder, data, kind)


def _definition(folder: Path, data: dict[str, Any], kind: str | None) -> Path | None:
    """The file that declares a crew or a flow, None for one that is written in Python."""
    from crewai.project.json_loader import find_crew_json_file
    from crewai_core.project import configured_project_definition

    if kind is not None:
        found = configured_project_definition(kind, pyproject_data=data, project_root=folder)
        if found is not None:
            return found
    return None if kind == "flow" else find_crew_json_file(folder)


def _langgraph(folder: Path) -> Loaded:
    """The first graph of a langgraph.json: FILE:OBJECT or MODULE:OBJECT."""
    graphs = json.loads((folder / "langgraph.json").read_text()).get("graphs") or {}
    first = next(iter(graphs.values()), None)
    where = first.get("path") if isinstance(first, dict) else first
    place, colon, attribute = str(where or "").rpartition(":")
    if not colon:
        raise NotAProject("its langgraph.json names no graph as FILE:OBJECT")
    file = folder / place
    module = _module_of(file, folder) if file.is_file() else importlib.import_module(place)
    return classify(getattr(module, attribute))


def _of_modules(folder: Path, data: dict[str, Any], kind: str | None) -> Loaded:
    """The first crew class, or Flow, that the modules of a crewai project define."""
    from crewai.flow.flow import Flow

    scripts = data.get("project", {}).get("scripts", {})
    files = ["main.py", "crew.py"] if kind == "flow" else ["crew.py", "main.py"]
    for module in _modules(folder, [scripts.get("kickoff", "")], files):
        for thing in vars(module).values():
            if getattr(thing, "__module__", None) != module.__name__:
                continue
            is_flow = isinstance(thing, type) and issubclass(thing, Flow)
            if is_flow if kind == "flow" else getattr(thing, "is_crew_class", False):
                return classify(thing)
    raise NotAProject(
        "there is no crew.jsonc, no langgraph.json and no crew.py or main.py with a crew or a flow"
    )


def _modules(folder: Path, entries: list[str], files: list[str]) -> Iterator[ModuleType]:
    for entry in filter(None, entries):
        yield importlib.import_module(entry.partition(":")[0])
    for name in files:
        for place in (folder / "src", folder):
            for file in sorted([*place.glob(name), *place.glob(f"*/{name}")]):
                yield _module_of(file, folder)


def _module_of(file: Path, folder: Path) -> ModuleType:
    """A file as a module, under its own name where it is part of a package."""
    for root in (folder / "src", folder):
        if file.is_relative_to(root):
            parts = file.relative_to(root).with_suffix("").parts
            if all(part.isidentifier() for part in parts):
                return importlib.import_module(".".join(parts))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise NotAProject(f"{file.name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def classify(thing: Any, *, made: bool = False) -> Loaded:
    """What an object is. A class or a factory is called first, once."""
    from crewai import Crew
    from crewai.flow.flow import Flow
    from langchain_core.runnables import Runnable
    from langgraph.graph import StateGraph
    from langgraph.pregel import Pregel

    if getattr(thing, "is_crew_class", False):
        crew = (thing() if isinstance(thing, type) else thing).crew()
        return Loaded("crew", crew)
    match thing:
        case Crew():
            return Loaded("crew", thing)
        case Flow():
            return Loaded("flow", thing)
        case StateGraph():
            return Loaded("graph", thing.compile())
        case Pregel():
            return Loaded("graph", thing)
        case Runnable():
            return Loaded("runnable", thing)
    if callable(thing) and not made:
        return classify(_made_by(thing), made=True)
    raise NotAProject(f"a {type(thing).__name__} is no crew, flow, graph or runnable")


def _made_by(factory: Any) -> Any:
    """What a class or a factory makes; one of langgraph's may take a configuration, and be async."""
    takes = [p for p in _parameters(factory) if p.default is p.empty and p.kind in POSITIONAL]
    thing = factory({"configurable": {}}) if [p.name for p in takes] == ["config"] else factory()
    return asyncio.run(thing) if inspect.iscoroutine(thing) else thing


def _parameters(factory: Any) -> Iterable[inspect.Parameter]:
    try:
        return inspect.signature(factory).parameters.values()
    except ValueError:  # of what is written in C
        return ()
