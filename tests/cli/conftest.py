"""The same web process and writer as the client's tests have."""

from tests.client.conftest import _web, web, writer

__all__ = ["_web", "web", "writer"]
