"""Properties of every codec, with each switch."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tests.entropy_coding import parts
from tf_imgcomp.codecs.base import QUALITY_MAX, QUALITY_MIN, draw_qualities
from tf_imgcomp.codecs.registry import CODECS, new_codec
from tf_imgcomp.configured_model import all_sizes
from tf_imgcomp.entropy_coding.integer_coder import IntegerCoder
from tf_imgcomp.errors import ModelError
from tf_imgcomp.export.codec import CodecModule
from tf_imgcomp.layers.precision import computing_in
from tf_imgcomp.ops.resampling import shrink
from tf_imgcomp.ops.rounding import round_half_up
from tf_imgcomp.training.weights import round_as_saved

QUALITIES = (1.0, 50.0, 100.0)
SWITCHES = [
    {"context": "none", "components": 1},
    {"context": "none", "components": 3, "tied": False},
    {"context": "checkerboard", "components": 1},
    {"context": "checkerboard", "components": 2},
    {"context": "checkerboard", "components": 2, "tied": False},
    {"context": "quads", "components": 2},
    {"context": "raster", "components": 2},
    {"context": "raster", "components": 3, "tied": False, "embedding": None},
    *({"name": name} for name in CODECS if name != "fdram"),
]
WHOLE = tf.zeros([4], tf.int32)  # Crops nothing.
every_codec = pytest.mark.parametrize("name", CODECS)


@pytest.fixture(scope="module", params=SWITCHES, ids=str)
def codec(request):
    """fdram with each switch, and the other codecs, all with random weights."""
    return tiny.random_codec(**request.param)


@pytest.fixture(scope="module", params=CODECS)
def exported(request):
    """Each codec with random weights, rounded as in its module, and this module."""
    codec = tiny.random_codec(name=request.param)
    round_as_saved(codec)
    return codec, CodecModule(codec)


def decoded_latents(module, coded, rows, columns):
    """The latents of what `CodecModule.compress` coded."""
    quality = coded["quality"]
    first = module.first(coded["first"], rows, columns, quality)
    return module.rest(first["psi"], first["y_hat"], coded["rest"], quality)["y_hat"]


@pytest.mark.slow
def test_output_has_the_image_size_and_bits_for_each_image(codec, make_image):
    images = np.stack([make_image(50, 67), make_image(50, 67, 1)])
    output = codec(images, tf.constant([20.0, 80.0]))
    assert output.x_hat.shape == (2, 50, 67, 3)
    assert output.y_bits.shape == output.z_bits.shape == (2,)
    assert (output.y_bits > 0).numpy().all()


@pytest.mark.slow
def test_config_and_weights_make_the_same_codec_again(codec, make_image):
    images, quality = make_image(64, 64)[None], tf.constant([40.0])
    expected = codec(images, quality)
    again = type(codec).from_config(codec.get_config())
    again(images, quality)
    again.set_weights(codec.get_weights())
    for ours, theirs in zip(again(images, quality), expected):
        np.testing.assert_array_equal(ours, theirs)


@every_codec
def test_whole_numbers_of_json_become_floats_where_fields_are(name):
    sizes = {"gradient_scale": 3, "coder": {"bits_per_error": 14}}
    config = new_codec(name, sizes).config
    for value in config.gradient_scale, config.coder.bits_per_error:
        assert isinstance(value, float)
    assert config == new_codec(name, all_sizes(CODECS, "codec", name, sizes)).config


@every_codec
def test_codec_works_before_training(name, make_image):
    tf.keras.utils.set_random_seed(1)
    x = make_image(64, 128)[None]
    codec, errors = new_codec(name, tiny.sizes(name)), []
    for quality in QUALITIES:
        output = codec(x, tf.constant([quality]))
        errors.append(float(tf.reduce_mean((output.x_hat - x) ** 2)))
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.slow
@every_codec
def test_quality_is_all_that_differs_between_images_of_a_batch(name, make_image):
    codec = tiny.random_codec(name=name)
    x = make_image(64, 64)
    both = codec(np.stack([x, x]), tf.constant([10.0, 90.0]))
    alone = codec(x[None], tf.constant([90.0]))
    np.testing.assert_allclose(both.x_hat[1], alone.x_hat[0], atol=1e-2)
    np.testing.assert_allclose(both.y_bits[1], alone.y_bits[0], rtol=1e-3)


@pytest.mark.slow
@every_codec
def test_the_distortion_moves_no_latent_that_is_zero(name, make_image, monkeypatch):
    codec = tiny.random_codec(name=name)
    x, quality = make_image(64, 64)[None].astype(np.float32), tf.constant([60.0])
    y = codec.analysis(x, quality)
    monkeypatch.setattr(codec, "analysis", lambda *arguments: y)
    with tf.GradientTape() as tape:
        tape.watch(y)
        output = codec(x, quality)
        distortion = tf.reduce_mean(tf.square(x - output.x_hat))
    gradient = tape.gradient(distortion, y).numpy()
    zero = output.y_hat.numpy() == 0
    assert 0 < np.count_nonzero(zero) < zero.size
    assert not gradient[zero].any()
    assert np.count_nonzero(gradient[~zero]) > 0.9 * np.count_nonzero(~zero)


@pytest.mark.parametrize("quality", QUALITIES)
def test_training_bits_are_not_below_evaluated_bits(quality):
    """For latents that follow the model.

    Averaged over positions of the mean between integers, noise costs as much as
    rounding; for narrow distributions around an integer it costs much more.
    """
    from tf_imgcomp.entropy import mixture
    from tf_imgcomp.ops.rounding import add_uniform_noise

    log2_scale = {1.0: -2.0, 50.0: 0.0, 100.0: 3.0}[quality]
    y = tf.random.stateless_normal((1, 64, 64, 16), [1, 2]) * 2**log2_scale
    shape = (1, 64, 64, 1, 16)
    model = mixture.Mixture(
        tf.zeros(shape), tf.zeros(shape), tf.fill(shape, log2_scale)
    )
    noisy = tf.reduce_mean(mixture.mixture_bits(add_uniform_noise(y, [3, 4]), model))
    rounded = tf.reduce_mean(mixture.mixture_bits(tf.floor(y + 0.5), model))
    assert noisy >= rounded * 0.995


@pytest.mark.slow
def test_real_bytes_agree_with_estimated_bits(codec, make_image):
    coder = IntegerCoder(codec.latent_coder, codec.gain)
    x = make_image(128, 192)[None]
    # At low quality a random codec takes many latents for certain that are not, and at
    # the highest one of cheng2020's comes close to nothing.
    for quality in (50.0, 80.0 if isinstance(codec, CODECS["cheng2020"]) else 100.0):
        qualities = tf.constant([quality])
        output = codec(x, qualities)
        estimated = float(output.y_bits[0] + output.z_bits[0]) / 8
        y = codec.analysis(x, qualities)
        z = codec.latent_coder.run_hyper_analysis(y, codec.rate_features(qualities))
        encoded = coder.encode(y, z, tf.constant(round(quality * 100), tf.int64))
        assert abs(parts.size(encoded) - estimated) <= 0.01 * estimated + 40


@pytest.mark.slow
def test_module_gives_back_what_the_codec_reconstructs(exported, make_image):
    codec, module = exported
    x, quality = make_image(70, 90), tf.constant([60.0])
    coded = module.compress(x, WHOLE, 60.0)
    y_hat = decoded_latents(module, coded, 8, 8)
    expected = codec.synthesis(y_hat, quality)[0]
    expected = np.clip(np.floor(expected + 0.5), 0, 255)
    image = module.synthesis(y_hat, WHOLE, coded["quality"])["image"]
    np.testing.assert_allclose(image, expected, atol=1)  # One at a near tie.
    # Chosen integers are the nearest ones or next to them.
    assert np.max(np.abs(codec.analysis(x[None], quality) - y_hat)) <= 1.51


@every_codec
def test_a_preview_is_the_image_made_small(name, make_image):
    # Grey, since the first slice of a tiny codec lacks a colour.
    image, quality = make_image(64, 128)[None, ..., [0, 0, 0]], tf.constant([90.0])
    codec = new_codec(name, tiny.sizes(name))
    y_hat = round_half_up(codec.analysis(image, quality))
    first = y_hat[..., : codec.config.coder.slices[0]]
    half, smallest = (codec.preview(first, quality, factor) for factor in (2, 16))
    assert half.shape == (1, 32, 64, 3)
    np.testing.assert_allclose(shrink(half, 8), smallest, atol=1e-3)
    expected = shrink(tf.cast(image, tf.float32), 16)
    error = tf.reduce_mean(tf.square(smallest - expected))
    assert error < 0.1 * tf.math.reduce_variance(expected)


@pytest.mark.slow
def test_latents_hardly_depend_on_the_order_of_sums(exported, make_image):
    _, module = exported  # Eagerly, the module's own weights are not seen.
    arguments = tf.constant(make_image(50, 67)), WHOLE, tf.constant(7000, tf.int64)
    expected, eagerly = module.analysis(*arguments), module.analysis.python_function
    compiled = tf.function(eagerly, jit_compile=True)
    for kind in ("y", "z"):
        assert np.abs(expected[kind]).max() > 1
        for analysis in (eagerly, compiled):
            latents = analysis(*arguments)[kind]
            np.testing.assert_allclose(latents, expected[kind], atol=1e-3)


@pytest.mark.slow
def test_a_codec_trained_in_16_bits_is_exported_in_float32(make_image):
    codec = tiny.random_codec()
    with computing_in("mixed_bfloat16"):
        mixed = new_codec("fdram", tiny.sizes())
    mixed.set_weights(codec.get_weights())
    image = make_image(50, 67)
    files = []
    for each in (codec, mixed):
        module = CodecModule(each)
        coded = module.compress(image, WHOLE, 50.0)
        y_hat = decoded_latents(module, coded, 4, 8)
        decoded = module.synthesis(y_hat, WHOLE, coded["quality"])
        strings = coded["first"], coded["rest"]
        files.append((module.fingerprint, *strings, decoded["image"]))
    for ours, theirs in zip(*files):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("nix", {}, "no codec 'nix'; there are: cheng2020, fdram, mfca_pmcn"),
        ("fdram", {"width": 3}, "sizes .*width.* are not those of fdram"),
        ("mfca_pmcn", {"filters": 3}, "are not those of mfca_pmcn: .*'filters'"),
        ("fdram", {"coder": {"depth": 3}}, "are not those of fdram: .*'depth'"),
        ("fdram", {"refinement": {"pace": 3}}, "are not those of fdram: .*'pace'"),
    ],
)
def test_unknown_codecs_and_sizes_are_refused(name, sizes, message):
    with pytest.raises(ModelError, match=message):
        new_codec(name, sizes)


@pytest.mark.slow
def test_switches_of_mfca_pmcn_start_as_nothing(make_image):
    """Neither the importance map nor the filter changes anything before training."""
    x, quality = make_image(64, 64)[None], tf.constant([50.0])
    off = {"importance": False, "filter_latents": False, "form": "all"}
    outputs = []
    for switches in ({}, off):
        tf.keras.utils.set_random_seed(1)
        codec = new_codec("mfca_pmcn", {**tiny.sizes("mfca_pmcn"), **switches})
        outputs.append(codec(x, quality).x_hat)
    np.testing.assert_allclose(*outputs, atol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes",
    [{"module": "residual"}, {"post_blocks": 1, "post_filters": 8}],
    ids=str,
)
def test_parts_of_fdram_are_switches(sizes, make_image):
    """Each changes nothing at first; files decode to the trained codec's images."""
    x, quality = make_image(50, 67), tf.constant([50.0])
    start = new_codec("fdram", {**tiny.sizes(), **sizes})
    plain = new_codec("fdram", tiny.sizes())
    y = plain.analysis(x[None], quality)
    np.testing.assert_allclose(start.analysis(x[None], quality), y, atol=1e-4)
    x_hat = plain.synthesis(y, quality)
    np.testing.assert_allclose(start.synthesis(y, quality), x_hat, atol=1e-2)
    codec = tiny.randomized({**tiny.sizes(), **sizes})
    again = type(codec).from_config(codec.get_config())
    assert again.config == codec.config
    assert np.any(np.abs(codec.synthesis(y, quality) - x_hat) > 1)
    round_as_saved(codec)
    module = CodecModule(codec)
    coded = module.compress(x, WHOLE, 50.0)
    y_hat = decoded_latents(module, coded, 4, 8)
    expected = np.clip(np.floor(codec.synthesis(y_hat, quality)[0] + 0.5), 0, 255)
    image = module.synthesis(y_hat, WHOLE, coded["quality"])["image"]
    np.testing.assert_allclose(image, expected, atol=1)


def test_unknown_module_is_refused():
    with pytest.raises(ValueError, match="Expected a module of .* received 'dense'"):
        new_codec("fdram", {**tiny.sizes(), "module": "dense"})


@pytest.mark.slow
@every_codec
def test_noise_reaches_synthesis_only_where_it_is_wanted(name, make_image):
    codec = tiny.random_codec(name=name)
    x, quality = make_image(64, 64)[None], tf.constant([50.0])
    seed = tf.constant([1, 2])
    rounded = codec(x, quality).x_hat
    np.testing.assert_array_equal(codec(x, quality, noisy=True).x_hat, rounded)
    np.testing.assert_array_equal(codec(x, quality, seed).x_hat, rounded)
    assert tf.reduce_any(codec(x, quality, seed, noisy=True).x_hat != rounded)


def test_more_than_two_tied_components_are_refused():
    with pytest.raises(ValueError, match="Expected at most 2 tied .* received 3"):
        tiny.random_codec(components=3)


def test_unknown_context_is_refused():
    with pytest.raises(ValueError, match="Expected a context of .* received 'spiral'"):
        tiny.random_codec(context="spiral")


@pytest.mark.slow
@every_codec
def test_gradient_scale_is_that_of_the_distortion_at_nonzero_latents(name, make_image):
    x, quality = make_image(64, 64)[None], tf.constant([70.0])
    gradients = []
    for scale in (1.0, 3.0):
        codec = tiny.randomized(
            {**tiny.sizes(name), "gradient_scale": scale}, name=name
        )
        with tf.GradientTape() as tape:
            distortion = tf.reduce_mean((codec(x, quality).x_hat - x) ** 2)
        gradient = tape.gradient(distortion, codec.gain.log2_gain)
        gradients.append(tf.convert_to_tensor(gradient).numpy())
    assert np.abs(gradients[0]).max() > 0
    np.testing.assert_allclose(3 * gradients[0], gradients[1], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
def test_bits_per_error_decides_which_integers_are_coded(tied, make_image):
    """In training and in files; a large value gives each latent's nearest integer."""
    x, quality = make_image(64, 64), tf.constant(70.0)
    changed = {}
    for worth in (1.0, 10.0, 1e6):
        codec = tiny.random_codec(tied=tied, bits_per_error=worth)
        output, module = codec(x[None], quality[None]), CodecModule(codec)
        hundredths = tf.constant(7000, tf.int64)
        latents = module.analysis(x, WHOLE, hundredths)
        nearest = round_half_up(latents["y"])
        coded = module.coder.encode(latents["y"], latents["z"], hundredths).y_hat
        changed[worth] = [
            np.count_nonzero(y_hat != nearest) for y_hat in (output.y_hat, coded)
        ]
    assert np.all(np.diff(list(changed.values()), axis=0) < 0)
    assert changed[1e6] == [0, 0]


@pytest.mark.slow
@every_codec
def test_a_card_has_all_sizes(name):
    sizes = json.loads(json.dumps(all_sizes(CODECS, "codec", name, tiny.sizes(name))))
    assert {"gradient_scale": 3.0, "levels": 3}.items() <= sizes.items()
    assert sizes["coder"]["bits_per_error"] > 0
    codec = new_codec(name, sizes)
    assert codec.config == new_codec(name, tiny.sizes(name)).config


@pytest.mark.slow
@every_codec
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_config_keeps_the_precision(name, policy, make_image):
    images, quality = make_image(64, 64)[None], tf.constant([40.0])
    with computing_in(policy):
        codec = CODECS[name](tiny.sizes(name))
        y = codec.analysis(images, quality)
    again = type(codec).from_config(codec.get_config())
    again.analysis(images, quality)
    again.analysis_transform.set_weights(codec.analysis_transform.get_weights())
    np.testing.assert_array_equal(again.analysis(images, quality), y)
    assert (y.dtype, again.precision) == (codec.variable_dtype, policy)
    for layer in again.analysis_transform._flatten_layers():
        assert layer.dtype_policy.name == policy, layer.name


@pytest.mark.slow
@every_codec
def test_a_codec_fits_images(name, make_image):
    x = np.stack([make_image(64, 64, seed) for seed in range(4)])
    sizes = tiny.sizes(name) if name == "cheng2020" else tiny.plain(name)
    codec = tiny.randomized(sizes, name=name)
    before = codec.get_weights()
    codec.compile(tf.keras.optimizers.SGD(1e-5))  # Others take longer to trace.
    history = codec.fit(x, x, batch_size=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert {"bpp", "mse", "lagrangian"} <= history.keys()
    assert any(np.any(a != b) for a, b in zip(before, codec.get_weights()))


@pytest.mark.slow
def test_fit_lowers_the_loss_at_a_given_quality(make_image):
    x, quality = np.stack([make_image(64, 64)] * 2), np.full(2, 50, np.float32)
    codec = tiny.randomized(tiny.PLAIN)
    codec.compile(tf.keras.optimizers.Adam(1e-3))
    start = codec.evaluate((x, quality), verbose=0, return_dict=True)
    codec.fit((x, quality), epochs=40, verbose=0)
    end = codec.evaluate((x, quality), verbose=0, return_dict=True)
    assert end["loss"] < start["loss"]


@pytest.mark.parametrize("count", [1, 7])
def test_a_batch_has_low_and_high_qualities(count):
    quality = draw_qualities(count, tf.constant([1, 2])).numpy()
    part = (QUALITY_MAX - QUALITY_MIN) / count
    places = (quality - QUALITY_MIN) / part
    np.testing.assert_array_equal(np.floor(places), np.arange(count))
    other = draw_qualities(count, tf.constant([1, 3])).numpy()
    assert (quality != other).all()
