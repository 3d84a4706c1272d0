"""A mission's events on a terminal or in a pipe, for people: text as it comes, the rest in a line each."""

import sys
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from service.cli.showing import harmless

BAR_CELLS = 20


def printer() -> "Printer":
    """The one that fits where the output goes."""
    return LivePrinter() if sys.stdout.isatty() else Printer()


class Printer:
    """Prints events in order. Text of a call grows on its line; everything else begins a new one."""

    def __init__(self) -> None:
        self._in_text = False

    def show(self, event: Any) -> None:
        if event["kind"] == "STREAM":
            self._text(harmless(event["data"]["delta"]) if event["name"] == "text" else "")
            return
        line = line_of(event)
        if line is not None:
            self.line(*line)

    def line(self, text: str, colour: str | None = None) -> None:
        if self._in_text:
            click.echo()
        self._in_text = False
        click.secho(harmless(text), fg=colour)

    def pause(self) -> None:
        """Leave the terminal to somebody who types."""

    def resume(self) -> None:
        """Nobody types any more."""

    def close(self) -> None:
        if self._in_text:
            click.echo()
        self._in_text = False

    def _text(self, delta: str) -> None:
        if delta:
            click.echo(delta, nl=False)
            sys.stdout.flush()
            self._in_text = True


class LivePrinter(Printer):
    """On a terminal: below the text that grows, a bar of the tasks, and tokens and cost so far."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(markup=False, highlight=False, soft_wrap=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._partial = ""
        self._done: set[str] = set()
        self._total = 0
        self._tokens = 0
        self._cost: float | None = None
        self._paused = False

    def show(self, event: Any) -> None:
        self._count(event)
        super().show(event)
        self._refresh()

    def line(self, text: str, colour: str | None = None) -> None:
        self._flush()
        self._console.print(Text(harmless(text), style=colour or ""))

    def pause(self) -> None:
        self._flush()
        self._live.stop()
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def close(self) -> None:
        self._flush()
        self._live.stop()

    def expect(self, total: int) -> None:
        """How many tasks there are."""
        self._total = max(self._total, total)

    def _text(self, delta: str) -> None:
        *lines, self._partial = (self._partial + delta).split("\n")
        for line in lines:
            self._console.print(Text(line))
        if len(self._partial) >= self._console.width:  # it leaves the part that is drawn anew
            head, space, self._partial = self._partial.rpartition(" ")
            self._console.print(Text(head + space if space else self._partial))
            self._partial = self._partial if space else ""

    def _flush(self) -> None:
        if self._partial:
            self._console.print(Text(self._partial))
            self._partial = ""

    def _count(self, event: Any) -> None:
        data = event["data"]
        match event["kind"], event["name"]:
            case "STATUS", "plan.known":
                self.expect(data["total"])
            case "STATUS", ("task.completed" | "task.skipped"):
                self._done.add(event.get("task", ""))
            case "USAGE", "call":
                self._tokens += (data["prompt_tokens"] or 0) + (data["completion_tokens"] or 0)
                if data.get("cost_usd") is not None:
                    self._cost = (self._cost or 0.0) + data["cost_usd"]

    def _refresh(self) -> None:
        if self._paused:
            return
        if not self._live.is_started:
            self._live.start()
        self._live.update(Group(Text(self._partial), self._status()), refresh=True)

    def _status(self) -> Text:
        total = max(self._total, len(self._done), 1)
        filled = BAR_CELLS * len(self._done) // total
        cost = "" if self._cost is None else f"  ${self._cost:.4f}"
        bar = "━" * filled + "╌" * (BAR_CELLS - filled)
        return Text(f"{bar} {len(self._done)}/{total} tasks  {self._tokens} tokens{cost}", "dim")


def line_of(event: Any) -> tuple[str, str | None] | None:
    """An event's line and its colour; None for what a reader of a terminal can do without."""
    data, where = event["data"], event.get("task") or ""
    match event["kind"], event["name"]:
        case "STATUS", ("mission.running" | "mission.waiting" | "mission.queued") as name:
            return f"-- {name}: {data['reason']}", "cyan"
        case "STATUS", ("mission.completed" | "mission.failed" | "mission.cancelled") as name:
            return f"-- {name}: {data['reason']}", "green" if "completed" in name else "red"
        case "STATUS", ("task.started" | "task.completed") as name:
            return f"-- {name}: {where}", "blue"
        case "ACTION", "tool.started":
            return f"   tool {data.get('tool')}({data.get('args')})", "yellow"
        case "ACTION", ("tool.finished" | "tool.failed" | "tool.blocked") as name:
            return f"   {name} {data.get('tool')}: {_brief(data)}", "yellow"
        case "OUTPUT", "file":
            return f"-- file: {data['file']['name']} ({data['file']['bytes']} bytes)", "blue"
        case "HUMAN_RESPONSE", name:
            return f"-- {name}: {data['answer']!r} by {data['by']}", "magenta"
        case "ERROR", _:
            return f"!! {data['code']}: {data['message']}", "red"
        case "USAGE", "total":
            used = f"{data['prompt_tokens']} + {data['completion_tokens']} tokens"
            return f"-- usage: {used} (prompt + completion)", None
    return None


def _brief(data: dict[str, Any]) -> str:
    text = " ".join(str(data.get("error") or data.get("output") or "").split())
    return text if len(text) <= 120 else text[:120] + "…"
