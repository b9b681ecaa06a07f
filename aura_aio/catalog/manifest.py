"""Reads `manifest.yaml`: what a plan is called, where its tasks are, which actions it exports.

May import model, msgspec, and of `catalog` `document`, `files`, `place` and `references`.
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from aura_aio.catalog.document import DocumentError, read_document
from aura_aio.catalog.files import FileRefused, PlanFolder
from aura_aio.catalog.place import Faults, Place
from aura_aio.catalog.references import NAME_RULE, is_name, plan_of_package
from aura_aio.model.plan import Isolation

MANIFEST: Final = "manifest.yaml"

_DESCRIPTIVE: Final = (
    "requires", "dependencies", "pypi-dependencies", "configuration", "resources", "build",
    "trust", "metadata",
)  # fmt: skip
"""Known to the earlier Aura's package tools; nothing follows from them here."""
_NOT_RUN: Final = ("lifecycle", "extends", "overrides")
_FIELDS: Final = ("package", "exports", "task_paths", *_DESCRIPTIVE, *_NOT_RUN)
_PACKAGE: Final = (
    "name", "version", "title", "description", "author", "authors", "license", "homepage",
    "repository", "keywords", "display_name",
)  # fmt: skip
_EXPORT: Final = (
    "name", "module", "function", "timeout", "isolation", "public", "read_only", "description",
    "parameters", "visibility",
)  # fmt: skip


class ExportedAction(msgspec.Struct, frozen=True):
    """An entry of `exports.actions`; `module` is dotted, or a file of the plan."""

    name: str
    module: str
    function: str
    place: Place
    timeout_sec: float | None = None
    isolation: Isolation | None = None


class Manifest(msgspec.Struct, frozen=True):
    """What a manifest says; every part of it may be missing."""

    name: str
    title: str | None = None
    version: str | None = None
    description: str | None = None
    task_paths: tuple[str, ...] = ("tasks",)
    actions: tuple[ExportedAction, ...] = ()

    def moved_to(self, faults: Faults) -> "Manifest":
        """The same, but what is found wrong with its parts is collected in `faults`."""
        actions = (replace(each, place=each.place.moved_to(faults)) for each in self.actions)
        return replace(self, actions=tuple(actions))


def read_manifest(folder: PlanFolder, faults: Faults) -> Manifest:
    """The manifest of the plan in `folder`; what is wrong with it goes into `faults`.

    Without a manifest, or with one that cannot be read, the plan is called as its folder.
    """
    default = Manifest(name=folder.root.name)
    if not folder.has(MANIFEST):
        return default
    try:
        node = read_document(folder.read(MANIFEST))
    except FileRefused as error:
        faults.add(str(error))
    except DocumentError as error:
        faults.add(str(error), error.mark)
    else:
        if node.value is not None:
            return _read(Place(node, faults), default, folder)
    return default


def _read(place: Place, default: Manifest, folder: PlanFolder) -> Manifest:
    fields = place.fields(_FIELDS, expected="a manifest: {package: {name, version, …}, …}")
    for key in _NOT_RUN:
        if key in fields and fields[key].value not in ([], {}):
            place.fault_at_key(key, f"Aura does not carry out {key!r}: remove it.")
    package = _section(fields, "package", _PACKAGE)
    exports = _section(fields, "exports", ("actions", "services", "tasks"))
    version = package["version"].value if "version" in package else None
    return Manifest(
        name=_read_name(package["name"], default.name) if "name" in package else default.name,
        title=_text(package, "title") or _text(package, "display_name"),
        version=str(version) if version is not None else None,
        description=_text(package, "description"),
        task_paths=_read_task_paths(fields, default, folder),
        actions=_read_actions(exports["actions"]) if "actions" in exports else (),
    )


def _section(fields: dict[str, Place], key: str, known: tuple[str, ...]) -> dict[str, Place]:
    if key not in fields:
        return {}
    return fields[key].fields(known, expected=f"a mapping: {{{known[0]}: …}}")


def _read_name(place: Place, default: str) -> str:
    text = place.text("the plan's name")
    if text is None:
        return default
    name = plan_of_package(text)
    if not is_name(name):
        place.fault(f"The name {name!r} is not allowed: {NAME_RULE}.")
        return default
    return name


def _text(fields: dict[str, Place], key: str) -> str | None:
    if key not in fields or fields[key].node.value == "":
        return None
    return fields[key].text()


def _read_task_paths(
    fields: dict[str, Place], default: Manifest, folder: PlanFolder
) -> tuple[str, ...]:
    if "task_paths" not in fields:
        return default.task_paths
    place = fields["task_paths"]
    found: dict[str, None] = {}
    for path in place.texts("folders of the plan"):
        parts = [part for part in path.replace("\\", "/").strip("/").split("/") if part != "."]
        name = "/".join(parts)
        if path.startswith("/") or ".." in parts or ":" in path or not name:
            place.fault(f"{path!r} is no folder of the plan.")
        elif not folder.has(name):
            place.fault(f"There is no folder {name!r} in the plan.")
        else:
            found[name] = None
    return tuple(found)


def _read_actions(place: Place) -> tuple[ExportedAction, ...]:
    found: list[ExportedAction] = []
    for item in place.items("a list of actions: {name, module, function}"):
        fields = item.fields(_EXPORT, expected="an action: {name, module, function}")
        for key in ("name", "module", "function"):
            if key not in fields:
                item.lacks(key, f"An exported action needs a {key!r}.")
        texts = {key: fields[key].text() for key in ("name", "module", "function") if key in fields}
        name, module, function = (texts.get(key) for key in ("name", "module", "function"))
        if name and module and function:
            timeout = fields["timeout"].seconds(zero=False) if "timeout" in fields else None
            word = fields["isolation"].choice(Isolation) if "isolation" in fields else None
            isolation = Isolation(word) if word is not None else None
            found.append(ExportedAction(name, module, function, item, timeout, isolation))
    return tuple(found)
