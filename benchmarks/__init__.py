"""The speed claims, runnable: `make bench`."""
