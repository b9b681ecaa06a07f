"""`python -m aura_aio`: the `aura` command.

May import `cli` only.
"""

from aura_aio.cli import main

if __name__ == "__main__":
    main()
