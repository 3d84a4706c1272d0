"""What the suites of security need of pytest itself."""

import dataclasses

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """An id for each operation: pytest 9.2 leaves schemathesis' label out, and xdist runs an id once."""
    label = getattr(item, "operation_label", None)
    if label:
        item._id = dataclasses.replace(item._id, params=label)
