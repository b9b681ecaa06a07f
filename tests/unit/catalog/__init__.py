"""Tests of the catalog: reading plans, and checking the inputs of runs."""
