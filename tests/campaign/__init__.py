"""The fault campaign of `scripts/torture.py`."""
