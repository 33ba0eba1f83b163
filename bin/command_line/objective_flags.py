"""The flags that say what training minimizes."""

from __future__ import annotations

from absl import flags

_OBJECTIVE = flags.DEFINE_string(
    "objective",
    "rate_distortion",
    "Loss of a codec. rate_distortion: bits per pixel + lmbda * distortion. report: "
    "that of the report on mfca_pmcn (L1, MSE, rate and quantization).",
)
DISTORTION = flags.DEFINE_string(
    "distortion",
    "mse",
    "Distortion of --objective=rate_distortion: mse, ms_ssim, mae, or mix (half MSE, "
    "half MS-SSIM). All are scaled to give about the same rates.",
)
_LOSS = flags.DEFINE_string(
    "restoration_loss",
    "mse",
    "Loss of a filter: mae, mae_ms_ssim (MAE + (1 - MS-SSIM) / 20), mse, or psnr (mean "
    "logarithm of each image's squared error).",
)
_GRADIENTS = flags.DEFINE_enum(
    "rate_gradients",
    "noise",
    ["noise", "straight_through"],
    "Rate gradient estimator: additive noise or straight-through.",
)
_SYNTHESIS_INPUT = flags.DEFINE_enum(
    "synthesis_input",
    "integers",
    ["integers", "noise"],
    "Input of the synthesis in training: rounded latents, as in a file, or latents "
    "with additive noise (only with --rate_gradients=noise).",
)
_CORRECTED = flags.DEFINE_bool(
    "corrected_latents",
    False,
    "Train on latents as the encoder corrects them. Only to train what follows the "
    "encoder (--trainable='latent_coder|synthesis').",
)

flags.register_multi_flags_validator(
    ["objective", "distortion"],
    lambda values: (
        values["objective"] == "rate_distortion" or values["distortion"] == "mse"
    ),
    "--distortion needs --objective=rate_distortion.",
)

flags.register_multi_flags_validator(
    ["synthesis_input", "rate_gradients"],
    lambda values: (
        values["synthesis_input"] == "integers" or values["rate_gradients"] == "noise"
    ),
    "--synthesis_input=noise needs --rate_gradients=noise.",
)


def objective_config():
    """The `ObjectiveConfig` that the flags describe."""
    from tf_imgcomp.runs.config import ObjectiveConfig

    return ObjectiveConfig(
        loss=_OBJECTIVE.value,
        distortion=DISTORTION.value,
        noise_gradients=_GRADIENTS.value == "noise",
        noisy_synthesis=_SYNTHESIS_INPUT.value == "noise",
        corrected_latents=_CORRECTED.value,
        restoration_loss=_LOSS.value,
    )
