"""Distortion and rate of a reconstruction, from 8-bit pixels and real bytes."""

from tf_imgcomp.metrics.distortion import (
    ms_ssim,
    ms_ssim_db,
    mse,
    psnr,
    ssim,
    ssimulacra2,
)
from tf_imgcomp.metrics.rate import bpp

__all__ = ["bpp", "ms_ssim", "ms_ssim_db", "mse", "psnr", "ssim", "ssimulacra2"]
