"""Missions: what they are, where they stand, and who may move them."""
