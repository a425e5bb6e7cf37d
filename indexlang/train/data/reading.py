"""Data by its name: a word that is known, a file of arrays or a table, a folder of pictures."""

from collections.abc import Sequence
from pathlib import Path

from indexlang.interop.files import Declared
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import nearest, visible
from indexlang.train.data.arrays import read_npy, read_npz
from indexlang.train.data.builtin import BUILTIN
from indexlang.train.data.dataset import Array, Dataset
from indexlang.train.data.pictures import read_pictures
from indexlang.train.data.table import read_table

KINDS = "PATH.npz, PATH.npy, NAME=PATH.npy,NAME=PATH.npy, PATH.csv, or a folder of pictures by class"
FILES = (".npy", ".npz", ".csv")


def read_data(spec: str, inputs: Sequence[Declared], folder: Path | None = None) -> Dataset:
    """The data that `spec` names; `fitted_data` makes its columns the inputs.

    digits, faces               examples of scikit-learn and scikit-image: columns image, label
    PATH.npz                    its arrays by their names
    PATH.npy, NAME=PATH.npy,…   one column each, without a name by that of the file
    PATH.csv                    see `read_table`
    a folder                    see `read_pictures`

    inputs  those of the program: a table and pictures are read for them
    folder  where relative paths start; the user named them, so they may lead anywhere
    memory  arrays of 256 MB and more are mapped, if they are not compressed; large sets of pictures stay on the disk
    errors  E0801, E0802, E0701, E0702, E0704, E0803, E0804, E0805, E0808, E0811
    """
    if spec in BUILTIN:
        return BUILTIN[spec]()
    path = (folder or Path()) / spec
    suffix = path.suffix.lower()
    if _is_folder(path):
        return read_pictures(path, inputs)
    if "=" in spec and not _is_there(path):
        return _read_named(spec, folder or Path())
    if suffix == ".npz":
        return Dataset(str(path), read_npz(path))
    if suffix == ".npy":
        return Dataset(str(path), {path.stem: read_npy(path)})
    if suffix == ".csv":
        return read_table(path, inputs)
    raise _unknown(spec, path)


def _read_named(spec: str, folder: Path) -> Dataset:
    columns: dict[str, Array] = {}
    for part in spec.split(","):
        name, equals, place = part.partition("=")
        name = name.strip()
        if not equals or not place.lower().endswith(".npy"):
            raise data_error("E0801", name=visible(part), advice="write NAME=PATH.npy, or several with commas between")
        if name in columns:
            raise data_error("E0801", name=visible(spec), advice=f"give `{visible(name)}` once")
        columns[name] = read_npy(folder / place)
    return Dataset(visible(spec), columns)


def _unknown(spec: str, path: Path) -> DataError:
    known = f"{', '.join(BUILTIN)}, {KINDS}"
    like = nearest(spec, BUILTIN) if len(spec) < 40 else None
    if _is_there(path):
        return data_error(
            "E0801", name=visible(spec), advice=f"give a file that ends in .npz, .npy or .csv; there is {known}"
        )
    advice = (
        f"did you mean `{like}`? There is {known}" if like else f"no file or folder has this name; there is {known}"
    )
    return data_error("E0801", name=visible(spec), advice=advice)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
