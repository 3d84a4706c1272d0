"""Measurements, each beside a baseline that is taken in the same run. `make bench` prints them."""
