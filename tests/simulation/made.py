"""Costs, made up.

Imports `simulation.costs` of the scripts.
"""

from simulation.costs import Costs

COSTS = Costs(
    turn_sec=0.004,
    round_trips=10,
    enqueue_sec=0.0002,
    claim_sec=0.0003,
    end_sec=0.0005,
    line_sec=0.0001,
    hear_sec=0.00001,
    message_sec=0.000001,
)
