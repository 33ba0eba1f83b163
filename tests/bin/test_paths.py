"""Input and output paths."""

from pathlib import Path

import pytest

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp_bin.command_line.paths import expand_inputs, name_a_folder, output_paths


@pytest.fixture
def folder(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", "deep/c.jpg", "[x].jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(folder, *arguments):
    inputs = expand_inputs([str(folder / a) for a in arguments], {".jpg", ".png"})
    return [str(path.relative_to(folder)) for path in inputs]


def test_inputs_are_files_folders_and_globs(folder):
    assert names(folder, "notes.txt") == ["notes.txt"]
    assert names(folder, "") == ["[x].jpg", "a.jpg", "b.PNG"]
    assert names(folder, "*.jpg", "deep") == ["[x].jpg", "a.jpg", "deep/c.jpg"]
    assert names(folder, "**/c*") == ["deep/c.jpg"]
    assert names(folder, "[x].jpg") == ["[x].jpg"]


def test_an_empty_name_is_not_the_current_folder():
    with pytest.raises(ImgcompError, match="received an empty one$"):
        expand_inputs([""], {".jpg"})


def test_each_input_is_taken_once(folder):
    assert names(folder, "a.jpg", "a*", "a.jpg") == ["a.jpg"]


def test_what_is_not_there_stays_to_be_complained_of(folder):
    assert names(folder, "gone.jpg", "*.gif") == ["gone.jpg", "*.gif"]


def test_results_go_beside_their_inputs_by_default():
    inputs = [Path("x/a.jpg"), Path("b.v2.png")]
    assert output_paths(inputs, None, ".tfci") == {
        inputs[0]: Path("x/a.tfci"),
        inputs[1]: Path("b.v2.tfci"),
    }


def test_output_is_a_file_for_one_input_and_a_folder_else(tmp_path):
    one, two = Path("x/a.jpg"), Path("b.jpg")
    assert output_paths([one], "out", ".tfci") == {one: Path("out")}
    assert output_paths([one], "out/", ".tfci") == {one: Path("out/a.tfci")}
    assert output_paths([one], str(tmp_path), ".tfci") == {one: tmp_path / "a.tfci"}
    assert output_paths([one, two], "out", ".tfci") == {
        one: Path("out/a.tfci"),
        two: Path("out/b.tfci"),
    }


def test_several_inputs_do_not_go_to_one_file(folder):
    with pytest.raises(ImgcompError, match="^--output: expected a folder for 2 inputs"):
        output_paths([Path("a"), Path("b")], str(folder / "a.jpg"), ".tfci")


def test_a_folder_of_one_image_goes_to_a_folder(folder):
    arguments = [str(folder / "deep")]
    (photo,) = expand_inputs(arguments, {".jpg"})
    assert name_a_folder(arguments)
    assert not name_a_folder([str(photo), str(folder / "gone")])
    assert output_paths([photo], "out", ".tfci", into_folder=True) == {
        photo: Path("out/c.tfci")
    }
    message = "^--output: expected a folder for a folder of inputs, received the file"
    with pytest.raises(ImgcompError, match=message):
        output_paths([photo], str(folder / "a.jpg"), ".tfci", into_folder=True)
