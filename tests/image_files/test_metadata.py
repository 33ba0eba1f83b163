"""Metadata besides the pixels."""

import struct
import time
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from tests.image_files.png_files import png
from tf_imgcomp import bitstream
from tf_imgcomp.files.metadata_blocks import decode_blocks, encode_blocks
from tf_imgcomp.image_files.images import (
    Photo,
    read_image,
    read_pillow_image,
    write_image,
)
from tf_imgcomp.image_files.metadata import MAX_METADATA

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
TEXT = (("Comment", "h\u00e9llo"),)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XRESOLUTION, YRESOLUTION = ExifTags.Base.XResolution, ExifTags.Base.YResolution
EXIF = Image.Exif()
EXIF[0x010F] = "Maker"
EXIF = EXIF.tobytes().removeprefix(b"Exif\0\0")


@pytest.fixture
def pixels(make_image):
    return make_image(9, 13)


@pytest.mark.parametrize(
    ("suffix", "lost"),
    [
        ("png", []),
        ("jpg", []),
        ("tif", ["text"]),
        ("webp", ["resolution", "text"]),
        ("avif", ["resolution", "text"]),
        ("heic", ["resolution", "text"]),
        ("gif", ["XMP", "resolution"]),
        ("bmp", ["XMP", "text"]),
    ],
)
def test_what_is_written_is_read_and_the_rest_is_named(tmp_path, pixels, suffix, lost):
    path = tmp_path / f"image.{suffix}"
    notes = write_image(path, Photo(pixels, xmp=XMP, dpi=(300, 300), text=TEXT))
    format_ = {"webp": "WEBP", "tif": "TIFF", "heic": "HEIF"}.get(
        suffix, suffix.upper()
    )
    dropped = f"{', '.join(lost)} dropped: {format_} cannot store this"
    assert notes == ((dropped,) if lost else ())
    photo = read_image(path)
    assert photo.xmp == (None if "XMP" in lost else XMP)
    assert photo.text == (() if "text" in lost else TEXT)
    if suffix == "tif":
        with Image.open(path) as image:
            assert image.info["dpi"] == (300, 300)
    elif "resolution" in lost:
        assert photo.dpi is None
    else:
        assert photo.dpi == pytest.approx((300, 300), rel=1e-4)


def test_texts_of_a_png_are_kept_apart_from_xmp(tmp_path, pixels):
    text = (("Title", "one"), ("Author", "two"))
    write_image(tmp_path / "image.png", Photo(pixels, xmp=XMP, text=text))
    photo = read_image(tmp_path / "image.png")
    assert (photo.text, photo.xmp) == (text, XMP)
    notes = write_image(tmp_path / "image.jpg", photo)
    assert notes == ("text dropped: JPEG cannot store this",)


def _with_segments(path, pixels, *segments):
    """Writes a JPEG with further segments, each a marker and its content."""
    Image.fromarray(pixels).save(path)
    data = path.read_bytes()
    more = (
        b"\xff" + marker + struct.pack(">H", len(content) + 2) + content
        for marker, content in segments
    )
    path.write_bytes(data[:2] + b"".join(more) + data[2:])


def test_all_comments_of_a_jpeg_are_read(tmp_path, pixels):
    comments = "é in UTF-8".encode(), "é in Latin-1".encode("latin-1"), b"end\0"
    path = tmp_path / "image.jpg"
    _with_segments(path, pixels, *((b"\xfe", comment) for comment in comments))
    texts = "é in UTF-8", "é in Latin-1", "end"
    assert read_image(path).text == tuple(("Comment", text) for text in texts)


def test_extended_xmp_and_iptc_are_said_to_be_dropped(tmp_path, pixels):
    path = tmp_path / "image.jpg"
    extended = b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + b"<x/>"
    iptc = b"Photoshop 3.0\08BIM\4\4\0\0\0\0\0\x0a\x1c\2\x78\0\5words"
    _with_segments(path, pixels, (b"\xe1", extended), (b"\xed", iptc))
    assert read_image(path).notes == ("extended XMP, IPTC dropped",)
    path = tmp_path / "image.tif"
    Image.fromarray(pixels).save(path, tiffinfo={33723: iptc[-10:]})
    assert read_image(path).notes == ("IPTC dropped",)


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize(
    "key",
    ["dpi", "gamma", "srgb", "xmp", "icc_profile", "transparency", "interlace"],
)
def test_texts_are_not_taken_for_properties(tmp_path, pixels, key, where):
    path = tmp_path / "image.png"
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "title")
    text.add(b"tEXt", f"{key}\0text".encode(), after_idat=where == "after")
    Image.fromarray(pixels).save(path, pnginfo=text)
    photo = read_image(path)
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert (photo.dpi, photo.xmp, photo.exif, photo.icc) == (None,) * 4
    assert photo.alpha is None
    assert photo.text == (("Title", "title"),)
    assert photo.notes == (f"text {key!r} dropped",)


@pytest.mark.parametrize("key", ["bit_depth", "depth_images", "aux", "photoshop"])
def test_texts_with_names_of_other_formats_are_texts(tmp_path, pixels, key):
    path = tmp_path / "image.png"
    write_image(path, Photo(pixels, text=((key, "12"),)))
    photo = read_image(path)
    assert (photo.text, photo.notes) == (((key, "12"),), ())


@pytest.mark.parametrize(
    ("keywords", "kept", "lost"),
    [
        (
            ["Title", "Author", "Title"],
            ["Title", "Author"],
            "text 'Title' but for the last of 2",
        ),
        (["a" * 80], [], "text without a valid keyword"),
        (["Raw profile type iptc"], [], "raw profile 'iptc'"),
        (["Raw profile type exif"], [], None),
    ],
)
def test_texts_of_a_png_that_are_not_read_are_named(
    tmp_path, pixels, keywords, kept, lost
):
    text = PngImagePlugin.PngInfo()
    for keyword in keywords:
        text.add(b"tEXt", f"{keyword}\0text".encode(), after_idat=True)
    Image.fromarray(pixels).save(tmp_path / "image.png", pnginfo=text)
    photo = read_image(tmp_path / "image.png")
    assert [keyword for keyword, _ in photo.text] == kept
    assert photo.notes == ((f"{lost} dropped",) if lost else ())


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_the_first_thousand_texts_are_kept(tmp_path, pixels, suffix):
    """As many as a `.tfci` file holds."""
    path = tmp_path / f"image.{suffix}"
    if suffix == "png":
        write_image(
            path, Photo(pixels, text=tuple((f"k{n}", "v") for n in range(1002)))
        )
    else:
        _with_segments(path, pixels, *((b"\xfe", b"v"),) * 1002)
    photo = read_image(path)
    assert len(photo.text) == 1000
    assert photo.text[-1] == ("k999" if suffix == "png" else "Comment", "v")
    assert photo.notes == ("texts after the first 1000 of 1002 dropped",)
    ((kind, _),) = encode_blocks(photo)
    assert kind == bitstream.TEXT


@pytest.mark.parametrize(("count", "kept"), [(3, 2), (2, 2), (1, 1)])
def test_texts_that_fit_into_a_file_are_kept(tmp_path, pixels, count, kept):
    size = MAX_METADATA // 2 - 10  # Of a text; lengths and keyword take some bytes.
    text = PngImagePlugin.PngInfo()
    for number in range(count):
        text.add_text(f"k{number}", "\u00e9" * (size // 2))
    Image.fromarray(pixels).save(tmp_path / "image.png", pnginfo=text)
    photo = read_image(tmp_path / "image.png")
    assert [keyword for keyword, _ in photo.text] == [f"k{n}" for n in range(kept)]
    note = f"texts after the first {kept} of {count} dropped"
    assert photo.notes == ((note,) if kept < count else ())
    assert decode_blocks(encode_blocks(photo))[0]["text"] == photo.text


@pytest.mark.parametrize(
    ("name", "field", "start"),
    [("ICC profile", "icc", ICC), ("EXIF", "exif", EXIF), ("XMP", "xmp", XMP)],
)
@pytest.mark.parametrize("excess", [0, 1])
def test_blocks_that_no_file_holds_are_dropped_with_a_note(
    tmp_path, pixels, name, field, start, excess
):
    block = start.ljust(MAX_METADATA + excess, b" ")
    path = tmp_path / "image.webp"
    assert write_image(path, Photo(pixels, **{field: block})) == ()
    photo = read_image(path)
    dropped = f"{name} of {len(block)} bytes dropped: at most {MAX_METADATA} fit"
    assert photo.notes == ((dropped,) if excess else ())
    assert getattr(photo, field) == (None if excess else block)
    encode_blocks(photo)


def test_a_note_names_ten_texts(tmp_path, pixels):
    text = PngImagePlugin.PngInfo()
    for number in range(500):
        for _ in range(2):
            text.add_text(f"k{number}", "v")
    Image.fromarray(pixels).save(tmp_path / "image.png", pnginfo=text)
    (note,) = read_image(tmp_path / "image.png").notes
    assert note.startswith("text 'k0' but for the last of 2, text 'k1' but for")
    assert note.endswith("text 'k9' but for the last of 2, 490 more texts dropped")


def test_large_text_and_profile_of_a_png_are_read(tmp_path, pixels):
    """Editors keep whole documents in text; Pillow refuses more than a megabyte."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Document", "d" * 2_000_000, zip=True)
    path, icc = tmp_path / "image.png", ICC.ljust(2_000_000, b"\0")
    Image.fromarray(pixels).save(path, pnginfo=text, icc_profile=icc)
    limit = PngImagePlugin.MAX_TEXT_CHUNK
    photo = read_image(path)
    assert photo.text == (("Document", "d" * 2_000_000),)
    assert photo.icc == icc
    assert limit == PngImagePlugin.MAX_TEXT_CHUNK


def test_larger_text_and_profile_of_a_png_are_dropped_with_a_note(tmp_path):
    texts = [b"zTXtBomb\0\0", b"iTXtBomb\0\1\0\0\0"]
    chunks = [(text[:4], text[4:] + zlib.compress(bytes(9_000_000))) for text in texts]
    profile = (b"iCCP", b"icc\0\0" + zlib.compress(bytes(9_000_000)))
    path = tmp_path / "image.png"
    # Of 16 bits: its pixels are read twice.
    values = np.full((2, 3, 3), 256 * 77 + 77)
    path.write_bytes(png(values, 2, *chunks, (b"tEXt", b"Title\0one"), profile))
    photo = read_image(path)
    assert (photo.text, photo.icc) == ((("Title", "one"),), None)
    assert photo.notes[:2] == (
        "large texts dropped: 2, over 8000000 bytes each or over 64000000 with those "
        "before",
        "ICC profile of over 8000000 bytes dropped",
    )
    assert (photo.pixels == 77).all()


def test_many_large_texts_of_a_png_are_dropped_with_a_note(tmp_path):
    """Pillow refuses 64 MB of texts, and a small file can hold any number of them."""
    text = zlib.compress(bytes(7_000_000))
    chunks = [(b"zTXt", b"Text%d\0\0" % n + text) for n in range(5000)]
    path = tmp_path / "image.png"
    path.write_bytes(png(np.full((2, 3, 3), 77), 2, *chunks, depth=8))
    before = time.process_time()
    photo = read_image(path)
    assert time.process_time() - before < 20  # All of them: a minute.
    assert photo.notes[0].startswith("large texts dropped: 4991, ")
    assert [key for key, _ in photo.text] == ["Text0", "Text1"]
    assert (photo.pixels == 77).all()


def test_text_of_an_animation_is_read_without_its_frames(tmp_path, pixels, monkeypatch):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Title", "one")
    frames = [Image.fromarray(pixels), Image.fromarray(255 - pixels)]
    path = tmp_path / "image.png"
    frames[0].save(path, save_all=True, append_images=frames[1:], pnginfo=chunks)
    monkeypatch.delattr(PngImagePlugin.PngImageFile, "text")
    assert read_image(path).text == (("Title", "one"),)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("in_exif", [None, (300, 200), (72, 72)])
def test_paths_and_pillow_images_say_the_resolution_alike(
    tmp_path, pixels, suffix, in_exif
):
    tags = Image.Exif()
    if in_exif:
        tags[XRESOLUTION], tags[YRESOLUTION] = map(float, in_exif)
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(pixels).save(path, dpi=(300, 300), exif=tags)
    photo = read_image(path)
    with Image.open(path) as image:
        assert read_pillow_image(image).dpi == photo.dpi
    if suffix == "tif" or in_exif == (300, 200):
        assert photo.dpi is None  # The EXIF has it.
    else:
        assert photo.dpi == pytest.approx((300, 300), rel=1e-4)
    write_image(tmp_path / "again.png", photo)
    with Image.open(tmp_path / "again.png") as image:
        assert image.info["dpi"] == pytest.approx(photo.resolution, rel=1e-4)


def test_an_impossible_resolution_in_the_exif_is_not_written(tmp_path, pixels):
    tags = Image.Exif()
    tags[XRESOLUTION], tags[YRESOLUTION] = 1e6, 300.0
    photo = Photo(pixels, exif=tags.tobytes().removeprefix(b"Exif\0\0"))
    write_image(tmp_path / "image.jpg", photo)
    with Image.open(tmp_path / "image.jpg") as image:
        assert image.info.get("jfif_unit") == 0


def test_resolution_is_none_if_the_file_has_none(tmp_path, pixels):
    for suffix in ("png", "jpg", "tif", "webp"):
        path = tmp_path / f"image.{suffix}"
        Image.fromarray(pixels).save(path)
        assert read_image(path).dpi is None


@pytest.mark.parametrize(
    ("suffix", "name", "size", "limit"),
    [
        ("jpg", "EXIF", 70_000, 65_533),
        ("jpg", "XMP", 70_000, 65_504),
        ("jpg", "ICC profile", 17_000_000, 16_707_345),
        ("png", "EXIF", 9_000_000, 8_000_000),
        ("png", "XMP", 1_100_000, 1_048_576),
        ("png", "ICC profile", 1_100_000, 1_048_576),
    ],
)
def test_too_large_blocks_are_dropped_with_a_note(
    tmp_path, pixels, suffix, name, size, limit
):
    blocks = {"EXIF": EXIF, "XMP": XMP, "ICC profile": ICC}
    blocks[name] = blocks[name].ljust(size, b" ")
    photo = Photo(
        pixels, exif=blocks["EXIF"], xmp=blocks["XMP"], icc=blocks["ICC profile"]
    )
    path = tmp_path / f"image.{suffix}"
    (note,) = write_image(path, photo)
    format_ = "JPEG" if suffix == "jpg" else "PNG"
    assert note.startswith(f"{name} of ")
    assert note.endswith(f" dropped: {format_} stores at most {limit}")
    read = read_image(path)
    kept = {"EXIF": read.exif, "XMP": read.xmp, "ICC profile": read.icc}
    assert kept.pop(name) is None
    assert kept == {key: blocks[key] for key in kept}


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "heic", "avif"])
def test_large_blocks_are_kept_where_they_fit(tmp_path, pixels, suffix):
    icc = ICC.ljust(1_000_000, b"\0")
    path = tmp_path / f"image.{suffix}"
    assert write_image(path, Photo(np.tile(pixels, (8, 8, 1)), icc=icc)) == ()
    assert read_image(path).icc == icc


@pytest.mark.parametrize("suffix", ["jpg", "png", "jxl", "heic"])
def test_orientation_of_xmp_is_removed(tmp_path, pixels, suffix):
    """Readers would turn the upright image again."""
    orientation = (
        b'a="1" tiff:Orientation="6"',
        b"a='1' tiff:Orientation='6'",
        b"<tiff:Orientation>6</tiff:Orientation>",
    )
    for said, left in zip(orientation, (b'a="1" ', b"a='1' ", b"")):
        path = tmp_path / f"image.{suffix}"
        xmp = b"<x %s/>" if b"a=" in said else b"<x>%s</x>"
        write_image(path, Photo(pixels, xmp=xmp % said), overwrite=True)
        assert read_image(path).xmp == xmp % left
