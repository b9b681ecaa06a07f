"""What is larger than the settings allow: errors of sizes.

May import `model.errors` only.
"""

from aura_aio.model.errors import AuraError


class InputsTooLarge(AuraError):
    """The inputs of a run take more room than they may (a 422). `faults` as `RequestInvalid`."""

    code = "inputs-too-large"

    def __init__(self, size: int, most: int) -> None:
        fault = f"{size:,} bytes of JSON, and {most:,} are allowed (max_inputs_bytes)"
        super().__init__(
            f"The inputs are too large: they have {fault}. Write them into a file, and give its "
            "name."
        )
        self.faults = (("/inputs", f"Has {fault}."),)
