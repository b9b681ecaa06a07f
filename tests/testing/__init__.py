"""Tests of what tests of plans are made of."""
