"""LangChain: agents built from a spec, graphs of projects, their events and their questions."""
