"""CrewAI: crews built from a spec, their events, their questions. Alone imports crewai."""
