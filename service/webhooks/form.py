"""Addresses of webhooks: which may be given at all. Where a name leads is checked at each try."""

from urllib.parse import urlsplit


def is_allowed_form(url: str, allowed_hosts: frozenset[str]) -> bool:
    """Whether a webhook may have this URL: https, or what the operator allows; no password in it."""
    try:
        parts = urlsplit(url)
        named = host_of(url) in allowed_hosts
    except ValueError:
        return False
    usual = parts.scheme == "https" or (named and parts.scheme == "http")
    return usual and bool(parts.hostname) and "@" not in parts.netloc and url.isascii()


def host_of(url: str) -> str:
    """`host` or `host:port`, as the Host header has it."""
    parts = urlsplit(url)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return name if parts.port is None else f"{name}:{parts.port}"
