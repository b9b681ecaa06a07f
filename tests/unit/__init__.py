"""Tests of single parts: the folders mirror the package.

Imports nothing.
"""
