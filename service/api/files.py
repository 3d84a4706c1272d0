"""Files over HTTP: always as attachments, so that no browser runs what an agent wrote."""

from urllib.parse import quote

from flask import Blueprint, Response

from service.api.access import allow, caller, check_link
from service.api.answers import json_answer, raw_answer
from service.api.parsing import arguments
from service.api.services import services
from service.missions import files, queries

blueprint = Blueprint("files", __name__)


@blueprint.get("/missions/<id:mission_id>/files")
def of_mission(mission_id: int) -> Response:
    access = allow("read", mission=mission_id)
    arguments()
    with services().db.reading() as conn:
        queries.require(conn, access.workspace_id, [mission_id])
        return json_answer({"files": files.of_mission(conn, mission_id)})


@blueprint.get("/files/<id:file_id>")
def one(file_id: int) -> Response:
    """The bytes of a file, under the name that it was given."""
    access = caller("read")
    arguments()
    with services().db.reading() as conn:
        file = files.one(conn, access.workspace_id, file_id)
    check_link(access, mission=file.mission_id)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
    return raw_answer(file.content, content_type=file.media_type, headers=headers)
