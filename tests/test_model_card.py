"""Model cards for people say what those for programs say."""

import json
from pathlib import Path

import pytest

from tf_imgcomp.model_card import render

SHIPPED = sorted((Path(__file__).parents[1] / "saved_models").glob("*/card.json"))
CARD = {"id": "mine", "fingerprint": 7}


def rows(text):
    """The cells of all rows of tables."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_the_cards_of_shipped_models_are_up_to_date(path):
    card = json.loads(path.read_text())
    assert path.with_name("card.md").read_text() == render(card)
    assert card["licence"]
    assert card["data_licence"]
    assert card["limits"]


def test_a_card_tells_training_quality_licences_and_limits():
    text = render(
        {
            **CARD,
            "codec": "fdram",
            "licence": "CC0",
            "data": "Ten photos.",
            "steps": {"start": 10, "rest": 20},
            "flags": {"start": ["--batch=4", "--crop=64"]},
            "validation": {"psnr": 31.23456},
            "kodak": [{"setting": 10.0, "bpp": 0.1, "psnr": 30.119, "ms_ssim": 0.9}],
            "bd_rates": {"vvc": {"psnr": 8.04}, "jpeg": {"psnr": -50, "ms_ssim": -4}},
            "speed": {"encode_seconds": 0.2, "decode_seconds": 0.1},
            "limits": ["Photos only."],
        }
    )
    assert text.startswith("# mine\n")
    assert "\nTen photos.\n" in text
    assert text.endswith("\n## Limits\n\n- Photos only.\n")
    for row in (
        ["fingerprint", "7"],
        ["design", "fdram"],
        ["licence of the weights", "CC0"],
        ["licence of the training images", "not stated"],
        ["start", "10", "`--batch=4 --crop=64`"],
        ["rest", "20", ""],
        ["31.2346"],
        ["10", "0.1000", "30.12", "0.9000"],
        ["vvc", "+8.0", "-"],
        ["jpeg", "-50.0", "-4.0"],
    ):
        assert row in rows(text)
    assert "0.20 to compress, 0.10 to decompress" in text
    assert "\n\n\n" not in text


def test_a_bare_card_has_no_empty_sections():
    text = render(CARD)
    assert "##" not in text
    assert ["design", "not stated"] in rows(text)
    run = render({**CARD, "steps": 100, "flags": ["--batch=4"]})
    assert ["the run", "100", "`--batch=4`"] in rows(run)


def test_a_filter_names_the_codec_before_it():
    card = {**CARD, "id": "bpg+mine", "postfilter": "xue2019"}
    assert ["design", "filter xue2019 after bpg"] in rows(render(card))
