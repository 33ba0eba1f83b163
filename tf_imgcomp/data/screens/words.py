"""Random English-like text, numbers and names."""

import numpy as np

COMMON = (
    "the of and to in is that for it as was with be by on not he this are or his from "
    "at which but have an had they you were their one all we can her has there been if "
    "more when will would who so no out up into them then some could time these two "
    "may do first any my now such like our over new man me even most made after also "
    "did many before must through years where much your way well down should because "
    "each people those state long very work part make world still between life being "
    "under last same another know while great little year since against right three "
    "image value file system model report table number open save edit view search name "
    "address total price order date user account settings network signal result error"
).split()
ONSETS = (
    "b c d f g h l m n p r s t v w br ch cl cr dr fl gr pl pr sh sp st th tr".split()
)
VOWELS = "a e i o u ai ea ee io ou".split()
CODAS = ["", "", "", "l", "n", "m", "r", "s", "nd", "ng", "st"]


def word(rng: np.random.Generator) -> str:
    """A common word, or in one of three cases an invented one."""
    if rng.random() < 0.67:
        return str(rng.choice(COMMON))
    parts = [ONSETS, VOWELS] * int(rng.integers(1, 4)) + [CODAS]
    return "".join(str(rng.choice(part)) for part in parts)


def title(rng: np.random.Generator, most: int = 4) -> str:
    """One to `most` words, the first with a capital letter."""
    count = int(rng.integers(1, most + 1))
    return " ".join(word(rng) for _ in range(count)).capitalize()


def sentence(rng: np.random.Generator) -> str:
    """Words with a capital letter, perhaps a comma or a number, and an end."""
    words = [word(rng) for _ in range(rng.integers(4, 20))]
    if rng.random() < 0.4:
        words[len(words) // 2] += ","
    if rng.random() < 0.2:
        words.insert(2, number(rng))
    return " ".join(words).capitalize() + str(rng.choice(list("....?!")))


def number(rng: np.random.Generator) -> str:
    """A number as a table or a form shows it."""
    value = float(rng.lognormal(4, 3))
    form = rng.choice(["{:.0f}", "{:.2f}", "{:,.0f}", "{:,.2f}", "${:.2f}", "{:.3g}"])
    return str(form).format(value)


def identifier(rng: np.random.Generator) -> str:
    """A name in a program: `snake_case`, `camelCase` or one word."""
    words = [word(rng) for _ in range(rng.integers(1, 4))]
    if rng.random() < 0.6:
        return "_".join(words)
    return words[0] + "".join(part.capitalize() for part in words[1:])
