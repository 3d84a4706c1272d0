"""The preload module of a forkserver whose children run the engine of this folder."""

from tests.faults import engine

engine.instead_of_frameworks()

from service.worker import run  # noqa: E402, F401 (with the engine in its place)
