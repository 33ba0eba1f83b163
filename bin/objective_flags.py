"""The flags that say what training minimizes, and the functions that they mean."""

from __future__ import annotations

from functools import partial

from absl import flags

_OBJECTIVE = flags.DEFINE_enum(
    "objective",
    "rate_distortion",
    ["rate_distortion", "report"],
    "What a codec minimizes: bits per pixel + lmbda * distortion, or the loss of the "
    "report that mfca_pmcn comes from, with L1, MSE, rate and quantization.",
)
_DISTORTION = flags.DEFINE_enum(
    "distortion",
    "mse",
    ["mse", "ms_ssim", "mae", "mix"],
    "Of --objective=rate_distortion, scaled so that rates stay about the same; mix is "
    "half MSE and half MS-SSIM.",
)
_LOSS = flags.DEFINE_enum(
    "restoration_loss",
    "mse",
    ["mae", "mae_ms_ssim", "mse", "psnr"],
    "What a filter minimizes; mae_ms_ssim is MAE + (1 - MS-SSIM) / 20, psnr the mean "
    "logarithm of the images' errors.",
)
_GRADIENTS = flags.DEFINE_enum(
    "rate_gradients",
    "noise",
    ["noise", "straight_through"],
    "How the rate of integers reaches the latents: through noise in place of rounding, "
    "or as if rounding were not there.",
)
_SYNTHESIS_INPUT = flags.DEFINE_enum(
    "synthesis_input",
    "integers",
    ["integers", "noise"],
    "What synthesis learns on: the integers that a file would hold, or latents with "
    "noise in place of rounding (with --rate_gradients=noise only).",
)

flags.register_multi_flags_validator(
    ["objective", "distortion"],
    lambda values: (
        values["objective"] == "rate_distortion" or values["distortion"] == "mse"
    ),
    "Expected --objective=rate_distortion with --distortion.",
)

flags.register_multi_flags_validator(
    ["synthesis_input", "rate_gradients"],
    lambda values: (
        values["synthesis_input"] == "integers" or values["rate_gradients"] == "noise"
    ),
    "Expected --rate_gradients=noise with --synthesis_input=noise.",
)


def make_objective(kind: str, model):
    """What a model of a kind in `products.PRODUCTS` is trained for; see `Trainable`."""
    from tf_imgcomp.training.restoration import restoration_objective
    from tf_imgcomp.training.step import codec_objective

    if kind == "postfilter":
        return restoration_objective(model, _LOSS.value)
    return codec_objective(
        model,
        noise=_GRADIENTS.value == "noise",
        noisy=_SYNTHESIS_INPUT.value == "noise",
        loss=_codec_loss(model),
    )


def _codec_loss(codec):
    from tf_imgcomp.losses.mfca_pmcn import mfca_pmcn_loss
    from tf_imgcomp.losses.rate_distortion import rate_distortion

    if _OBJECTIVE.value == "report":
        return mfca_pmcn_loss
    return partial(
        rate_distortion,
        lmbda_middle=codec.lmbda_middle,
        distortion=_DISTORTION.value,
    )


def image_cost():
    """What validation judges a decoded image by; see `RealBits`."""
    from tf_imgcomp.losses.mfca_pmcn import mfca_pmcn_cost
    from tf_imgcomp.losses.rate_distortion import lagrangian

    if _OBJECTIVE.value == "report":
        return mfca_pmcn_cost
    return partial(lagrangian, distortion=_DISTORTION.value)
