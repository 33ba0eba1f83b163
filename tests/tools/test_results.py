"""The page of results, from tables made here and from the committed tables."""

import shutil

import pytest

from tests.programs import ROOT, load_program
from tf_imgcomp.evaluation import collection

POINTS = "codec,setting,bpp,psnr,ms_ssim\n"
HEADING = "codec,kind,title,shown,version,source\n"
ORIGINS = (
    HEADING
    + """\
new,ours,New,readme classical learned,weights 7,here
old,measured,Old,readme classical,1.0,here
paper,published,Paper,readme learned,,a paper
far,measured,Far,,1.0,here
none,measured,None yet,classical,1.0,here
"""
)
# Half the rate of "old" at the same PSNR and MS-SSIM; "far" is 7 dB above.
CURVES = {
    "new": [(0.1, 27, 0.9), (0.2, 30, 0.95), (0.4, 33, 0.98)],
    "old": [(0.2, 27, 0.9), (0.4, 30, 0.95), (0.8, 33, 0.98)],
    "paper": [(0.1, 27, ""), (0.2, 30, ""), (0.4, 33, "")],
    "far": [(0.1, 40, 0.997), (0.2, 41, 0.998)],
}


results = load_program("results", "tools")
SECONDS = "codec,setting,bpp,encode_seconds,decode_seconds\nnew,1,0.5,0.25,2\n"
IMAGES = (results.ImageSet("photos", "Photos", "Two photos."),)


@pytest.fixture
def docs(tmp_path):
    docs = tmp_path / "docs"
    folder = docs / "results" / "photos"
    folder.mkdir(parents=True)
    place = f"# Name\n{results.README_START}old\n{results.README_END}The end.\n"
    (tmp_path / "README.md").write_text(place)
    (docs / results.CURVES).write_text(ORIGINS)
    (docs / results.SECONDS).write_text(SECONDS)
    for codec, points in CURVES.items():
        rows = (f"{codec},1,{rate},{db},{sim}\n" for rate, db, sim in points)
        (folder / f"{codec}.csv").write_text(POINTS + "".join(rows))
    return docs


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


def test_scores_have_a_column_where_they_were_measured(docs):
    for codec in ("new", "old"):
        table = docs / "results" / "photos" / f"{codec}.csv"
        header, *lines = table.read_text().splitlines()
        scored = [f"{line},{score}" for line, score in zip(lines, (-10, 40, 70))]
        table.write_text("\n".join([f"{header},ssimulacra2", *scored]) + "\n")
    results.write(docs, IMAGES)
    page = rows((docs / "results.md").read_text())
    assert page["Old"] == ["0.20 to 0.80", "-50.0 %", "-50.0 %", "-50.0 %"]
    assert page["Far"] == ["0.10 to 0.20", "-", "-", "-"]


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
    assert "Old" not in rows(text)


def test_each_curve_needs_an_origin(docs):
    path = docs / "results" / "curves.csv"
    path.write_text(ORIGINS.replace("old,measured,Old,readme classical,1.0,here\n", ""))
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


def test_readme_leads_with_the_strongest_codecs(docs):
    table = docs / "results" / "photos" / "old.csv"
    header, *lines = table.read_text().splitlines()
    timed = [f"{line},{seconds},1" for line, seconds in zip(lines, (3, 4, 5))]
    header += ",encode_seconds,decode_seconds"
    table.write_text("\n".join([header, *timed]) + "\n")
    results.write(docs, IMAGES)
    readme = (docs.parent / "README.md").read_text()
    assert readme.startswith("# Name\n<!--")
    assert readme.endswith("-->\nThe end.\n")
    page = rows(readme)
    assert list(page)[1:5] == ["-" * 20, "`new` itself", "Old", "Paper (as published)"]
    assert page["`new` itself"] == ["", "", "", "0.25", "2"]  # By its own table.
    assert page["Old"] == ["-50.0 %", "-50.0 %", "-", "4", "1"]  # At 0.4 bpp.
    assert page["Paper (as published)"] == ["+0.0 %", "-", "-", "-", "-"]
    assert page["1"] == ["0.4000", "33.00", "0.9800", "-"]  # The last of three.
    (docs.parent / "README.md").write_text("# Name\n")
    with pytest.raises(ValueError, match="README.md: Expected the lines '<!-- By"):
        results.write(docs, IMAGES)


@pytest.fixture
def committed(tmp_path):
    """A copy of the committed tables and README, without the page and the plots."""
    docs, tables = tmp_path / "docs", shutil.ignore_patterns("*.png")
    shutil.copytree(ROOT / "docs" / "results", docs / "results", ignore=tables)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    before, start, rest = text.partition(results.README_START)
    end = results.README_END + rest.partition(results.README_END)[2]
    (tmp_path / "README.md").write_text(before + start + end, encoding="utf-8")
    return docs


def test_the_committed_pages_are_those_of_the_committed_tables(committed):
    results.write(committed)
    for name in ("docs/results.md", "README.md"):
        page = (committed.parent / name).read_text(encoding="utf-8")
        assert page == (ROOT / name).read_text(encoding="utf-8")


def test_every_committed_curve_is_on_the_page(committed):
    results.write(committed)
    page = (committed / "results.md").read_text(encoding="utf-8")
    origins = results.read_origins(committed / "results" / "curves.csv")
    for images in results.IMAGE_SETS:
        means = collection.read_means(committed / "results" / images.name)
        for plot in results.PLOTS:
            name = f"results/{images.name}_{plot}.png"
            codecs = {point.codec for point in means}
            is_shown = sum(plot in origins[codec].shown for codec in codecs) > 1
            assert (f"]({name})" in page) == is_shown
            if is_shown:
                assert (committed / name).stat().st_size > 10_000
        title = f"\n## {images.title}\n"
        section = page[page.index(title) + len(title) :].split("\n## ")[0]
        for point in means:
            origin = origins[point.codec]
            name = point.codec if origin.kind == "ours" else origin.title
            assert f"\n| {name} " in section


def test_origins_keep_their_order(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(HEADING + 'b,ours,B,readme,3,"here, us"\na,published,A,,,there\n')
    origins = results.read_origins(path)
    assert list(origins) == ["b", "a"]
    assert origins["b"].source == "here, us"
    assert origins["b"].shown == ("readme",)
    assert origins["a"] == results.Origin("a", "published", "A", (), "", "there")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("codec,kind,title,source\n", "curves.csv: Expected a column 'shown'"),
        (HEADING + "a,best,A,,,\n", "curves.csv: Expected one of ours, .* 'best'"),
        (HEADING + "a,ours,A,,,\n" * 2, "curves.csv: Expected one row for 'a'"),
        (HEADING + "a,ours,A,nix,,\n", "curves.csv: Expected some of .*, received nix"),
        (
            HEADING + "".join(f"{n},ours,A,learned,,\n" for n in range(9)),
            "curves.csv: Expected at most 8 curves in plot 'learned', received 9",
        ),
    ],
)
def test_broken_origins_are_named(tmp_path, text, message):
    path = tmp_path / "curves.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        results.read_origins(path)
