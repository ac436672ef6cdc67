"""The layers of docs/architecture.md hold: imports run downwards only, and the C++ core knows no host."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "pynlvc"

# What each layer may import of the package, besides itself and what stands below all layers.
# The file __init__.py shows the public API.
MAY_IMPORT: dict[str, set[str]] = {
    "model": {"_core"},
    "codec": {"_core", "_avshim", "model"},
    "fitting": {"_core", "codec", "model"},
    "media": {"_core", "_avshim", "codec", "fitting", "model"},
    "report": {"_core", "_avshim", "codec", "media"},
    "training": {"_core", "codec", "media", "model"},
    "bridge": {"codec"},
    "cli": {"_core", "bridge", "codec", "fitting", "media", "model", "report", "training"},
    "__init__": {"codec", "media", "model"},
    "__main__": {"cli"},
    "errors": set(),
    "version": set(),
}
BELOW_ALL = {"errors", "version"}
TORCH_LAYERS = {"model", "training"}
HOST_HEADERS = r'#\s*include\s*[<"](Python\.h|pybind11/|numpy/|libav|libsw)'


def python_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(tree: ast.AST) -> set[str]:
    """Dotted names that the file imports, relative imports not allowed; `from a import b` gives a.b."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_level_imports(tree: ast.Module) -> set[str]:
    """What importing the file imports: everything that no function holds back and no TYPE_CHECKING guards."""
    kept = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        and not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
    ]
    return imported_modules(ast.Module(body=kept, type_ignores=[]))


def test_every_file_belongs_to_a_known_layer() -> None:
    assert {layer_of(path) for path in python_files()} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_run_downwards(path: Path) -> None:
    layer = layer_of(path)
    allowed = MAY_IMPORT[layer] | BELOW_ALL | {layer}
    ours = {name for name in imported_modules(parsed(path)) if name.split(".")[0] == "pynlvc"}
    assert [name for name in sorted(ours) if name.split(".")[1] not in allowed] == []


def test_torch_serves_models_and_training_only() -> None:
    users = {layer_of(path) for path in python_files() if imports_torch(imported_modules(parsed(path)))}
    assert users <= TORCH_LAYERS


def imports_torch(names: set[str]) -> bool:
    return any(name.split(".")[0] == "torch" for name in names)


def test_the_coding_path_does_not_import_torch() -> None:
    """Follows the imports from the public package and all commands but training, as the interpreter would."""
    seen: set[Path] = set()
    commands = [path for path in (PACKAGE / "cli").glob("*.py") if path.name != "train.py"]
    waiting = [PACKAGE / "__init__.py", PACKAGE / "__main__.py", *commands]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        names = module_level_imports(parsed(path))
        assert not imports_torch(names), f"{path.relative_to(PROJECT)} imports torch while coding"
        for name in names:
            waiting += source_files(name)
    assert len(seen) > 5


def source_files(name: str) -> list[Path]:
    """The files of this project that importing a dotted name runs; its last part may be a name within a module."""
    parts = name.split(".")
    found = []
    for length in range(1, len(parts) + 1):
        base = PROJECT.joinpath(*parts[:length])
        found += [file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()]
    return found


def test_the_core_knows_neither_python_nor_ffmpeg() -> None:
    files = sorted((PROJECT / "csrc").rglob("*.[ch]*"))
    assert files
    assert [file.name for file in files if re.search(HOST_HEADERS, file.read_text(encoding="utf-8"))] == []


def test_architecture_text_names_files_that_exist() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = "pynlvc|csrc|src|ffmpeg_filter|tests|benchmarks|examples|docs|tools"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]*)`", text))
    assert len(named) > 20
    assert sorted(name for name in named if not (PROJECT / name).exists()) == []
