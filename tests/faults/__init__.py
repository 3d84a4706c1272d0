"""The fault run: real processes on a real database, while something dies or stalls at random.

What is random is drawn from a seed, which is printed: the same seed draws the same faults, though
not the same moments. `make chaos SEED=7 SECONDS=60`.
"""
