"""Cards of shipped models take their figures from the tables of results."""

import json

from tests.programs import load_program
from tests.stub_codec import CARD
from tf_imgcomp.model_card import render

cards = load_program("cards", "tools")

HEADING = "codec,setting,num_images,bpp,psnr,ms_ssim,encode_seconds,decode_seconds\n"


def line(codec, setting, bpp, psnr):
    return f"{codec},{setting},2,{bpp},{psnr},0.9,0.{setting},0.1\n"


def test_points_bd_rates_and_seconds_reach_the_cards(tmp_path):
    table = HEADING
    for step in range(1, 6):
        table += line("mine", step, 0.1 * 2**step, 25 + 2 * step)
        table += line("jpeg", step, 0.2 * 2**step, 25 + 2 * step)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "means.csv").write_text(table)
    for name in ("mine", "other"):
        (tmp_path / "models" / name).mkdir(parents=True)
        card = {**CARD, "id": name, "note": "Kept."}
        (tmp_path / "models" / name / "card.json").write_text(json.dumps(card))
    cards.update(tmp_path / "models", tmp_path / "tables")
    mine, other = (
        json.loads((tmp_path / "models" / name / "card.json").read_text())
        for name in ("mine", "other")
    )
    assert mine["note"] == other["note"] == "Kept."
    assert [point["bpp"] for point in mine["kodak"]] == [0.2, 0.4, 0.8, 1.6, 3.2]
    assert mine["bd_rates"]["jpeg"]["psnr"] == -50
    assert mine["speed"] == {"encode_seconds": 0.3, "decode_seconds": 0.1}
    assert "bd_rates" not in other
    readable = (tmp_path / "models" / "mine" / "card.md").read_text()
    assert readable == render(mine)
