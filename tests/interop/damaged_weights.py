"""Files of weights that must be refused: row by row what is wrong with them, the file or its pickle, and what is said."""

import pickle
import struct
import zipfile

from weight_files import (
    GOOD,
    HOOKS,
    REBUILD,
    STORAGE,
    framed,
    npy,
    safe,
    storage,
    strided,
    table,
    tensor,
    text,
    torch_zip,
    zipped,
)

# code that a pickle asks for, and damage

NAMES = (
    ("the system", b"cos\nsystem\n(" + text("touch hacked") + b"tR", "os.system"),
    ("protocol 0", b"cos\nsystem\n(S'touch hacked'\ntR", "os.system"),
    ("eval", b"cbuiltins\neval\n(" + text("1+1") + b"tR", "builtins.eval"),
    ("eval of Python 2", b"c__builtin__\neval\n(" + text("1+1") + b"tR", "__builtin__.eval"),
    ("an instance", b"(" + text("x") + b"ios\nsystem\n", "os.system"),
    (
        "a name from the memo",
        text("os") + b"q\0" + text("system") + b"q\1" + b"h\0h\1\x93" + b"(" + text("x") + b"tR",
        "os.system",
    ),
    ("a name from the stack", text("posix") + text("system") + b"\x93)R", "posix.system"),
    ("a class", b"csubprocess\nPopen\n)\x81", "subprocess.Popen"),
    ("an extension", b"\x82\x01", "EXT1"),
    ("a new object of a known name", b"ccollections\nOrderedDict\n)\x81", "NEWOBJ"),
    ("an object of a known name", b"(ccollections\nOrderedDict\no", "OBJ"),
    ("a storage that is called", STORAGE + b")R", "call"),
    ("a text that is called", text("os.system") + b")R", "call"),
    ("a state", b"ctorch._utils\n_rebuild_parameter\n}b", "state"),
    ("a whole model", b"ctorchvision.models.resnet\nResNet\n)\x81", "torchvision.models.resnet.ResNet"),
    ("settings", b"cargparse\nNamespace\n)R}b", "argparse.Namespace"),
    ("another function of torch", b"ctorch\nload\n(" + text("/etc/passwd") + b"tR", "torch.load"),
    ("a name that looks known", b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n", "_rebuild_tensor_v2.__globals__"),
    (
        "the source of a module",
        b"(" + text("module") + b"ccollections\nOrderedDict\n" + text("a") + text("b") + b"tQ",
        "source",
    ),
    ("a persistent text", b"Pos.system\n", "os.system"),
)


LONG = b"x" * 300
PICKLES = (
    ("no value", b"", "takes more"),
    ("too many values", b"NN", "left over"),
    ("an unknown opcode", b"\xff", "cannot be read"),
    ("no mark", b"t", "takes more"),
    ("a memo that is empty", b"h\7", "has not made"),
    ("items for a list", b"](" + text("a") + b"Nu", "no dictionary"),
    ("an odd number of items", b"}(" + text("a") + b"u", "no dictionary"),
    ("appended to a text", text("a") + b"Na", "no list"),
    ("a key that is a list", b"}]Ns", "no names"),
    ("a set", b"\x8f", "EMPTY_SET"),
    ("a name twice", b"}(" + text("w") + strided() + text("w") + strided() + b"u", "twice"),
    ("a list", b"]", "no state_dict"),
    ("a number", b"K\1", "no state_dict"),
    ("no tensors", table({"a": b"K\1", "b": b"K\2"}), "dictionary of a, b"),
    ("states in states", b"".join(b"}" + text("model") for _ in range(20)) + b"}" + b"s" * 20, "no state_dict"),
    ("a tensor of a text", REBUILD + b"(" + text("a") + b"tR", "tensor"),
    ("a parameter of nothing", b"ctorch._utils\n_rebuild_parameter\n(NtR", "parameter"),
    ("a storage of nothing", b"NQ", "single value"),
    ("a storage of texts", b"(" + text("storage") + b"tQ", "storage"),
    ("a storage that does not count", storage(elements=-1), "storage"),
    ("a dictionary of numbers", b"ccollections\nOrderedDict\n(K\1tR", "dictionary"),
    ("a frame of 2^62 bytes", framed(1 << 62) + GOOD, "frame"),
    ("a frame that ends in a number", framed(3) + GOOD, "frame"),
    ("a frame in a frame", framed(len(GOOD) + 10) + framed(len(GOOD) + 1) + GOOD, "frame"),
    ("no name", table({"": strided()}), "without a name"),
    ("a dictionary of singles", b"ccollections\nOrderedDict\n(]K\1atR", "dictionary"),
)
TENSORS = (
    ("an axis too long", strided((5,)), "leaves its storage"),
    ("an offset too far", strided((4,), offset=1), "leaves its storage"),
    ("an offset before it", strided((4,), offset=-1), "leaves its storage"),
    ("strides too far", strided((2, 2), (3, 1)), "leaves its storage"),
    ("strides backwards", strided((4,), (-1,), 3), "cannot be"),
    ("fewer strides than axes", strided((2, 2), (1,)), "leaves its storage"),
    ("an extent below zero", strided((-4,)), "cannot be"),
    (
        "extents that are texts",
        REBUILD + b"(" + storage() + b"K\0(" + text("a") + b"t)\x89" + HOOKS + b"tR",
        "cannot be",
    ),
    ("2^62 repetitions", strided((1 << 62,), (0,)), "more numbers"),
    ("2^200 repetitions", strided((1 << 50, 1 << 50, 1 << 50, 1 << 50), (0, 0, 0, 0)), "2^63"),
    ("16 million repetitions", strided((1 << 24,), (0,)), "more numbers"),
    ("33 axes", strided((1,) * 33, (1,) * 33), "no extents"),
    ("two storages of one name", REBUILD + b"(" + storage() + storage(elements=5) + b"t", "two things"),
)


HEADERS = (
    ("empty", b""),
    ("short", b"\1\0\0"),
    ("longer than the file", safe({}, length=1000)),
    ("2^62 bytes long", safe({}, length=1 << 62)),
    ("2^64 - 1 bytes long", safe({}, length=(1 << 64) - 1)),
    ("no JSON", safe("{'w': 1}")),
    ("no UTF-8", struct.pack("<Q", 3) + b'{"\xff'),
    ("a list", safe([])),
    ("deep", safe("[" * 100_000)),
    ("deeper", safe('{"a":' * 100_000)),
    ("a long number", safe('{"w":' + "9" * 5000 + "}")),
    ("a name twice", safe('{"w":%s,"w":%s}' % (('{"dtype":"F32","shape":[2],"data_offsets":[0,8]}',) * 2), b"\0" * 8)),
    ("a key twice", safe('{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"\0" * 8)),
    ("a lone surrogate", safe('{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"\0" * 8)),
    ("no table", safe({"w": 1})),
    ("notes that are a list", safe({"__metadata__": [1], "w": tensor()}, b"\0" * 8)),
    ("notes that are a text", safe({"__metadata__": "pt", "w": tensor()}, b"\0" * 8)),
    ("a note that is a number", safe({"__metadata__": {"step": 1}, "w": tensor()}, b"\0" * 8)),
    ("no name", safe({"": tensor()}, b"\0" * 8)),
    ("no shape", safe({"w": {"dtype": "F32", "data_offsets": [0, 8]}}, b"\0" * 8)),
    ("an unknown dtype", safe({"w": tensor("F8_E4M3", [8])}, b"\0" * 8)),
    ("complex numbers", safe({"w": tensor("C64", [1])}, b"\0" * 8)),
    ("a dtype that is a number", safe({"w": tensor(4)}, b"\0" * 8)),
    ("an extent below zero", safe({"w": tensor(shape=[-2])}, b"\0" * 8)),
    ("an extent that is a fraction", safe({"w": tensor(shape=[2.0])}, b"\0" * 8)),
    ("an extent that is a truth", safe({"w": tensor(shape=[True, 2])}, b"\0" * 8)),
    ("2^63 elements", safe({"w": tensor(shape=[1 << 63])}, b"\0" * 8)),
    ("2^80 elements", safe({"w": tensor(shape=[1 << 40, 1 << 40])}, b"\0" * 8)),
    ("10 GB", safe({"w": tensor(shape=[2_500_000_000], offsets=[0, 10_000_000_000])}, b"\0" * 8)),
    ("offsets turned round", safe({"w": tensor(offsets=[8, 0])}, b"\0" * 8)),
    ("an offset below zero", safe({"w": tensor(offsets=[-8, 0])}, b"\0" * 8)),
    ("behind the end", safe({"w": tensor(offsets=[0, 8])}, b"\0" * 4)),
    ("a gap", safe({"w": tensor(offsets=[4, 12])}, b"\0" * 12)),
    ("an overlap", safe({"v": tensor(), "w": tensor(offsets=[4, 12])}, b"\0" * 12)),
    ("the same place twice", safe({"v": tensor(), "w": tensor()}, b"\0" * 8)),
    ("bytes behind", safe({"w": tensor()}, b"\0" * 9)),
)


def overwritten(content: bytes, mark: bytes, at: int, new: bytes) -> bytes:
    """`content` with `new` at `at` bytes behind the last `mark`."""
    place = content.rindex(mark) + at
    return content[:place] + new + content[place + len(new) :]


ONE = zipped({"w.npy": npy()})
CENTRAL, END = b"PK\1\2", b"PK\5\6"
BOMB = zipped({"w.npy": npy("(1000000000,)", "'|u1'", b"\0" * 1_000_000)}, zipfile.ZIP_DEFLATED)
ARCHIVES = (
    ("no end", ONE[:-1]),
    ("half an end", END + b"\0" * 17),
    ("an end that lies", overwritten(ONE, END, 12, b"\xff\xff\xff\x7f")),
    ("many members", overwritten(ONE, END, 10, b"\xfe\xff")),
    ("a 64-bit end that is not there", overwritten(ONE, END, 10, b"\xff\xff")),
    ("encrypted", overwritten(ONE, CENTRAL, 8, b"\1")),
    ("another compression", overwritten(ONE, CENTRAL, 10, b"\x0e")),
    ("a size that it does not have", overwritten(ONE, CENTRAL, 24, b"\xff\xff\xff\x7f")),
    (
        "a packed size that it does not have",
        overwritten(overwritten(ONE, CENTRAL, 24, b"\xff\xff\xff\x7f"), CENTRAL, 20, b"\xff\xff\xff\x7f"),
    ),
    ("another checksum", overwritten(ONE, CENTRAL, 16, b"\0\0\0\0")),
    ("a place behind the end", overwritten(ONE, CENTRAL, 42, b"\xff\xff\xff\x7f")),
    ("a place that is no member", overwritten(ONE, CENTRAL, 42, b"\5\0\0\0")),
    ("two members of a name", zipped({"w.npy": npy(), "v.npy": npy()}).replace(b"v.npy", b"w.npy")),
    ("members over each other", overwritten(zipped({"w.npy": npy(), "v.npy": npy()}), CENTRAL, 42, b"\0\0\0\0")),
    ("a way out", zipped({"../w.npy": npy()})),
    ("a way out in the middle", zipped({"a/../../w.npy": npy()})),
    ("an absolute way", zipped({"/etc/w.npy": npy()})),
    ("a way out of Windows", zipped({"..\\w.npy": npy()})),
    ("a text among arrays", zipped({"w.npy": npy(), "readme.txt": b"hello"})),
    ("a deflated member that is none", overwritten(ONE, CENTRAL, 10, b"\x08")),
    ("a claim of 10^9 behind a million", BOMB),
    ("no name", zipped({".npy": npy()})),
    ("no npy", zipped({"w.npy": b"hello"})),
    ("no header", zipped({"w.npy": npy()[:10]})),
    ("an unknown version", zipped({"w.npy": npy().replace(b"\x93NUMPY\1", b"\x93NUMPY\3")})),
    ("a header that is code", zipped({"w.npy": npy("(__import__('os').getpid(),)")})),
    ("a deep header", zipped({"w.npy": npy("(" * 5000)})),
    ("2^60 numbers", zipped({"w.npy": npy("(1 << 60,)")})),
    ("10^18 numbers", zipped({"w.npy": npy("(10**18,)".replace("10**18", "1" + "0" * 18))})),
    ("an extent below zero", zipped({"w.npy": npy("(-2,)")})),
    ("more than there is", zipped({"w.npy": npy("(3,)")})),
    ("less than there is", zipped({"w.npy": npy("(1,)")})),
    ("objects", zipped({"w.npy": npy(descr="'|O'")})),
    ("texts", zipped({"w.npy": npy(descr="'<U1'")})),
    ("complex numbers", zipped({"w.npy": npy("(1,)", "'<c8'")})),
    ("records", zipped({"w.npy": npy(descr="[('a', '<f4')]")})),
)


FOREIGN = (
    ("HDF5", b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "HDF5"),
    ("a web page", b"<!DOCTYPE html><html>not found</html>", "web page"),
    ("a pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS"),
    ("gzip", b"\x1f\x8b\x08\0" + b"\0" * 100, "gzip"),
    ("npy", npy(), ".npy"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "picture"),
    ("zeros", b"\0" * 1000, "safetensors"),
    ("a text", b"these are no weights, but a text of some length\n", "safetensors"),
    ("nothing", b"", "empty"),
    ("TorchScript", torch_zip(GOOD, more={"archive/constants.pkl": b"x", "archive/code/a.py": b""}), "TorchScript"),
    (
        "another byte order",
        torch_zip(GOOD, more={"archive/byteorder": b"middle"}),
        "byte order that is not known: `middle`",
    ),
    ("more than a byte order", torch_zip(GOOD, more={"archive/byteorder": b"bigger"}), "`bigger`"),
    ("a lone pickle", pickle.dumps({"w": 1}), "not one that `torch.save`"),
)
