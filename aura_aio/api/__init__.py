"""HTTP: from a request to one call on the Scheduler, and from its answer to a response.

May import scheduler, logs, contract and model; never store, dispatch, worker, engine or catalog.
"""
