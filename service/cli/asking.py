"""A mission's question, answered from the command line while its events go on being shown."""

import select
import sys
import threading

import click
import httpx

from service.client import ApiError, Client

LOOK_S = 0.2
ANSWERS_ITSELF_AFTER_S = 5.0  # where there is no terminal to answer in


class Asker:
    """Offers one question at a time; whoever answers elsewhere first makes it go away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._closed = threading.Event()

    def ask(self, request_id: int, prompt: str) -> None:
        """Offer a question. Returns at once; the answer is sent from a thread."""
        self._closed.clear()
        ask = self._from_terminal if sys.stdin.isatty() else self._by_itself
        threading.Thread(target=ask, args=(request_id, prompt), daemon=True).start()

    def close(self) -> None:
        """The question is answered, or nobody needs the answer any more."""
        self._closed.set()

    def _from_terminal(self, request_id: int, prompt: str) -> None:
        click.secho(f"?? {prompt}", fg="magenta")
        click.secho("   Enter accepts; or type what to change. The page takes it as well.")
        while not self._closed.is_set():
            readable, _, _ = select.select([sys.stdin], [], [], LOOK_S)
            if readable:
                self._send(request_id, sys.stdin.readline().rstrip("\n"))
                return

    def _by_itself(self, request_id: int, prompt: str) -> None:
        click.echo(f"?? {prompt}")
        click.echo(f"   No terminal here: accepting in {ANSWERS_ITSELF_AFTER_S:g} s.")
        if not self._closed.wait(ANSWERS_ITSELF_AFTER_S):
            self._send(request_id, "")

    def _send(self, request_id: int, text: str) -> None:
        try:
            with Client(self._url) as client:
                client.answer(request_id, text)
        except (ApiError, httpx.HTTPError) as error:
            click.secho(f"   not taken: {error}", fg="red")
