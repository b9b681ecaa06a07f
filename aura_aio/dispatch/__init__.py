"""Dispatchers: they claim queued runs and hand Tasklets to workers, in order, within the limits.

May import worker (frames, link, session), engine and model; stores come in through ports.
"""
