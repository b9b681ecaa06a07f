"""The log stream as its monitors see it: a real server, a real store, real connections.

Imports nothing.
"""
