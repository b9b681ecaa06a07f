"""Plans on the disk, and the checked, immutable form in which everything else sees them.

May import model, msgspec, PyYAML and jinja2; runs no code of a plan but in `actions`.
"""
