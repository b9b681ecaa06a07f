"""Tests of the engine: graph, templates, actions, and whole runs with real parts."""
