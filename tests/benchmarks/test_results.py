"""The page of results, from tables made here and from those committed."""

import shutil

import pytest

from tests.benchmarks.programs import ROOT, load_program
from tf_imgcomp.evaluation import collection

POINTS = "codec,setting,bpp,psnr,ms_ssim\n"
HEADING = "codec,kind,title,version,source\n"
ORIGINS = (
    HEADING
    + """\
new,ours,New,weights 7,here
old,measured,Old,1.0,here
paper,published,Paper,,a paper
far,measured,Far,1.0,here
none,measured,None yet,1.0,here
"""
)
# Half the rate of "old" at the same PSNR and MS-SSIM; "far" is 7 dB above.
CURVES = {
    "new": [(0.1, 27, 0.9), (0.2, 30, 0.95), (0.4, 33, 0.98)],
    "old": [(0.2, 27, 0.9), (0.4, 30, 0.95), (0.8, 33, 0.98)],
    "paper": [(0.1, 27, ""), (0.2, 30, ""), (0.4, 33, "")],
    "far": [(0.1, 40, 0.997), (0.2, 41, 0.998)],
}


results = load_program("results")
IMAGES = (results.ImageSet("photos", "Photos", "Two photos."),)


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "results" / "photos"
    folder.mkdir(parents=True)
    (folder.parent / "curves.csv").write_text(ORIGINS)
    for codec, points in CURVES.items():
        rows = (f"{codec},1,{rate},{db},{sim}\n" for rate, db, sim in points)
        (folder / f"{codec}.csv").write_text(POINTS + "".join(rows))
    return tmp_path


def rows(page):
    """Returns the cells of every table row by its first cell."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells}


def test_bd_rates_are_those_of_the_curves(docs):
    results.write(docs, IMAGES)
    page = rows((docs / "results.md").read_text())
    assert page["Old"] == ["0.20 to 0.80", "-50.0 %", "-50.0 %"]


def test_what_cannot_be_compared_is_a_dash(docs):
    results.write(docs, IMAGES)
    page = rows((docs / "results.md").read_text())
    assert page["Paper"] == ["0.10 to 0.40", "+0.0 %", "-"]
    assert page["Far"] == ["0.10 to 0.20", "-", "-"]
    assert page["None yet"] == ["not measured", "-", "-"]


def test_published_curves_are_apart_and_marked(docs):
    results.write(docs, IMAGES)
    text = (docs / "results.md").read_text()
    measured, published = text.split("against codecs *as published*")
    assert "| Old" in measured
    assert "| Paper" not in measured
    assert "| Paper" in published
    assert "**Paper (as published)**" in published


def test_our_codec_may_be_missing(docs):
    (docs / "results" / "photos" / "new.csv").unlink()
    results.write(docs, IMAGES)
    text = (docs / "results.md").read_text()
    assert "`new` was not measured on these images yet." in text
    assert rows(text)["Old"] == ["0.20 to 0.80", "-", "-"]


def test_each_curve_needs_an_origin(docs):
    path = docs / "results" / "curves.csv"
    path.write_text(ORIGINS.replace("old,measured,Old,1.0,here\n", ""))
    with pytest.raises(ValueError, match="curves.csv: .* photos/, received none for"):
        results.write(docs, IMAGES)


def test_filters_have_a_table_for_each_set_that_was_measured(docs):
    folder = docs / "results" / "postfilter"
    folder.mkdir()
    (folder / "photos.csv").write_text("codec,bpp\nplain,0.1499\nfiltered,0.15\n")
    more = (*IMAGES, results.ImageSet("paintings", "Paintings", "Two paintings."))
    shutil.copytree(docs / "results" / "photos", docs / "results" / "paintings")
    results.write(docs, more)
    section = (docs / "results.md").read_text().split("## Filters")[1]
    assert "Photos:\n\n| codec " in section
    assert rows(section)["filtered"] == ["0.15"]
    assert "Paintings:" not in section


@pytest.fixture
def committed(tmp_path):
    """A copy of the committed tables, without the page and the plots."""
    tables = shutil.ignore_patterns("*.png")
    shutil.copytree(ROOT / "docs" / "results", tmp_path / "results", ignore=tables)
    return tmp_path


def test_the_committed_page_is_that_of_the_committed_tables(committed):
    results.write(committed)
    page = (committed / "results.md").read_text(encoding="utf-8")
    assert page == (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


def test_every_committed_curve_is_on_the_page(committed):
    results.write(committed)
    page = (committed / "results.md").read_text(encoding="utf-8")
    origins = results.read_origins(committed / "results" / "curves.csv")
    for images in results.IMAGE_SETS:
        assert (committed / "results" / f"{images.name}.png").stat().st_size > 10_000
        title = f"\n## {images.title}\n"
        section = page[page.index(title) + len(title) :].split("\n## ")[0]
        for point in collection.read_means(committed / "results" / images.name):
            origin = origins[point.codec]
            name = point.codec if origin.kind == "ours" else origin.title
            assert f"\n| {name} " in section


def test_origins_keep_their_order(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(HEADING + 'b,ours,B,3,"here, us"\na,published,A,,there\n')
    origins = results.read_origins(path)
    assert list(origins) == ["b", "a"]
    assert origins["b"].source == "here, us"
    assert origins["a"] == results.Origin("a", "published", "A", "", "there")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("codec,kind,title,source\n", "curves.csv: Expected a column 'version'"),
        (HEADING + "a,best,A,,\n", "curves.csv: Expected one of ours, .* 'best'"),
        (HEADING + "a,ours,A,,\n" * 2, "curves.csv: Expected one row for 'a'"),
    ],
)
def test_broken_origins_are_named(tmp_path, text, message):
    path = tmp_path / "curves.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        results.read_origins(path)
