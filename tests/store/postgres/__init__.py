"""What is asked of the store on PostgreSQL alone.

May import the fixtures of tests/store.
"""
