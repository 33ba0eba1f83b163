"""Completes the flags of a program in bash, and in zsh with bashcompinit.

    source <(bin/compress --completion)

Names of files are completed where no flag is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from absl import flags

from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS

# Bash splits words at "=": while a value is typed, its flag is one or two words before.
_SCRIPT = """\
{function}() {{
    local flag values= word=${{COMP_WORDS[COMP_CWORD]}}
    local before=${{COMP_WORDS[COMP_CWORD-1]}}
    if [[ $word == = ]]; then
        flag=$before word=
    elif [[ $before == = ]]; then
        flag=${{COMP_WORDS[COMP_CWORD-2]}}
    elif [[ $word == -* ]]; then
        values='{names}'
    fi
    case $flag in
{cases}
    esac
    COMPREPLY=($(compgen -W "$values" -- "$word"))
}}
complete -o default -o nospace -F {function} {program}
"""


def script(program: str, shown: Sequence[flags.Flag]) -> str:
    """Returns the lines that bash must read.

    Args:
        program: The name that is typed.
        shown: Its flags.
    """
    names, cases = [], []
    for flag in sorted(shown, key=lambda flag: flag.name):
        if flag.boolean:
            names.append(f"--no{flag.name}" if flag.default else f"--{flag.name}")
            continue
        names.append(f"--{flag.name}=")
        if values := _values(flag):
            cases.append(f"        --{flag.name}) values='{' '.join(values)}' ;;")
    return _SCRIPT.format(
        function="_" + re.sub(r"\W", "_", program),
        names=" ".join(names),
        cases="\n".join(cases) or "        *) ;;",
        program=program,
    )


def _values(flag: flags.Flag) -> Sequence[str]:
    """The values that a flag can have, if there are few."""
    if flag.name == "model":
        return [*models.available(), *CLASSICAL_CODECS]
    parser = flag.parser
    return parser.enum_values if isinstance(parser, flags.EnumParser) else ()
