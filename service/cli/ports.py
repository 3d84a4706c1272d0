"""Ports of this machine: whether one is taken, and the first that is not."""

import socket

import click

PORTS_TRIED = 100


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError:
        return False
    return True


def first_free(first: int) -> int:
    for port in range(first, first + PORTS_TRIED):
        if is_free("127.0.0.1", port):
            return port
    raise click.ClickException(f"no free port from {first} on")
