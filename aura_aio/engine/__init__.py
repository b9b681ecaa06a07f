"""What executes a task: walks its graph, renders its templates, calls its actions.

May import catalog (for loaded actions) and model; never store, scheduler, worker or HTTP servers.
"""
