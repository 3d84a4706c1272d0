"""Who may do what: tokens and their scopes, workspaces, the page's cookie, other sites' pages."""

import re
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from models import tokens
from service import clock
from tests.api.routes import NAMING, ROUTES, Route
from tests.api.server import Server, problem
from tests.contract import given as the
from tests.contract.given import SPEC

OPEN = {
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/s/<token>",
    "/login",
    "/static/<path:name>",
    "/static/build.json",
}
PAGES = {
    "/",
    "/new",
    "/inbox",
    "/plain",
    "/m/<id:mission_id>",
    "/m/<id:mission_id>/plain",
    "/q/<id:request_id>",
}  # these send to /login instead


def fill(server: Server) -> None:
    """A mission that waits for an answer, and a file of it: what the paths with a 1 name."""
    claimed = the.running(server.db)
    the.ask(server.db, claimed)
    server.store_file(claimed.mission_id, "notes.md", b"*Notes*")
    server.store_delivery(claimed.mission_id)


def call(server: Server, route: Route, headers: Any = None) -> TestResponse:
    return server.request(route.method, route.path, json=route.body, headers=headers)


def end(server: Server, **values: int) -> None:
    """Revoke or expire every token."""
    with server.db.transaction() as conn:
        conn.execute(update(tokens).values(**values))


def sign_in(server: Server, headers: dict[str, str], **form: str) -> TestResponse:
    """Send the form of the page, with a token out of its header. The client keeps the cookie."""
    token = headers["Authorization"].removeprefix("Bearer ")
    return server.client.post("/login", data={"token": token, **form})


def test_no_route_is_forgotten_here(shared):
    rules = [rule for rule in shared.app.url_map.iter_rules() if rule.rule not in OPEN | PAGES]
    served = {
        (method, re.sub("<id:[a-z_]+>", "1", rule.rule))
        for rule in rules
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served == {(route.method, route.path) for route in ROUTES}


# Tokens


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_on_loopback_all_is_allowed_while_there_is_no_token(server, route):
    fill(server)
    assert call(server, route).status_code in (200, 201)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_as_soon_as_there_is_a_token_it_is_asked_for(server, route):
    fill(server)
    server.token("read")
    response = call(server, route)
    problem(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_token_opens_what_its_scope_is_for_and_nothing_else(server, route):
    fill(server)
    for scope in {"read", "answer", "run"} - {route.scope}:
        problem(call(server, route, server.token(scope)), 403, "forbidden")
    assert call(server, route, server.token(route.scope)).status_code in (200, 201)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_admin_opens_everything(server, route):
    fill(server)
    assert call(server, route, server.token("admin")).status_code in (200, 201)


@pytest.mark.parametrize("route", NAMING, ids=str)
def test_another_workspace_s_things_are_not_found(server, route):
    fill(server)
    before = server.get("/missions/1").get_json()
    foreign = server.token("admin", workspace="elsewhere")
    problem(call(server, route, foreign), 404, "not_found")
    assert server.get("/missions/1", headers=server.token("read")).get_json() == before


def test_lists_show_only_their_own_workspace(server):
    fill(server)
    foreign = server.token("admin", workspace="elsewhere")
    assert server.get("/missions", headers=foreign).get_json()["missions"] == []
    assert server.get("/requests", headers=foreign).get_json()["requests"] == []
    assert server.get("/events", headers=foreign).get_json()["head"] == 0


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer ll_",
        "Bearer ll_000000000000_x",
        "Bearer ' OR 1=1 --",
        "Bearer ünï",
        "Basic bGw6bGw=",
    ],
)
def test_what_is_no_token_opens_nothing(server, header):
    server.token("read")
    problem(server.get("/events", headers={"Authorization": header}), 401, "unauthorized")


def test_a_token_with_another_secret_opens_nothing(server):
    headers = server.token("read")
    forged = headers["Authorization"][:-4] + "AAAA"
    problem(server.get("/events", headers={"Authorization": forged}), 401, "unauthorized")


def test_the_kind_of_authorization_may_be_in_any_case(server):
    token = server.token("read")["Authorization"].removeprefix("Bearer ")
    assert server.get("/events", headers={"Authorization": f"bearer {token}"}).status_code == 200


@pytest.mark.parametrize("column", ["revoked_ms", "expires_ms"])
def test_a_token_that_has_ended_opens_nothing_and_opens_the_server_to_nobody(server, column):
    headers = server.token("read")
    assert server.get("/events", headers=headers).status_code == 200
    end(server, **{column: clock.now_ms()})
    problem(server.get("/events", headers=headers), 401, "unauthorized")
    problem(server.get("/events"), 401, "unauthorized")


def test_a_token_lasts_until_it_expires(server):
    headers = server.token("read", expires_ms=clock.now_ms() + 60_000)
    assert server.get("/events", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "settings", [{"auth": "required"}, {"host": "0.0.0.0"}, {"host": "::"}, {"host": "192.168.1.7"}]
)
def test_beyond_loopback_or_when_required_nothing_is_open(tmp_path, settings):
    with Server(tmp_path, **settings) as server:
        problem(server.get("/events"), 401, "unauthorized")
        assert server.get("/healthz").status_code == 200
        assert server.get("/events", headers=server.token("read")).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "localhost", "::1"])
def test_loopback_has_these_names(tmp_path, host):
    with Server(tmp_path, host=host) as server:
        assert server.get("/events").status_code == 200


def test_an_answer_carries_the_name_of_the_token(server):
    fill(server)
    response = server.post("/requests/1", {"answer": "yes"}, headers=server.token("answer"))
    assert response.get_json()["answered_by"] == "Ann"


# Signing in


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get(server):
    response = sign_in(server, server.token("read"), next="/m/1")
    assert (response.status_code, response.headers["Location"]) == (303, "/m/1")
    _cookie, *attributes = response.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert server.client.get("/events").status_code == 200


def test_over_https_the_cookie_stays_there(server):
    token = server.token("read")["Authorization"].removeprefix("Bearer ")
    response = server.client.post("/login", data={"token": token}, base_url="https://localhost")
    assert "Secure" in response.headers["Set-Cookie"].split("; ")


def test_the_cookie_has_the_scopes_of_its_token(server):
    fill(server)
    sign_in(server, server.token("read"))
    problem(server.client.post("/missions", json=SPEC), 403, "forbidden")
    problem(server.client.post("/requests/1", json={"answer": "yes"}), 403, "forbidden")


def test_a_wrong_token_does_not_sign_in(server):
    server.token("read")
    response = server.client.post("/login", data={"token": "ll_x_y", "next": "/m/1"})
    assert (response.status_code, response.headers["Location"]) == (
        303,
        "/login?next=%2Fm%2F1&failed=1",
    )
    assert "Set-Cookie" not in response.headers
    problem(server.client.get("/events"), 401, "unauthorized")


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/\t/evil.example",
     "/\n/evil.example", "/a\r\nSet-Cookie: x=1", "\\\\evil.example", "javascript:alert(1)"],
)  # fmt: skip
def test_signing_in_goes_on_to_a_path_of_ours_only(server, target):
    response = sign_in(server, server.token("read"), next=target)
    assert (response.status_code, response.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("path", ["/", "/m/1"])
def test_a_page_sends_those_who_are_not_signed_in_to_the_login(server, path):
    assert server.get(path).status_code == 200
    headers = server.token("read")
    response = server.get(path)
    assert (response.status_code, response.headers["Location"].partition("?")[0]) == (303, "/login")
    assert server.get("/login").status_code == 200
    sign_in(server, headers)
    assert server.client.get(path, buffered=True).status_code == 200


def test_a_cookie_of_another_server_does_not_close_an_open_one(tmp_path):
    with Server(tmp_path / "a") as guarded, Server(tmp_path / "b") as open_one:
        sign_in(guarded, guarded.token("read"))
        cookie = guarded.client.get_cookie("longline_token").value
        open_one.client.set_cookie("longline_token", cookie)
        assert open_one.client.get("/events").status_code == 200


# Other sites' pages


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=str)
def test_a_page_of_another_site_cannot_send_anything_here(server, route, site):
    fill(server)
    before = server.poll()["head"]
    problem(call(server, route, {"Sec-Fetch-Site": site}), 403, "forbidden")
    sign_in(server, server.token("admin"))
    headers = {"Sec-Fetch-Site": site}
    signed_in = server.client.post(route.path, json=route.body, headers=headers)
    problem(signed_in, 403, "forbidden")
    assert server.get("/events", headers=server.token("read")).get_json()["head"] == before


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_page_can(server, site):
    assert server.post("/missions", SPEC, headers={"Sec-Fetch-Site": site}).status_code == 201


def test_a_token_in_the_header_is_enough_wherever_the_page_is_from(server):
    headers = server.token("run") | {"Sec-Fetch-Site": "cross-site"}
    assert server.post("/missions", SPEC, headers=headers).status_code == 201


def test_another_site_cannot_sign_somebody_in(server):
    token = server.token("read")["Authorization"].removeprefix("Bearer ")
    response = server.client.post(
        "/login", data={"token": token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    problem(response, 403, "forbidden")
    assert "Set-Cookie" not in response.headers


def test_other_sites_are_not_told_that_they_may_read(server):
    response = server.get("/events", headers={"Origin": "https://evil.example"})
    assert not [header for header in dict(response.headers) if header.startswith("Access-Control")]
