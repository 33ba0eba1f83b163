# Shared by bin/quickstart and bin/test: makes .venv, the Python environment.
#
# Usage, in the root of the repository: source tools/setup_env.sh; setup_env [EXTRA]
# A finished set-up is skipped. Its stamp is written last, so an interrupted set-up is
# repeated.

venv=.venv
python=$PWD/$venv/bin/python

# Tests whether a command is a Python that the package supports and that can make an
# environment. Its name is not enough: a python3.10 may be pyenv's shim without a
# Python, or Debian's without ensurepip.
is_suitable() {
    "$1" -c 'import sys, venv, ensurepip
sys.exit(not (3, 9) <= sys.version_info < (3, 12))' >/dev/null 2>&1
}

# Prints the first suitable Python.
find_python() {
    local candidate
    for candidate in python3.11 python3.10 python3.9 python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.{11,10,9}.*/bin/python; do
        if is_suitable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "No suitable Python found: install Python 3.9, 3.10 or 3.11 (with its venv" \
        "module) and run this again." >&2
    return 1
}

# Prints a hash of everything that determines the installation.
fingerprint() {
    { pwd -P; cat setup.py pyproject.toml tf_imgcomp/__init__.py; } | cksum
}

install() {
    # Older versions of pip cannot install a folder as editable.
    "$python" -m pip install --disable-pip-version-check "pip>=21.3" &&
        "$python" -m pip install --disable-pip-version-check --editable "$1"
}

setup_env() {
    local extra=${1:-} found log=$venv/setup.log
    local stamp=$venv/ready${extra:+-$extra}
    if [[ -x $python && $(cat "$stamp" 2>/dev/null) == "$(fingerprint)" ]]; then
        return
    fi
    if ! is_suitable "$python" || ! "$python" -m pip --version >/dev/null 2>&1; then
        found=$(find_python)
        rm -rf "$venv"
        "$found" -m venv "$venv"
    fi
    echo "Setting up $venv (a few minutes, once) ..."
    if ! install ".${extra:+[$extra]}" >"$log" 2>&1; then
        echo "Setting up $venv failed: see $log, then run this again." >&2
        grep -o 'ERROR: .*' "$log" | tail -n 1 >&2 || true
        return 1
    fi
    fingerprint | tee "$stamp" >"$venv/ready"
}

# Makes .venv-jax, where tests run portable/: JAX and TensorFlow need different versions
# of the same packages. A machine without JAX is no error.
setup_jax() {
    local jax=.venv-jax wanted
    wanted=$(cksum <portable/requirements.txt)
    if [[ $(cat "$jax/tried" 2>/dev/null) == "$wanted" ]]; then
        return
    fi
    echo "Setting up $jax ..."
    rm -rf "$jax"
    "$python" -m venv "$jax"
    if ! "$jax/bin/python" -m pip install --disable-pip-version-check \
        -r portable/requirements.txt >"$jax/setup.log" 2>&1; then
        echo "No JAX for this Python (see $jax/setup.log): its tests will be skipped." >&2
        rm "$jax/bin/python"
    fi
    echo "$wanted" >"$jax/tried"
}
