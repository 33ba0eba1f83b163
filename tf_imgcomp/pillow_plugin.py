"""Makes Pillow open and save `.tfci` files; importing it is enough.

    import tf_imgcomp.pillow_plugin

    image = Image.open("photo.tfci")             # Size, mode and metadata are known.
    image.draft(None, (200, 200))                # A preview of at least this size, or
    image.thumbnail((200, 200))                  # of this one, much faster.
    image.save("again.tfci", quality=60, model="fdram")

Pixels are decoded when they are first used, and TensorFlow is imported then. `save`
takes the goals, `model` and `effort` of `tf_imgcomp.compress`; ICC profile, EXIF, XMP
and resolution of an image come along unless `icc_profile`, `exif`, `xmp` or `dpi` are
given. Packages that read images through Pillow, such as Matplotlib and imageio, then
read `.tfci` files, too.

Of a file that is cut or damaged after its first part, previews can be decoded.
"""

from __future__ import annotations

from typing import IO, Any

from PIL import Image, ImageFile

from tf_imgcomp import bitstream
from tf_imgcomp.errors import BitstreamError, ImgcompError
from tf_imgcomp.files.compression import SUFFIX
from tf_imgcomp.files.encoding import decode
from tf_imgcomp.files.metadata_blocks import decode_blocks
from tf_imgcomp.image_files import arrays
from tf_imgcomp.image_files.exif import copy_with_tags

FORMAT = "TFCI"
_MIME = "image/x-tfci"
_REDUCTIONS = (16, 8, 4, 2)
_OPTIONS = ("model", "quality", "target_bpp", "target_psnr", "max_bytes", "effort")
_METADATA = ("icc_profile", "exif", "xmp", "dpi")


class TfciImageFile(ImageFile.ImageFile):
    """A `.tfci` file that Pillow opened. Errors are OSErrors, as Pillow's are."""

    format = FORMAT
    format_description = "tf_imgcomp"

    def _open(self) -> None:
        assert self.fp is not None
        try:
            self._file, self._fault = bitstream.salvage(self.fp.read())
            metadata, _ = decode_blocks(self._file.blocks)
        except BitstreamError as error:
            raise OSError(str(error)) from error
        self._size = self._file.width, self._file.height
        self._mode = "L" if self._file.grey else "RGB"
        self._mode += "" if self._file.alpha is None else "A"
        self.info.update(arrays.pillow_info(**metadata))
        self._reduction, self._decoded = 1, False

    def draft(
        self, mode: str | None, size: tuple[int, int] | None
    ) -> tuple[str, tuple[int, int, float, float]] | None:
        """Chooses the smallest preview that is no smaller than `size`.

        Returns:
            Mode and box of the image in the preview, see `Image.draft`; None if there
            is no such preview, or the pixels are decoded already.
        """
        width, height = self._file.width, self._file.height
        if self._decoded or not size:
            return None
        fitting = (
            reduction
            for reduction in _REDUCTIONS
            if width >= size[0] * reduction and height >= size[1] * reduction
        )
        self._reduction = next(fitting, 1)
        if self._reduction == 1:
            return None
        self._size = -(-width // self._reduction), -(-height // self._reduction)
        return self.mode, (0, 0, width / self._reduction, height / self._reduction)

    def load(self) -> Any:
        """Decodes the pixels, once."""
        if not self._decoded:
            self.im = self._decode().im
            self._decoded = True
            if self.fp and self._exclusive_fp:
                self.fp.close()
            self.fp = None
        return super().load()

    def _decode(self) -> Image.Image:
        from tf_imgcomp.api import load_by_id

        try:
            if self._fault and self._reduction == 1:
                raise self._fault
            codec = load_by_id(self._file.codec)
            photo = decode(codec, self._file, scale=self._reduction)
        except ImgcompError as error:
            raise OSError(str(error)) from error
        return arrays.to_pillow(photo)


def _accept(prefix: bytes) -> bool:
    return bitstream.is_start(prefix)


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    from tf_imgcomp.api import compress

    del filename
    given = getattr(image, "encoderinfo", {})
    options = {name: given[name] for name in _OPTIONS if name in given}
    try:
        file.write(compress(_with_metadata(image, given), **options))
    except ImgcompError as error:
        raise OSError(str(error)) from error


def _with_metadata(image: Image.Image, given: dict[str, Any]) -> Image.Image:
    """A copy of an image whose metadata are those given to `save`, if they were."""
    replaced = {name: given[name] for name in _METADATA if name in given}
    if not replaced:
        return image
    # A given profile comes before colours that the file of an opened image names.
    copy = Image.Image.copy if "icc_profile" in replaced else copy_with_tags
    image = copy(image)
    if isinstance(replaced.get("exif"), Image.Exif):
        replaced["exif"] = replaced["exif"].tobytes()
    image.info.update(replaced)
    return image


Image.register_open(FORMAT, TfciImageFile, _accept)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, SUFFIX)
Image.register_mime(FORMAT, _MIME)
