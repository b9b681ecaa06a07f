"""Where a file that an input names lies. Imports the standard library only."""

from pathlib import Path


def find_file(name: str, data_dir: Path) -> Path:
    """The file that the input `name` means: below the plan's data folder unless it is absolute.

    Raises FileNotFoundError or IsADirectoryError, with what could have been meant.
    """
    path = data_dir / Path(name).expanduser()
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it")
    if not path.is_file():
        there = sorted(found.name for found in data_dir.iterdir() if found.is_file())
        hint = f" (there are: {', '.join(there[:10])})" if there else ", where no file is yet"
        raise FileNotFoundError(
            f"There is no file {path}. Give an absolute path, "
            f"or the name of a file in the plan's data folder{hint}"
        )
    return path


def new_file(name: str, data_dir: Path) -> Path:
    """Where to write the file that the input `name` asks for: in the plan's data folder itself.

    Raises ValueError if `name` is more than a file name, so that nothing is written elsewhere.
    """
    if name in {"", ".", ".."} or name != Path(name).name or "\\" in name or "\0" in name:
        raise ValueError(f"{name!r} is no plain file name: leave folders out, as in 'orders.csv'")
    return data_dir / name
