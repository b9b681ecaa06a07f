"""DBOS with SQLite: workflows that the same process runs, as it ships.

Imports the standard library, dbos, and its neighbour `talk`.
"""

from dbos import DBOS, DBOSConfig

from benchmarks.peers import talk


@DBOS.workflow()
def noop() -> None:
    """Return at once."""


@DBOS.workflow()
def say() -> None:
    """Tell that it has begun."""
    talk.ring()


def run_noops(count: int) -> float:
    """Seconds for so many; each is asked for its result, which is on disk then."""
    handles = []

    def submit() -> None:
        handles.append(DBOS.start_workflow(noop))

    def is_over() -> bool:
        for handle in handles:
            handle.get_result()
        return True

    return talk.seconds(submit, is_over, count)


def main() -> None:
    """Answer what is asked."""
    bell = talk.Bell()
    with talk.folder() as data:
        url = f"sqlite:///{data / 'dbos.sqlite'}"
        config: DBOSConfig = {"name": "bench", "system_database_url": url, "log_level": "WARNING"}
        DBOS(config=config)
        DBOS.launch()
        talk.serve(
            noop=run_noops,
            latency=lambda count: talk.times(lambda: DBOS.start_workflow(say), bell, count),
        )
        DBOS.destroy()


if __name__ == "__main__":
    main()
