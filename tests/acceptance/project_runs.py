"""Runs of projects: started, answered, waited for, and what they leave behind."""

from typing import Any

import httpx

from tests.acceptance.checking import check, ended
from tests.model_server import ModelServer
from tests.processes import NO_TLS, READY_WITHIN_S, Longline, until


def offered(longline: Longline) -> dict[str, Any]:
    """The projects by name."""
    found = httpx.get(f"{longline.url}/projects", verify=NO_TLS).json()["projects"]
    return {project["name"]: project for project in found}


def wait_until_offered(longline: Longline, *names: str) -> None:
    """A worker looks at its projects beside what it runs."""
    until(lambda: offered(longline).keys() >= set(names), within_s=READY_WITHIN_S, what="projects")


def start(longline: Longline, project: str, **inputs: Any) -> int:
    return int(longline.client.create({"project": project, "inputs": inputs})["id"])


def ended_whole(longline: Longline, server: ModelServer, mission_id: int) -> Any:
    """The completed mission, once all that must hold of any mission has been seen to hold."""
    done = ended(longline, mission_id, within_s=90)
    check(longline, done, server)
    return done


def answer_all(longline: Longline, mission_id: int, *answers: Any) -> list[Any]:
    """Answer its questions one after the other; returns them as they were asked."""
    asked = []
    for answer in answers:
        question = longline.wait_for_question(mission_id)
        longline.client.answer(question["id"], answer)
        asked.append(question)
    return asked


def waits_again(longline: Longline, mission_id: int) -> None:
    """Wait until the second attempt has come to its question."""

    def look() -> bool:
        mission = longline.client.mission(mission_id)
        return bool(mission["attempt"] == 2 and mission["status"] == "waiting")

    until(look, what="second attempt that waits")


def files_of(longline: Longline, mission_id: int) -> dict[str, bytes]:
    found = longline.client.missions.files(mission_id)
    return {file["name"]: longline.client.file(file["id"]) for file in found}
