"""The command line in scripts: JSON out, lines in, and an exit code for each outcome."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner

from service.cli import WHERE, main
from tests.cli.terminal import environment, piped
from tests.cli.test_terminal import claimed
from tests.client.writer import Writer
from tests.contract import given as the
from tests.processes import Longline, until

pytestmark = pytest.mark.processes


@pytest.fixture
def server(web: Longline) -> dict[str, str]:
    return environment(LONGLINE_URL=web.url)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    file = tmp_path / "mission.json"
    file.write_text(json.dumps(the.SPEC))
    return str(file)


def run_beside(work: Any, *arguments: str, env: dict[str, str], stdin: str = "") -> Any:
    """A command, while `work` does what a worker does."""
    worker = threading.Thread(target=work)
    worker.start()
    done = piped(*arguments, env=env, stdin=stdin)
    worker.join()
    return done


def test_a_run_is_given_files(server: dict[str, str], writer: Writer, tmp_path: Path) -> None:
    spec = tmp_path / "files.json"
    spec.write_text(json.dumps(the.SPEC))
    (tmp_path / "notes.md").write_bytes(b"# Notes")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.md").write_bytes(b"# Others")
    given = ("run", str(spec), "--detach", "--json", "--file", str(tmp_path / "notes.md"))
    twice = piped(*given, "--file", str(tmp_path / "other" / "notes.md"), env=server)
    assert (twice.returncode, "two files are called notes.md" in twice.stderr) == (2, True)
    made = json.loads(piped(*given, env=server).stdout)["id"]
    [file] = json.loads(piped("files", str(made), "--json", env=server).stdout)
    assert (file["name"], file["direction"], file["bytes"]) == ("notes.md", "input", 7)
    the.end_cancelled(writer.db, writer.claim())


def test_a_line_of_stdin_is_the_answer_and_json_lines_come_out(
    server: dict[str, str], writer: Writer, spec: str
) -> None:
    def work() -> None:
        claim = until(lambda: claimed(writer), what="mission")
        assert the.take_answer(writer.db, writer.ask(claim)).value == "shorter"
        writer.complete(claim)

    done = run_beside(work, "run", spec, env=server, stdin="shorter\n")
    assert done.returncode == 0, done.stderr
    assert "-- answered: 'shorter' by local" in done.stdout


@pytest.mark.parametrize(
    ("end", "code"), [("complete", 0), ("fail", 3), ("end_cancelled", 4)], ids=str
)
def test_the_exit_code_tells_how_a_mission_ended(
    server: dict[str, str], writer: Writer, spec: str, end: str, code: int
) -> None:
    def work() -> None:
        claim = until(lambda: claimed(writer), what="mission")
        getattr(the, end)(writer.db, claim)

    done = run_beside(work, "run", spec, "--json", env=server)
    assert done.returncode == code
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["mseq"] for event in events] == list(range(1, len(events) + 1))


def test_a_question_nobody_here_answers_ends_with_6_and_the_time_with_5(
    server: dict[str, str], writer: Writer, spec: str
) -> None:
    claims = []

    def work() -> None:
        claims.append(until(lambda: claimed(writer), what="mission"))
        writer.ask(claims[0])

    asked = run_beside(work, "run", spec, "--no-input", env=server)
    assert asked.returncode == 6
    assert "longline answer" in asked.stderr
    [mission, *_] = json.loads(piped("missions", "--json", env=server).stdout)
    over = piped("show", str(mission["id"]), "--timeout", "0.2", env=server)
    assert over.returncode == 5
    the.end_cancelled(writer.db, claims[0])


def test_missions_are_listed_shown_retried_and_cancelled(
    server: dict[str, str], writer: Writer
) -> None:
    claim = writer.begin(title="Tab\there")
    writer.complete(claim, "All is well.")
    number = str(claim.mission_id)
    listed = piped("missions", "--limit", "1", env=server).stdout.rstrip("\n").split("\t")
    assert (listed[0], listed[1], listed[4]) == (number, "completed", "Tab here")
    assert "All is well." in piped("show", number, env=server).stdout
    again = piped("retry", number, env=server).stdout.strip()
    assert piped("cancel", again, env=server).stdout == f"mission {again} is cancelled\n"
    running = writer.begin()
    told = piped("cancel", str(running.mission_id), env=server).stdout
    assert told == f"mission {running.mission_id} is running, and told to end\n"
    the.end_cancelled(writer.db, running)
    refused = piped("cancel", again, env=server)
    assert (refused.returncode, "mission_ended" in refused.stderr) == (1, True)


def test_a_mission_or_a_question_is_shared_by_a_link(
    server: dict[str, str], writer: Writer
) -> None:
    claim = writer.begin()
    question = writer.ask(claim)
    link = piped("share", str(claim.mission_id), "--expires", "1h", env=server).stdout.strip()
    assert httpx.get(link).headers["Location"] == f"/m/{claim.mission_id}"
    shared = piped("share", "--request", str(question), "--name", "Bo", "--json", env=server).stdout
    token = json.loads(shared)["path"].removeprefix("/s/")
    web = server["LONGLINE_URL"]
    bearer = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{web}/requests/{question}", json={"answer": "yes"}, headers=bearer)
    assert writer.answered(question)["answered_by"] == "Bo"
    both = piped("share", "1", "--request", "1", env=server)
    assert (both.returncode, "name a MISSION" in both.stderr) == (2, True)
    writer.complete(claim)


def test_files_are_fetched_and_their_names_lead_nowhere(
    server: dict[str, str], writer: Writer, tmp_path: Path
) -> None:
    from service.missions import files

    claim = writer.begin()
    with writer.db.transaction() as conn:
        files.store_output(conn, claim.mission_id, "../../evil.md", b"text", task=None)
        files.store_output(conn, claim.mission_id, "..", b"dots", task=None)
    writer.complete(claim)
    folder = tmp_path / "a" / "b"
    done = piped("files", str(claim.mission_id), "--save", str(folder), env=server)
    assert done.returncode == 0, done.stderr
    assert (folder / "evil.md").read_bytes() == b"text"
    assert sum(1 for path in tmp_path.rglob("*") if path.is_file()) == 2


def test_errors_are_sentences(server: dict[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("agents: []\nplan: []\n")
    refused = piped("run", str(bad), env=server)
    assert refused.returncode == 1
    assert "/agents" in refused.stderr
    assert piped("run", env=server).returncode == 2
    assert piped("show", "99999", env=server).stderr.startswith("Error: not_found")
    away = piped("missions", "--url", "http://127.0.0.1:1", env=server)
    assert (away.returncode, "http://127.0.0.1:1/ does not answer" in away.stderr) == (1, True)
    assert "Traceback" not in refused.stderr + away.stderr


def test_a_command_of_the_database_says_when_there_is_none_where_it_looks(tmp_path: Path) -> None:
    runner = CliRunner(env={"LONGLINE_DATA": str(tmp_path), "DATABASE_URL": None})
    for command in (
        "token list",
        "workspace list",
        "project list",
        "audit",
        "prune --older-than 1d",
    ):
        refused = runner.invoke(main, command.split())
        assert (refused.exit_code, str(tmp_path / "longline.db") in refused.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
    made = runner.invoke(main, ["workspace", "create", "acme"])
    assert (made.stdout, "new database" in made.stderr) == ("acme\n", True)
    assert runner.invoke(main, ["workspace", "create", "acme"]).stderr == ""


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        env = {"LONGLINE_DATA": str(tmp_path), "LONGLINE_PORT": port, "DATABASE_URL": None}
        refused = CliRunner(env=env).invoke(main, ["serve"])
    assert (refused.exit_code, f"Port {port} of 127.0.0.1 is taken" in refused.stderr) == (1, True)


def test_what_a_command_of_the_database_did_is_json_for_scripts(tmp_path: Path) -> None:
    runner = CliRunner(env={"LONGLINE_DATA": str(tmp_path), "DATABASE_URL": None})

    def told(*command: str) -> Any:
        done = runner.invoke(main, [*command, "--json"], catch_exceptions=False)
        return json.loads(done.stdout)

    assert told("migrate")["after"] == told("migrate")["before"]
    assert told("workspace", "create", "press")["name"] == "press"
    assert [one["name"] for one in told("workspace", "list")] == ["default", "press"]
    assert told("workspace", "rename-feed") == ["default", "press"]
    assert told("prune", "--older-than", "30d") == {"events": 0, "missions": 0}
    made = told("token", "create")
    assert made["token"].startswith("ll_") or made["id"] in made["token"]
    assert told("token", "revoke", made["id"]) == {"id": made["id"]}
    assert told("project", "list") == []


def test_tokens_are_made_listed_and_revoked(tmp_path: Path) -> None:
    env = environment(LONGLINE_DATA=str(tmp_path))
    made = piped("token", "create", "--name", "ada", "--expires", "7d", env=env).stdout.strip()
    [listed] = json.loads(piped("token", "list", "--json", env=env).stdout)
    assert (listed["name"], listed["revoked_at"]) == ("ada", None)
    assert listed["expires_at"] is not None
    secret = made.split("_", 2)[2]  # may have a "_" of its own
    assert secret not in json.dumps(listed)
    assert piped("token", "revoke", listed["id"], env=env).returncode == 0
    assert piped("token", "revoke", listed["id"], env=env).returncode == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(shell: str) -> None:
    done = piped("completion", shell, env=environment())
    assert "_LONGLINE_COMPLETE" in done.stdout


def test_bash_completes_a_command() -> None:
    env = environment(_LONGLINE_COMPLETE="bash_complete", COMP_WORDS="longline mis", COMP_CWORD="1")
    assert "plain,missions" in piped(env=env).stdout


def test_a_command_for_a_server_loads_no_database() -> None:
    code = (
        "import sys; from service.cli import main; import click; ctx = click.Context(main);"
        "main.get_command(ctx, 'run'), main.get_command(ctx, 'show');"
        "sys.exit('sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", sorted(WHERE))
def test_every_command_says_what_it_does(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.help
    for parameter in command.params:
        assert parameter.param_type_name == "argument" or parameter.help or parameter.metavar
