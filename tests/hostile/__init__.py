"""What no honest client sends: requests and messages that are refused, and not felt afterwards.

Imports aura_aio.server and the contract; `watched` is a server that can be asked what it holds.
"""
