"""Packaging of tf_imgcomp: `pip install .`, or `pip install -e .` to work on it."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
PROGRAMS = {
    "compress": "compress",
    "decompress": "decompress",
    "inspect": "inspect_file",
    "compare": "compare",
    "train": "train",
    "evaluate": "evaluate",
    "ablate": "ablate",
    "export_step": "export_step",
    "export_model": "export_model",
    "export_serving": "export_serving",
    "serve": "serve",
    "make_pairs": "make_pairs",
    "pack_images": "pack_images",
    "import_weights": "import_weights",
    "render_screens": "render_screens",
}  # Module in bin/ of each.

# Where the files of packages are that lie elsewhere.
FOLDERS = {
    "tf_imgcomp.saved_models": "saved_models",
    "tf_imgcomp_bin": "bin",
    "tf_imgcomp_bin.command_line": "bin/command_line",
    "tf_imgcomp_bin.portable": "portable",
}

# These decode strangers' files. Each mends holes in its latest release only. The floors
# are the first releases without known holes in what is opened here; older versions of
# Python get the last release for them, which has some: use Python 3.11 for strangers'
# files. Known when this was written, November 2026:
# - before Pillow 13.0: CVE-2026-96639 (any format), GHSA-8g5g-8vmr-9782 (JPEG),
#   GHSA-462x-pgg6-55fp (TIFF), GHSA-78g4-xqwv-q3g8 (JPEG 2000); before 12.3 (for Python
#   3.9), too: CVE-2026-59199, CVE-2026-59204
# - before pillow-heif 1.8.1, with libheif 1.23.6: GHSA-v8qw-hwjv-44hw; before 1.7:
#   CVE-2026-84383
# - before pillow-jxl-plugin 1.3.8, with libjxl 0.12: CVE-2026-1837, CVE-2025-12474
PILLOW = [
    "pillow>=13.0; python_version >= '3.11'",
    "pillow>=12.3; python_version == '3.10'",
    "pillow>=11.3; python_version < '3.10'",
    "pillow-heif>=1.8.1; python_version >= '3.10'",
    "pillow-heif>=1.1.1; python_version < '3.10'",
]
JXL = [
    "pillow-jxl-plugin>=1.3.8; python_version >= '3.10'",
    "pillow-jxl-plugin>=1.3.4; python_version < '3.10'",
]
# Codecs to compare with that Pillow lacks. The last imageio-ffmpeg for Python 3.9 is
# 0.6, which has no VVC.
CLASSICAL = ["imageio-ffmpeg>=0.6", *JXL]
# For --server. tritonclient ends where protobuf 5 begins, which TensorFlow 2.14 lacks;
# without the pin pip tries twenty versions.
CLIENT = ["tensorflow-serving-api==2.14.1", "tritonclient[grpc]==2.51.*"]
# Triton itself is in a wheel for Linux on x86-64 only.
SERVE = [
    *CLIENT,
    "nvidia-pytriton>=0.5.14; sys_platform == 'linux' and platform_machine == 'x86_64'",
]


def version() -> str:
    text = (ROOT / "tf_imgcomp" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE).group(1)


setup(
    name="tf_imgcomp",
    version=version(),
    description="Learned image compression for TensorFlow and Keras",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.9,<3.12",
    packages=[
        *find_packages(include=["tf_imgcomp", "tf_imgcomp.*"]),
        *FOLDERS,
    ],
    package_dir=FOLDERS,
    package_data={
        "tf_imgcomp": ["py.typed"],
        "tf_imgcomp.saved_models": ["**/*"],
        "tf_imgcomp_bin": ["flagfiles/**/*.flags"],
        "tf_imgcomp_bin.portable": ["requirements.txt"],
    },
    # The TensorFlow packages are pinned exactly: 2.14 is the last TensorFlow that
    # tensorflow-compression's Keras classes support, and Addons gets no new versions.
    # Nothing here imports Addons, as Keras averages weights by itself; training scripts
    # that use its optimizers get the version that runs with the other two.
    install_requires=[
        "tensorflow==2.14.1",
        "tensorflow-compression==2.14.1",
        "tensorflow-addons==0.22.0",
        "numpy<2",
        "scipy",
        *PILLOW,
        "absl-py",
        "bjontegaard>=1.3",
        "matplotlib",
        "ssimulacra2",
        "tqdm",
    ],
    extras_require={
        "jxl": JXL,
        "classical": CLASSICAL,
        "client": CLIENT,
        "serve": SERVE,
        "test": [
            *CLASSICAL,
            *SERVE,
            *("hypothesis", "imageio", "pytest", "pytest-xdist", "mypy", "ruff"),
            # To build and check the wheel that a test installs.
            *("setuptools>=64", "twine", "wheel"),
        ],
    },
    entry_points={
        "console_scripts": [
            f"tf_imgcomp-{name} = tf_imgcomp_bin.{module}:run"
            for name, module in PROGRAMS.items()
        ],
    },
    classifiers=[
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Topic :: Multimedia :: Graphics",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
)
