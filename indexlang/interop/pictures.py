"""Pictures as arrays `[rows, columns, channels]`, and back: PNG and JPEG, decoded with pillow."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps

from indexlang.interop.disk import written_aside
from indexlang.text.diagnostics import data_error

FORMATS = ("PNG", "JPEG")
MOST_PIXELS = 100_000_000
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
BYTE = 255

Extent = int | str | None


def read_picture(
    file: BinaryIO, path: Path, name: str, extents: Sequence[Extent], dtype: str, shorter: int | None = None
) -> np.ndarray[Any, Any]:
    """The picture in `file` as a value of the input `name[extents]`: scaled, and cut about its centre.

    shorter  pixels of the shorter side once the picture is scaled, as torchvision does before it cuts; if nothing is
             said, the smallest picture that covers the extents

    shapes  [X,Y], [X,Y,C] with C of 1, 3 or 4, or either behind a batch axis, which becomes 1; x goes down, y to the
            right. An extent that is not a number is taken from the picture.
    values  in [0,1] for a float dtype; 0 to 255 for an integer one
    errors  E0702 what is no picture; E0601 extents that no picture has, or that are more than is left of it
    """
    batch, rows, columns, channels = _layout(path, name, extents)
    image = _decoded(file, path, MODES[channels or 1])
    fitted = _fitted(image, rows, columns) if shorter is None else _cut(image, rows, columns, name, shorter)
    pixels = np.asarray(fitted)
    value = pixels if _whole(dtype) else pixels.astype(np.float64 if dtype == "f64" else np.float32) / BYTE
    if channels == 1:
        value = value[:, :, np.newaxis]
    return np.ascontiguousarray(value[np.newaxis] if batch else value)


def write_picture(path: Path, value: np.ndarray[Any, Any]) -> None:
    """Write `[X,Y]`, `[X,Y,1]` or `[X,Y,3]` (or a batch of one) to a PNG or JPEG; floats are cut to [0,1].

    errors  E0705 for other extents, and when the file cannot be written
    """
    pixels = value[0] if value.ndim > 2 and value.shape[0] == 1 else value
    pixels = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    if pixels.ndim != 2 and not (pixels.ndim == 3 and pixels.shape[2] == 3):
        shape = ", ".join(map(str, value.shape))
        raise data_error("E0705", path=path, reason=f"an array [{shape}] is not a picture [x, y] or [x, y, 3]")
    if pixels.dtype.kind == "f":
        pixels = np.rint(np.clip(np.nan_to_num(pixels), 0, 1) * BYTE)
    image = Image.fromarray(np.clip(pixels, 0, BYTE).astype(np.uint8))
    with written_aside(path) as aside:
        image.save(aside, format="PNG" if path.suffix.lower() == ".png" else "JPEG")


def check_picture(file: BinaryIO, path: Path) -> None:
    """Refuse what does not begin like a picture, without decoding it (E0702)."""
    try:
        with warnings.catch_warnings(action="ignore"):
            _opened(file)
    except Exception:
        raise data_error("E0702", path=path) from None


def _opened(file: BinaryIO) -> Image.Image:
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    return image


def _layout(path: Path, name: str, extents: Sequence[Extent]) -> tuple[bool, Extent, Extent, int | None]:
    """Whether there is a batch axis, then rows, columns and channels (None: a grey picture without that axis)."""
    body = list(extents)
    batch = len(body) == 4 or (len(body) == 3 and body[2] not in MODES)
    if batch and (not isinstance(body[0], int) or body[0] == 1):
        body = body[1:]
    match body:
        case [rows, columns]:
            return batch, rows, columns, None
        case [rows, columns, int(channels)] if channels in MODES:
            return batch, rows, columns, channels
        case _:
            wanted = f"[{', '.join(str(extent) for extent in extents)}]"
            several = batch and len(body) > 3
            advice = "a picture is a batch of 1: give several as an .npy file" if several else "declare it as [x, y, 3]"
            raise data_error("E0601", tensor=name, wanted=wanted, given=f"the picture {path}", advice=advice)


def _decoded(file: BinaryIO, path: Path, mode: str) -> Image.Image:
    """The picture, upright, in `mode`. Decoders fail on damaged files in many ways; all mean the same to a reader."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return _eight_bits(ImageOps.exif_transpose(_opened(file))).convert(mode)
    except Exception:
        raise data_error("E0702", path=path) from None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pictures of 16 bits a channel hold values that `convert` would cut off."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image) / 257).clip(0, BYTE).astype(np.uint8))


def _fitted(image: Image.Image, rows: Extent, columns: Extent) -> Image.Image:
    """Scaled so that the picture covers rows × columns, and cut to that about its centre."""
    height = rows if isinstance(rows, int) else None
    width = columns if isinstance(columns, int) else None
    if height is None and width is None:
        return image
    scale = max((height or 0) / image.height, (width or 0) / image.width)
    size = (width or max(1, round(image.width * scale)), height or max(1, round(image.height * scale)))
    if 0 in (height, width):
        return image.crop((0, 0, 0 if width == 0 else size[0], 0 if height == 0 else size[1]))
    return ImageOps.fit(image, size, Image.Resampling.BILINEAR)


def _cut(image: Image.Image, rows: Extent, columns: Extent, name: str, shorter: int) -> Image.Image:
    """Scaled to a shorter side, then cut about its centre: the same pixels as torchvision's Resize and CenterCrop."""
    by = min(image.size)
    if max(image.size) * shorter**2 > MOST_PIXELS * by:
        given = f"a picture of {image.height}×{image.width} pixels, too many once it is scaled"
        raise data_error("E0601", tensor=name, wanted="a smaller picture", given=given, advice="scale it to less")
    width, height = (shorter if n == by else int(shorter * n / by) for n in image.size)
    wide, high = (wanted if isinstance(wanted, int) else n for wanted, n in ((columns, width), (rows, height)))
    if wide > width or high > height:
        wanted, given = f"{high}×{wide} pixels", f"a picture that was scaled to {height}×{width}"
        raise data_error(
            "E0601", tensor=name, wanted=wanted, given=given, advice=f"scale it to {max(high, wide)} or more"
        )
    left, top = round((width - wide) / 2), round((height - high) / 2)
    scaled = image.resize((width, height), Image.Resampling.BILINEAR)
    return scaled.crop((left, top, left + wide, top + high))


def _whole(dtype: str) -> bool:
    return dtype in ("int", "i64", "i32", "u8", "int64", "int32", "uint8")
