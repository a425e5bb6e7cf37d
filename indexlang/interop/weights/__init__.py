"""Tensors from files and to files: safetensors, npz, and what `torch.save` wrote. Nothing is ever unpickled.

archive   what a file holds: entries by name, known by their headers, read one by one
open      which format a file has, by its content; read_weights and write_weights
safe      safetensors        npz       npz
torch     `torch.save`: a zip archive, or the older format of one stream
pickles   the opcodes of a pickle, carried out for dictionaries and tensors only
zips      the directory of a zip archive
forms     number formats, and how they become numpy arrays
"""

from indexlang.interop.weights.archive import Archive, Entry
from indexlang.interop.weights.open import opened, read_weights
from indexlang.interop.weights.write import write_weights

__all__ = ["Archive", "Entry", "opened", "read_weights", "write_weights"]
