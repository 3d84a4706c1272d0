"""A mission's events on a terminal, for people: text as it comes, the rest in a line each."""

from typing import Any

import click


class Printer:
    """Prints events in order. Text of a call grows on its line; everything else begins a new one."""

    def __init__(self) -> None:
        self._in_text = False

    def show(self, event: dict[str, Any]) -> None:
        kind, data = event["kind"], event["data"]
        if kind == "STREAM":
            self._text(data["delta"] if event["name"] == "text" else "")
            return
        line = self._line(event)
        if line is not None:
            self.line(*line)

    def line(self, text: str, colour: str | None = None) -> None:
        if self._in_text:
            click.echo()
        self._in_text = False
        click.secho(text, fg=colour)

    def _text(self, delta: str) -> None:
        if delta:
            click.echo(delta, nl=False)
            self._in_text = True

    def _line(self, event: dict[str, Any]) -> tuple[str, str | None] | None:
        """A line and its colour; None for what a reader of a terminal can do without."""
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
            case "HUMAN_RESPONSE", name:
                return f"-- {name}: {data['answer']!r} by {data['by']}", "magenta"
            case "ERROR", _:
                return f"!! {data['code']}: {data['message']}", "red"
            case "USAGE", "total":
                used = f"{data['prompt_tokens']} + {data['completion_tokens']} tokens"
                return f"-- usage: {used} (prompt + completion)", None
        return None
