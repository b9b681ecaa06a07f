"""The contract: `openapi.yaml`, read, checked, and turned into what the server needs of it.

May import the standard library, PyYAML, msgspec and `model` only.
"""
