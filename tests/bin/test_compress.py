"""The programs on files: compress, decompress and inspect, end to end."""

import dataclasses
import functools
import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver
from PIL import Image, ImageCms

from tests.stub_codec import CARD
from tf_imgcomp import bitstream, metrics, size_limits
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS, ClassicalImageCodec
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp_bin import compress, decompress, inspect_file
from tf_imgcomp_bin.command_line.program import parse

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
HEIGHT, WIDTH = 30, 41


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo(folder, make_image):
    Image.fromarray(make_image(HEIGHT, WIDTH)).save("photo.png")
    return read_image("photo.png")


@pytest.fixture
def tfci(stub, photo, capsys):
    """The name of a compressed file."""
    assert run(compress, "photo.png") == 0
    capsys.readouterr()
    return "photo.tfci"


def listing(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def unpack(name):
    return bitstream.unpack(Path(name).read_bytes())


def run(program, *arguments):
    """Runs a program with fresh flags; returns its exit code."""
    with flagsaver.flagsaver():
        try:
            argv = parse(program.PROGRAM, [program.PROGRAM, *arguments])
            return program.main(argv)
        except SystemExit as exit_:
            return exit_.code


def check_error(capsys, program, message, *arguments, exit_code=1):
    """Checks that a program fails with one line that begins with `message`."""
    assert run(program, *arguments) == exit_code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"bin/{program.PROGRAM}: {message}")
    assert err.count("\n") == 1


def test_a_folder_of_one_photo_goes_to_a_folder(stub, photo, folder):
    Path("in").mkdir()
    Path("photo.png").rename("in/photo.png")
    assert run(compress, "in", "--output=small") == 0
    assert run(decompress, "small", "--output=back") == 0
    assert listing(folder) == ["back/photo.png", "in/photo.png", "small/photo.tfci"]


def test_an_empty_folder_is_said_to_be_empty(stub, photo, folder, capsys, monkeypatch):
    Path("in/deep").mkdir(parents=True)
    message = "in: the folder holds no file with an extension that is read here\n"
    for program in (compress, decompress):
        check_error(capsys, program, message, "in")
    check_error(capsys, compress, message, "in", "--total_bpp=1")
    assert run(compress, "in", "photo.png") == 1
    assert Path("photo.tfci").exists()
    capsys.readouterr()
    monkeypatch.chdir("in")
    for program in (compress, decompress):
        check_error(capsys, program, message.replace("in:", ".:"), ".")


def test_a_folder_without_permission_is_named(stub, photo, capsys, monkeypatch):
    Path("in").mkdir()
    Path("photo.png").rename("in/photo.png")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    message = "in/photo.png: in/photo.tfci cannot be written: no permission for in\n"
    check_error(capsys, compress, message, "in")
    check_error(capsys, compress, message, "in", "--overwrite")


def test_a_photo_goes_to_a_file_and_comes_back(stub, photo, folder, capsys):
    assert run(compress, "photo.png") == 0
    size = Path("photo.tfci").stat().st_size
    out, err = capsys.readouterr()
    assert out.startswith(f"photo.png -> photo.tfci: {size} bytes, ")
    assert f" {metrics.bpp(size, HEIGHT, WIDTH):.4f} bpp, " in out
    assert err == ""
    assert unpack("photo.tfci").quality == 50

    assert run(decompress, "--output=back.png", "photo.tfci") == 0
    assert capsys.readouterr().out.startswith(f"photo.tfci -> back.png: {size} bytes, ")
    assert metrics.psnr(photo.pixels, read_image("back.png").pixels) > 20
    assert listing(folder) == ["back.png", "photo.png", "photo.tfci"]


@pytest.mark.parametrize("strip", [False, True])
def test_all_metadata_go_through_a_file(stub, photo, capsys, strip):
    comment = b"a comment"
    image = Image.fromarray(photo.pixels)
    image.save("in.jpg", dpi=(300, 200), comment=comment, xmp=b"<x/>")
    assert run(compress, "in.jpg", f"--strip={strip}") == 0
    assert run(decompress, "--output=out.jpg", "in.tfci") == 0
    assert capsys.readouterr().err == ""
    found = read_image("out.jpg")
    kept = (b"<x/>", (300, 200), (("Comment", "a comment"),))
    assert (found.xmp, found.dpi, found.text) == ((None, None, ()) if strip else kept)


def test_heic_goes_in_and_out(stub, photo):
    assert run(compress, "photo.png", "--output=a.tfci") == 0
    assert run(decompress, "a.tfci", "--output=a.heic") == 0
    assert run(compress, "a.heic", "--output=b.tfci") == 0
    assert run(decompress, "b.tfci") == 0
    back = read_image("b.png").pixels
    assert metrics.psnr(photo.pixels, back) > 20


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_grey_alpha_and_metadata_come_back(stub, photo, mode):
    image = Image.fromarray(photo.pixels).convert(mode)
    tags = Image.Exif()
    tags[0x010F] = "Maker"
    if "A" in mode:
        image.putalpha(Image.fromarray(photo.pixels[..., 0]))
    profile = SRGB if mode == "RGBA" else SRGB[:16] + b"GRAY" + SRGB[20:]
    image.save("in.png", icc_profile=profile, exif=tags)
    assert run(compress, "in.png") == 0
    assert run(decompress, "--output=out.png", "in.tfci") == 0
    before, after = read_image("in.png"), read_image("out.png")
    np.testing.assert_array_equal(after.alpha, before.alpha)
    assert (after.grey, after.icc, after.exif) == (
        before.grey,
        before.icc,
        before.exif,
    )
    with Image.open("out.png") as image:
        assert image.mode == mode

    assert run(compress, "--strip", "--output=bare.tfci", "in.png") == 0
    bare = unpack("bare.tfci")
    assert bare.blocks == ()
    assert (bare.alpha is None) == (before.alpha is None)


def test_what_was_converted_is_said(stub, photo, capsys):
    Image.fromarray(photo.pixels).convert("CMYK").save("print.tif")
    assert run(compress, "print.tif") == 0
    message = "bin/compress: print.tif: CMYK converted to RGB\n"
    assert capsys.readouterr().err == message


def test_what_a_format_cannot_hold_is_said(stub, photo, capsys):
    image = Image.fromarray(photo.pixels)
    image.putalpha(9)
    image.save("clear.png")
    assert run(compress, "clear.png") == 0
    assert run(decompress, "--output=out.jpg", "clear.tfci") == 0
    assert "clear.tfci: transparency replaced by white" in capsys.readouterr().err


def test_metadata_of_unknown_kinds_is_said_to_be_left_out(tfci, capsys):
    repack(tfci, blocks=((99, b"?"),))
    assert run(decompress, "--output=out.png", tfci) == 0
    message = f"bin/decompress: {tfci}: metadata of unknown kind 99 left out\n"
    assert capsys.readouterr().err == message


def test_max_bytes_and_target_bpp_stay_below_and_use_what_there_is(stub, photo):
    sizes = {}
    for limit in (700, 1200, 2000):
        again = ("photo.png", "--overwrite")
        assert run(compress, f"--max_bytes={limit}", *again) == 0
        sizes[limit] = Path("photo.tfci").stat().st_size
        bpp = 8 * limit / (HEIGHT * WIDTH)
        assert run(compress, f"--target_bpp={bpp:.5f}", *again) == 0
        assert Path("photo.tfci").stat().st_size <= limit
    assert all(0.7 * limit < size <= limit for limit, size in sizes.items())


def test_target_psnr_is_reached_by_the_decoded_image(stub, photo, capsys):
    assert run(compress, "--target_psnr=30", "photo.png") == 0
    assert run(decompress, "--output=back.png", "photo.tfci") == 0
    psnr = metrics.psnr(photo.pixels, read_image("back.png").pixels)
    assert 30 <= psnr < 33
    assert f", {psnr:.2f} dB\n" in capsys.readouterr().out


def test_goals_out_of_reach_say_how_far_one_gets(stub, photo, capsys, folder):
    message = "photo.png: does not fit into 50 bytes: quality 1 takes "
    check_error(capsys, compress, message, "--max_bytes=50", "photo.png")
    message = "photo.png: does not reach 99 dB: quality 100 has "
    check_error(capsys, compress, message, "--target_psnr=99", "photo.png")
    assert listing(folder) == ["photo.png"]


def test_efforts_that_a_model_does_not_have_are_refused(stub, photo, folder, capsys):
    message = "'stub' is no learned codec: it has no effort above 6"
    check_error(capsys, compress, message, "--effort=7", "photo.png")
    assert listing(folder) == ["photo.png"]
    assert run(compress, "--effort=1", "photo.png") == 0


def test_importance_says_where_to_spend_bits(stub, photo, folder):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, 20:] = 255
    Image.fromarray(mask).save("mask.png")
    assert run(compress, "--importance=mask.png", "photo.png") == 0
    assert run(decompress, "--output=back.png", "photo.tfci") == 0
    back = read_image("back.png").pixels.astype(int)
    errors = np.abs(back - photo.pixels)
    assert errors[:, 20:].max() <= 27  # The stub's step at quality 50 is 53.
    assert errors[:, :20].max() > 40  # At quality 1, 102.
    Image.fromarray(mask * 0 + 255).save("white.png")
    run(compress, "--output=plain.tfci", "photo.png")
    run(compress, "--output=white.tfci", "--importance=white.png", "photo.png")
    assert Path("plain.tfci").read_bytes() == Path("white.tfci").read_bytes()


def test_photos_share_an_importance(stub, photo, folder):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, 20:] = 255
    Image.fromarray(mask).save("mask.png")
    names = [f"{n}.png" for n in range(6)]
    for name in names:
        shutil.copy("photo.png", name)
    assert run(compress, "--importance=mask.png", *names) == 0
    files = {Path(name).with_suffix(".tfci").read_bytes() for name in names}
    run(compress, "--importance=mask.png", "photo.png")
    assert files == {Path("photo.tfci").read_bytes()}


def test_what_cannot_be_an_importance_is_refused(stub, photo, folder, capsys):
    Image.new("L", (4, 5)).save("small.png")
    Image.new("L", (WIDTH, HEIGHT + 1)).save("large.png")
    Path("text.png").write_text("no image")
    for mask, message in {
        "large.png": f"{WIDTH} x {HEIGHT + 1} pixels exceed the limit of ",
        "small.png": f"expected {WIDTH}x{HEIGHT} pixels like the photo's, received 4x5",
        "text.png": "not an image of a known format",
    }.items():
        check_error(
            capsys,
            compress,
            f"photo.png: importance {mask}: {message}",
            f"--importance={mask}",
            f"--max_pixels={HEIGHT * WIDTH}",
            "photo.png",
        )
    message = "photo.png: none.png: No such file"
    check_error(capsys, compress, message, "--importance=none.png", "photo.png")
    assert not Path("photo.tfci").exists()


def test_an_ensemble_needs_a_filter(stub, photo, folder, capsys):
    message = "model 'stub' has no filter, which ensemble 'flips' needs"
    check_error(capsys, compress, message, "--ensemble=flips", "photo.png")
    assert listing(folder) == ["photo.png"]


def test_folders_globs_and_failures_among_many(stub, photo, folder, capsys):
    Path("in").mkdir()
    for name in ("a.png", "b.jpg"):
        Image.fromarray(photo.pixels).save(folder / "in" / name)
    Path("in/broken.png").write_bytes(b"\x89PNG")
    Path("in/notes.txt").touch()
    assert run(compress, "--output=out", "in", "phot*.png", "gone.png") == 1
    assert listing(folder / "out") == ["a.tfci", "b.tfci", "photo.tfci"]
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert err == (
        "bin/compress: in/broken.png: not an image of a known format\n"
        "bin/compress: gone.png: No such file or directory\n"
    )
    assert run(decompress, "--format=jpg", "--output=back", "out") == 0
    assert listing(folder / "back") == ["a.jpg", "b.jpg", "photo.jpg"]


@pytest.mark.parametrize(
    ("name", "shown"), [("a\nb", r"a\nb"), ("\x1b[2J", r"\x1b[2J"), ("\udcff", r"\xff")]
)
def test_a_line_stays_a_line_whatever_a_file_is_called(
    stub, photo, folder, capsys, name, shown
):
    try:
        Path("photo.png").rename(f"{name}.png")
    except OSError as error:
        pytest.skip(f"no such names here: {error}")
    Path(f"{name}2.jpg").write_bytes(b"no image")
    assert run(compress, f"{name}.png", f"{name}2.jpg") == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{shown}.png -> {shown}.tfci: ")
    assert out.count("\n") == 1
    assert err == f"bin/compress: {shown}2.jpg: not an image of a known format\n"
    assert run(inspect_file, f"{name}.tfci") == 0
    assert capsys.readouterr().out.startswith(f"{shown}.tfci:\n    file ")


def test_inputs_that_would_become_one_file_are_refused(stub, photo, folder, capsys):
    Image.fromarray(photo.pixels).save("photo.jpg")
    assert run(compress, "--overwrite", "photo.png", "photo.jpg") == 1
    message = "bin/compress: photo.jpg: photo.tfci is the output of photo.png already\n"
    assert capsys.readouterr().err == message


def test_files_are_overwritten_only_if_told(tfci, capsys):
    message = "photo.png: photo.tfci exists: set overwrite to replace it"
    check_error(capsys, compress, message, "photo.png")
    assert run(compress, "--overwrite", "--quality=90", "photo.png") == 0
    assert unpack(tfci).quality == 90
    capsys.readouterr()
    message = "photo.tfci: photo.png exists: set overwrite to replace it"
    check_error(capsys, decompress, message, tfci)


def test_every_flipped_byte_and_every_cut_is_refused(tfci, folder, capsys):
    data = Path(tfci).read_bytes()
    damaged = [data[:size] for size in range(0, len(data), 7)]
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 0xFF
        damaged.append(bytes(flipped))
    for number, content in enumerate(damaged):
        Path(f"{number}.tfci").write_bytes(content)
    Path(tfci).unlink()
    assert run(decompress, "--output=out", "*.tfci") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == len(damaged)
    assert not Path("out").exists()


def repack(name, **changes):
    """Writes an intact file with changed fields."""
    Path(name).write_bytes(bitstream.pack(dataclasses.replace(unpack(name), **changes)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codec": "other"}, "needs model 'other'; there are: stub"),
        (
            {"fingerprint": 1},
            "needs model 'stub' with fingerprint 1, the one here",
        ),
        ({"tile": 128}, "expected tiles of 64 pixels, received 128"),
        ({"rest": (b"?",)}, "the streams do not decode"),
        ({"rest": None}, "the second part is missing"),
        ({"alpha": (b"\0?",)}, "transparency is damaged"),
        ({"blocks": ((1, b"?"),)}, "metadata: unknown coding 63"),
    ],
)
def test_intact_files_that_do_not_decode_are_refused(
    tfci, capsys, folder, changes, message
):
    repack(tfci, **changes)
    check_error(capsys, decompress, f"{tfci}: {message}", "--output=out.png", tfci)
    assert listing(folder) == ["photo.png", "photo.tfci"]


def test_images_over_max_pixels_are_refused_before_any_work(
    tfci, photo, folder, capsys, monkeypatch
):
    pixels = HEIGHT * WIDTH
    message = f"{WIDTH} x {HEIGHT} pixels exceed the limit of {pixels - 1} (max_"
    limit, more = f"--max_pixels={pixels - 1}", ("--overwrite", "--output=a.png")
    check_error(capsys, compress, f"photo.png: {message}", limit, "photo.png", *more)
    check_error(capsys, decompress, f"{tfci}: {message}", limit, tfci, *more)
    assert run(decompress, limit, "--region=0,0,9,9", tfci, *more) == 0
    for allowed in (pixels, 0):
        assert run(decompress, f"--max_pixels={allowed}", tfci, *more) == 0
    tiles = (b"",) * 30638
    repack(tfci, width=500_000_001, height=1, tile=16320, first=tiles, rest=None)
    fail = functools.partial(pytest.fail, "A model was loaded.")
    monkeypatch.setattr(models, "load_by_id", lambda *_, **__: fail())
    capsys.readouterr()
    message = f"{tfci}: 500000001 x 1 pixels exceed the limit of 500000000 (max_"
    check_error(capsys, decompress, message, tfci, *more)


def test_auto_takes_another_codec_for_a_drawing(stub, photo, folder, capsys):
    drawing = Image.new("RGB", (90, 60), "white")
    drawing.paste("black", (10, 10, 50, 20))
    drawing.save("drawing.png")
    assert run(compress, "photo.png", "drawing.png") == 0
    assert unpack("photo.tfci").codec == "stub"
    codec = unpack("drawing.tfci").codec
    assert codec in ("avif444", "webp_lossless")
    (note,) = capsys.readouterr().err.splitlines()
    assert note.startswith(f"bin/compress: drawing.png: no photo: {codec} (")
    drawn = Path("drawing.tfci").read_bytes()
    assert run(compress, "--model=auto", "--overwrite", "drawing.png") == 0
    assert Path("drawing.tfci").read_bytes() == drawn
    assert run(compress, "--total_bpp=9", "--overwrite", "drawing.png") == 0
    assert unpack("drawing.tfci").codec == "stub"
    capsys.readouterr()
    message = "--total_bpp shares out the bits of one codec: not with --model=auto"
    assert run(compress, "--model=auto", "--total_bpp=1", "photo.png") == 2
    assert message in capsys.readouterr().err


def test_no_memory_for_one_file_does_not_stop_the_others(
    stub, photo, folder, capsys, monkeypatch
):
    Image.fromarray(photo.pixels[:1]).save("other.png")
    compress_stub = stub.compress

    def fail(pixels, quality):
        if len(pixels) > 1:
            raise MemoryError
        return compress_stub(pixels, quality)

    monkeypatch.setattr(stub, "compress", fail)
    assert run(compress, "photo.png", "other.png") == 1
    assert capsys.readouterr().err == "bin/compress: photo.png: not enough memory\n"
    assert Path("other.tfci").exists()


def test_images_that_exhaust_memory_are_refused(
    stub, tfci, capsys, folder, monkeypatch
):
    monkeypatch.setattr(size_limits, "available_memory", lambda: HEIGHT * WIDTH * 19)
    message = f"{WIDTH} x {HEIGHT} pixels need 0.0 GB of memory, "
    arguments = ("--output=new.tfci", "photo.png")
    check_error(capsys, compress, f"photo.png: {message}", *arguments)
    check_error(capsys, decompress, f"{tfci}: {message}", "--output=new.png", tfci)
    monkeypatch.setattr(stub, "tile", 0)
    repack(tfci, tile=0, width=10**9)
    message = "photo.tfci: 1000000000 x 30 pixels need 600.0 GB of memory, "
    check_error(capsys, decompress, message, "--max_pixels=0", "--output=new.png", tfci)
    assert listing(folder) == ["photo.png", "photo.tfci"]


def test_unknown_models_and_formats_are_refused(tfci, capsys):
    message = "needs model 'other'; there are: stub"
    check_error(capsys, compress, message, "--model=other", "photo.png")
    message = "photo.tfci: cannot write images with the extension '.xyz'"
    check_error(capsys, decompress, message, "--output=out.xyz", tfci)
    message = "cannot write images with the extension '.xyz'"
    check_error(capsys, decompress, message, "--format=xyz", tfci)


def test_outputs_that_cannot_be_written_are_refused(tfci, capsys):
    message = "photo.tfci: photo.png/out.png cannot be written: photo.png is not a "
    check_error(capsys, decompress, message, "--output=photo.png/out.png", tfci)
    Path("out").mkdir()
    Path("out/photo.png").mkdir()
    message = "photo.tfci: out/photo.png exists and is not a file"
    check_error(capsys, decompress, message, "--output=out", tfci)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected at least one input (see bin/compress --help)"),
        (("--quality=0", "x"), "flag --quality=0: 0.0 is not a number in the range "),
        (("--quality=101", "x"), "flag --quality=101: 101.0 is not a number in the "),
        (("--quality=nan", "x"), "flag --quality=nan: not a number"),
        (("--quality=high", "x"), "flag --quality=high: could not convert string to "),
        (("--target_bpp=0", "x"), "flag --target_bpp=0: 0.0 is not a number in the "),
        (("--target_psnr=nan", "x"), "flag --target_psnr=nan: not a number"),
        (("--max_bytes=0", "x"), "flag --max_bytes=0: 0 is not a positive integer"),
        (("--max_bytes=1.5", "x"), "flag --max_bytes=1.5: invalid literal for int()"),
        (("x", "--qualty=5"), "Unknown command line flag 'qualty'. Did you mean: qual"),
        (("--importance=m", "--target_psnr=9", "x"), "flags importance=m, target_ps"),
        (
            ("--effort=0", "x"),
            "flag --effort=0: 0 is not an integer in the range [1, 9",
        ),
        (("--effort=10", "x"), "flag --effort=10: 10 is not an integer in the range "),
        (("--flagfile=none", "x"), "ERROR:: Unable to open flagfile: "),
    ],
)
def test_wrong_flags_get_one_line(stub, capsys, arguments, message):
    check_error(capsys, compress, message, *arguments, exit_code=2)


@pytest.mark.parametrize(
    "goals",
    list(
        itertools.combinations(("quality", "target_bpp", "target_psnr", "max_bytes"), 2)
    ),
)
def test_one_goal_excludes_another(stub, capsys, goals):
    arguments = (*(f"--{goal}=9" for goal in goals), "photo.png")
    check_error(capsys, compress, "flags quality=", *arguments, exit_code=2)


@pytest.mark.parametrize("program", [decompress, inspect_file])
def test_all_programs_need_an_input(stub, capsys, program):
    message = "expected at least one input"
    check_error(capsys, program, message, exit_code=2)


def test_flags_come_from_a_file_too(stub, photo):
    Path("my.flags").write_text("# Small.\n--quality=7\n--output=out/\n")
    assert run(compress, "--flagfile=my.flags", "photo.png") == 0
    assert unpack("out/photo.tfci").quality == 7
    # Flags do not outlive their run.
    assert flags.FLAGS.quality is None


def test_a_model_can_be_named_for_decompression(tfci, capsys):
    repack(tfci, codec="renamed")
    message = "photo.tfci: needs model 'renamed'; there are: stub"
    check_error(capsys, decompress, message, "--output=back.png", tfci)
    assert run(decompress, "--model=stub", "--output=back.png", tfci) == 0
    capsys.readouterr()
    repack(tfci, fingerprint=1)
    message = "photo.tfci: needs model 'renamed' with fingerprint 1, the one here"
    check_error(capsys, decompress, message, "--model=stub", "--output=x.png", tfci)


def test_a_file_cannot_choose_a_folder_as_its_model(tfci, folder, capsys, monkeypatch):
    monkeypatch.undo()  # The real models do not include this one.
    monkeypatch.chdir(folder)
    repack(tfci, codec="planted")
    Path("planted").mkdir()
    Path("planted/card.json").write_text("{}")
    message = "photo.tfci: needs model 'planted'; there are: "
    check_error(capsys, decompress, message, "--output=back.png", tfci)
    message = "photo.tfci: planted/card.json: expected 'id' of a model, received None"
    check_error(
        capsys, decompress, message, "--model=planted", "--output=back.png", tfci
    )


def test_a_region_is_that_part_of_the_whole(tfci, folder, capsys):
    run(decompress, "--output=whole.png", tfci)
    run(decompress, "--output=part.png", "--region=7,3,20,11", "--threads=2", tfci)
    whole, part = (read_image(name).pixels for name in ("whole.png", "part.png"))
    np.testing.assert_array_equal(part, whole[3:14, 7:27])


def test_a_preview_needs_the_first_part_only(stub, tfci, folder, capsys):
    data = Path(tfci).read_bytes()
    Path("cut.tfci").write_bytes(data[: bitstream.first_part_size(data)])
    run(decompress, "--output=small.png", "--scale=1/8", tfci)
    assert not capsys.readouterr().err
    run(decompress, "--output=cut.png", "--scale=1/8", "cut.tfci")
    assert "bytes are missing, but its first part is whole" in capsys.readouterr().err
    small, cut = (read_image(name).pixels for name in ("small.png", "cut.png"))
    assert small.shape == (-(-HEIGHT // 8), -(-WIDTH // 8), 3)
    np.testing.assert_array_equal(cut, small)
    message = "cut.tfci: cut"
    check_error(capsys, decompress, message, "--output=whole.png", "cut.tfci")


def test_regions_that_are_none_are_refused(tfci, capsys):
    message = (
        f"{tfci}: the image of {WIDTH}x{HEIGHT} pixels does not contain the region"
    )
    arguments = "--output=part.png", "--region=7,3,35,11", tfci
    check_error(capsys, decompress, message, *arguments)
    for text in ("7,3,20", "7,3,20,-1", "7,3,20,x"):
        message = f"flag --region={text}: expected four numbers X,Y,WIDTH,HEIGHT"
        check_error(capsys, decompress, message, f"--region={text}", tfci, exit_code=2)


def test_several_inputs_to_one_file_are_a_usage_error(stub, photo, capsys):
    Path("other.png").touch()
    message = "--output: expected a folder for 2 inputs, received the file photo.png"
    check_error(
        capsys, compress, message, "--output=photo.png", "photo.png", "other.png"
    )


def test_an_interruption_leaves_no_file(stub, photo, folder, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    assert run(compress, "photo.png") == 130
    assert capsys.readouterr().err == "bin/compress: interrupted\n"
    assert listing(folder) == ["photo.png"]


def test_models_are_listed(stub, capsys, tmp_path, monkeypatch):
    card = {**CARD, "codec": "fdram"}
    measured = {
        "bd_rates": {"jpeg": {"psnr": -52.71}},
        "speed": {"encode_seconds": 0.2, "decode_seconds": 0.11},
        "licence": "Apache-2.0",
    }
    for name, facts in {"stub": measured, "bpg+mine": {}}.items():
        (tmp_path / name).mkdir()
        text = json.dumps({**card, "id": name, **facts})
        (tmp_path / name / "card.json").write_text(text)
    monkeypatch.setattr(models, "available", lambda: ["bpg+mine", "stub"])
    monkeypatch.setattr(models, "find_by_id", lambda name: tmp_path / name)
    assert run(compress, "--list_models") == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [re.split(" {2,}", line) for line in lines]
    assert rows[:3] == [
        ["model", "design", "MB", "s", "jpeg", "needs", "licence"],
        ["bpg+mine", "fdram", "0.0", "-", "-", "tf_imgcomp[classical]", "-"],
        ["stub*", "fdram", "0.0", "0.20, 0.11", "-52.7", "-", "Apache-2.0"],
    ]
    bpg = ["bpg", "BPG 4:2:0", "-", "-", "-", "tf_imgcomp[classical]", "-"]
    assert rows[3] == bpg
    assert [row[0] for row in rows[3 : 3 + len(CLASSICAL_CODECS)]] == list(
        CLASSICAL_CODECS
    )


def test_inspect_tells_everything_without_decoding(stub, folder, make_image, capsys):
    Image.fromarray(make_image(100, 70)).save("photo.png")
    run(compress, "photo.png")
    tiles = unpack("photo.tfci")
    alpha, blocks = (b"", b"alpha", b"", b""), ((2, b"exif"), (77, b"?"))
    repack("photo.tfci", grey=True, alpha=alpha, blocks=blocks, variant=3)
    capsys.readouterr()
    assert run(inspect_file, "photo.tfci") == 0
    data = Path("photo.tfci").read_bytes()
    size, preview = len(data), bitstream.first_part_size(data)
    first, rest = (sum(map(len, part)) for part in (tiles.first, tiles.rest))
    lines = [
        "photo.tfci:",
        f"    file             {size} bytes, {8 * size / 7000:.4f} bpp",
        "    format version   1",
        "    model            stub, fingerprint 43981",
        "    image            70 x 100 pixels, grey",
        "    quality          50.00",
        "    variant          3",
        "    tiles            4, each up to 64 x 64 pixels",
        f"    first part       {first} bytes, index 5 bytes",
        f"    second part      {rest} bytes, index 6 bytes",
        f"    preview          the first {preview} bytes",
        "    transparency     5 bytes",
        "    ICC profile      none",
        "    EXIF             4 bytes",
        "    XMP              none",
        "    resolution       none",
        "    text             none",
        "    metadata 77      1 bytes",
    ]
    assert capsys.readouterr().out.splitlines() == lines

    assert run(inspect_file, "--json", "photo.tfci", "photo.tfci") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["file"] == "photo.tfci"
    assert (facts["model"], facts["fingerprint"]) == ("stub", 43981)
    assert (facts["width"], facts["height"], facts["grey"]) == (70, 100, True)
    assert facts["parts"][1] == {"bytes": rest, "index_bytes": 6}
    assert facts["metadata_bytes"]["EXIF"] == 4
    assert facts["metadata_bytes"]["metadata 77"] == 1

    Path("photo.tfci").write_bytes(data[:-9])
    assert run(inspect_file, "photo.tfci") == 1
    lines[1] = f"    file             {size - 9} bytes, {8 * (size - 9) / 7000:.4f} bpp"
    lines[9] = "    second part      none"
    out, err = capsys.readouterr()
    assert out.splitlines() == lines
    assert err.startswith("bin/inspect: photo.tfci: cut: 9 bytes are missing, but its ")


def test_inspect_refuses_what_it_cannot_rely_on(tfci, capsys):
    data = Path(tfci).read_bytes()
    Path("cut.tfci").write_bytes(data[: bitstream.first_part_size(data) - 1])
    check_error(capsys, inspect_file, "cut.tfci: cut: ", "cut.tfci")
    Path("broken.tfci").write_bytes(b"nothing")
    message = "broken.tfci: not a .tfci file, or its first bytes are damaged"
    check_error(capsys, inspect_file, message, "broken.tfci")


def program(name, *arguments):
    """Runs a program as users do."""
    command = [sys.executable, "-m", f"tf_imgcomp_bin.{name}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_programs_run_with_the_default_model(photo, folder):
    compressed = program("compress", "photo.png")
    assert (compressed.returncode, compressed.stderr) == (0, "")
    decompressed = program("decompress", "--output=back.png", "photo.tfci")
    assert (decompressed.returncode, decompressed.stderr) == (0, "")
    assert metrics.psnr(photo.pixels, read_image("back.png").pixels) > 20


@pytest.mark.parametrize(
    ("name", "arguments", "exit_code", "message"),
    [
        ("decompress", ["photo.tfci"], 1, "photo.tfci: not a .tfci file"),
        ("compress", ["--quality=0"], 2, "flag --quality=0: 0.0 is not a number"),
        ("inspect_file", ["--output=x"], 2, "Unknown command line flag 'output'"),
    ],
)
def test_a_failing_program_ends_with_one_line(
    folder, name, arguments, exit_code, message
):
    Path("photo.tfci").write_bytes(b"nothing")
    failed = program(name, *arguments)
    assert (failed.returncode, failed.stdout) == (exit_code, "")
    name = name.replace("inspect_file", "inspect")
    assert failed.stderr.startswith(f"bin/{name}: {message}")
    assert failed.stderr.count("\n") == 1


INSTALLED = "from tf_imgcomp_bin.{0} import run; run()"  # As pip's stubs do.


@pytest.mark.parametrize("how", [["-m", "tf_imgcomp_bin.{0}"], ["-c", INSTALLED]])
@pytest.mark.parametrize(
    ("name", "flag_names"),
    [
        ("compress", ["--model: ", "--output: ", "--quality: ", "--[no]strip: "]),
        ("decompress", ["--model: ", "--output: ", "--format: "]),
        ("inspect_file", ["--[no]json: ", "--[no]version: "]),
        ("compare", ["--model: ", "--output: ", "--codecs: ", "--quality: "]),
    ],
)
def test_help_shows_examples_and_flags(how, name, flag_names):
    command = [sys.executable, *(part.format(name) for part in how), "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    name = name.replace("inspect_file", "inspect")
    assert f"\n    bin/{name} photo" in result.stdout
    for flag_name in flag_names:
        assert result.stdout.count(f"\n  {flag_name}") == 1
    assert "verbosity" not in result.stdout  # Nothing of absl's own.
    assert result.stderr == ""


@pytest.mark.parametrize("name", ["compress", "decompress"])
def test_help_says_that_a_model_is_code(name):
    text = " ".join(program(name, "--help").stdout.split())
    assert "A folder is code that runs with your rights" in text
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert "A model's folder is code" in readme


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("inspect_file", ["photo.tfci"]),
        ("compress", ["--model=webp", "--overwrite", "photo.png"]),
        ("decompress", ["--output=out.png", "webp.tfci"]),
    ],
)
def test_only_learned_codecs_wait_for_tensorflow(stub, tfci, program, arguments):
    data = ClassicalImageCodec("webp").encode(np.zeros((9, 9, 3), np.uint8), 50)
    Path("webp.tfci").write_bytes(data)
    code = (
        f"import sys; from tf_imgcomp_bin import {program}; "
        "from tf_imgcomp_bin.command_line.program import parse; "
        f"code = {program}.main(parse('x', ['', *{arguments}])); "
        "sys.exit(code or 'tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_budget_is_shared_out_among_images(stub, folder, make_image, capsys):
    """A smooth image needs fewer bits for the same PSNR: the other image gets more."""
    rows = np.linspace(0, 200, 40, dtype=np.uint8)[:, None, None]
    smooth = np.broadcast_to(rows, (40, 40, 3))
    pixels = {"smooth.png": smooth, "rough.png": make_image(40, 40)}
    for name, image in pixels.items():
        Image.fromarray(image).save(name)
    Path("damaged.png").write_bytes(b"nix")
    assert run(compress, "--total_bpp=5", *pixels, "damaged.png") == 1
    assert "damaged.png: " in capsys.readouterr().err
    sizes = [Path(name).with_suffix(".tfci").stat().st_size for name in pixels]
    assert 0.8 * 2000 < sum(sizes) <= 2000
    assert sizes[0] < sizes[1]
    assert unpack("smooth.tfci").quality != unpack("rough.tfci").quality


def test_a_budget_that_is_too_small_is_refused(stub, photo, capsys):
    assert run(compress, "--total_bpp=0.01", "photo.png") == 1
    assert "do not fit into 1 bytes together" in capsys.readouterr().err
    assert not Path("photo.tfci").exists()
