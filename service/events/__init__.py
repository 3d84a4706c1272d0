"""The log of what happens to missions: its vocabulary, appending, reading."""
