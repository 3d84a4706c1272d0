"""What settings that are lists look like: their entries, and what to say where one is none."""

import re

HOST = r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])"
# What the entries of some settings look like, and what to say where one does not.
LISTED = {
    "projects": (re.compile(r"[^=\s][^=]*=\s*\S.*"), "NAME=TARGET"),
    "allowed_hosts": (re.compile(f"(?i){HOST}"), "the name of a host, without a port"),
    "cors_origins": (
        re.compile(f"https?://{HOST}(:[0-9]{{1,5}})?"),
        "an origin, such as https://app.example.com",
    ),
}


def entries(text: str) -> list[str]:
    """What stands between the commas."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]
