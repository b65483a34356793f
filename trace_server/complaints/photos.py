"""Photos of reporters: what a photo shows is kept, what its file tells of camera, place and time is not."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from trace_core.errors import InputError, TooLarge
from trace_server.complaints.rules import MAX_PHOTO_BYTES

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 50_000_000
"""Checked before anything is unpacked: 150 MB of colours."""
MAX_SIDE = 1_600
QUALITY = 80
MEDIA_TYPE = "image/jpeg"


def clean(data: bytes) -> bytes:
    """The picture alone, drawn anew as a JPEG of at most 1,600 pixels a side.

    Raises `InputError` for what is no photo by its content, `TooLarge`.
    """
    if len(data) > MAX_PHOTO_BYTES:
        raise TooLarge("the photo is too large", where="photo", remedy="at most 6 MB")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as found:
            if found.width * found.height > MAX_PIXELS:
                raise TooLarge("the photo is too large", where="photo", remedy="at most 50 megapixels")
            # Turned as the camera said, before what the camera said is thrown away.
            upright = ImageOps.exif_transpose(found).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError("this file is no photo", where="photo", remedy="JPEG, PNG or WebP") from error
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
