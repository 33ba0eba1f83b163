"""Goals of files; `tests/bin` reaches them."""

import pytest

from tf_imgcomp.files.goals import Goal, encode
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import Photo


def test_no_goal_is_refused(make_image, tiny_model):
    codec = models.load(str(tiny_model))
    with pytest.raises(ValueError, match="Expected a goal with a value"):
        encode(codec, Photo(make_image(8, 8)), Goal())
