"""The contract holds: the document, its mirror in marshmallow, and every response against it."""
