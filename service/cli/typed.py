"""What a person types, as the answer that fits the question; and what to tell them that they can type."""

import json
from typing import Any

DECISIONS = {"y": "approve", "yes": "approve", "n": "reject", "no": "reject"}


def instructions(question: Any) -> str:
    """One line or several: how to answer."""
    match question["type"]:
        case "choice":
            options = question["options"] or []
            listed = "\n".join(f"   {i}  {option}" for i, option in enumerate(options, start=1))
            return f"{listed}\n   Type the number or the words."
        case "approval":
            return (
                "   y approves, n rejects, `n because …` says why,\n"
                '   `edit {"…": …}` approves with other arguments.'
            )
        case "form":
            keys = ", ".join((question.get("schema") or {}).get("properties", {}))
            return f"   Type one line of JSON with {keys}."
    if question["default"] == "":
        return "   Enter accepts; or type what to change."
    return "   Type the answer."


def value_of(question: Any, text: str) -> Any:
    """The answer. Raises ValueError with a sentence for who typed."""
    match question["type"]:
        case "choice":
            return _choice(question["options"] or [], text.strip())
        case "approval":
            return _approval(text.strip())
        case "form":
            return _object(text)
    return text


def _choice(options: list[str], text: str) -> str:
    if text in options:
        return text
    if text.isdecimal() and 1 <= int(text) <= len(options):
        return options[int(text) - 1]
    raise ValueError(f"Type 1 … {len(options)}, or one of: {', '.join(options)}.")


def _approval(text: str) -> dict[str, Any]:
    word, _, rest = text.partition(" ")
    decision = DECISIONS.get(word.lower(), word.lower())
    if decision == "edit":
        return {"decision": "edit", "args": _object(rest)}
    if decision not in ("approve", "reject"):
        raise ValueError("Type y, n, or `edit` and the arguments as JSON.")
    return {"decision": decision} | ({"comment": rest} if rest else {})


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError("That is not JSON.") from None
    if not isinstance(value, dict):
        raise ValueError("That is not a JSON object.")
    return value
