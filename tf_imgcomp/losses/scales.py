"""The numbers of losses that one may tune. Runs and model cards record them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LossScales:
    """Scales and weights of losses.

    Attributes:
        ms_ssim: float. Distortion of 1 - MS-SSIM = 1. CompressAI's model zoo trains
            each of its eight rates for both: for MSE on 0..255 with lmbda 0.0018 to
            0.18, for 1 - MS-SSIM with 2.4 to 220. The eight ratios fall from 1333 to
            1222; the default is their geometric mean.
        report_mse: float. Weight of MSE in the loss of mfca_pmcn's report.
        report_rate: float. Weight of the rate there.
        report_quantization: float. Weight of the quantization term there.
        report_lmbda: float. `lmbda` at which the loss is the report's sum, so that
            the sum and the Lagrangian have one slope. The sum has about the slope of
            bpp + 0.4 * L1, with L1 in grey levels. For Laplacian errors, MSE is
            2 * L1**2, and the slopes are equal at 4 * lmbda * L1 = 0.4. With lmbda
            0.04, L1 is 2.5 and PSNR 37 dB, which fdram reaches at this lmbda.
        filter_mse_unit: float. Error in grey levels that counts as 1 in the loss "mse"
            of filters. With 255, gradients were about as small as Adam's epsilon.
        filter_psnr_floor: float. Grey levels. In the loss "psnr" of filters, an image
            with this error counts half as much as a bad one.
    """

    ms_ssim: float = 1275.0
    report_mse: float = 0.1
    report_rate: float = 0.01
    report_quantization: float = 0.1
    report_lmbda: float = 0.04
    filter_mse_unit: float = 10.0
    filter_psnr_floor: float = 5.0


SCALES = LossScales()
