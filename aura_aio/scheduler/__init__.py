"""The use cases of the API: what can be asked of Aura, and nothing of HTTP.

May import catalog, logs and model; stores and dispatchers come in as ports.
"""
