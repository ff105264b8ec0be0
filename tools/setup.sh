#!/bin/sh
# Sets this checkout up. The Makefile calls it; by hand it is
#   tools/setup.sh demo     .venv with what the demo needs
#   tools/setup.sh dev      .venv with what tests and checks need, the demo's part included
#   tools/setup.sh sandbox  bubblewrap, without which no pod of the demo runs
# Nothing outside .venv is touched, except that missing Debian packages are installed where this
# runs as root. Elsewhere it stops and says which one to install.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$1" >&2; }

stop() {  # stop PROBLEM HINT
    printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
    exit 1
}

install_package() {  # install_package NAME: false where it can't be installed from here
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    say "installing the package $1"
    apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" </dev/null >/dev/null; }
    # The lists may be absent (a bare image) or of yesterday; asking without them first is cheap.
    apt install -y --no-install-recommends "$1" 2>/dev/null ||
        { apt update && apt install -y --no-install-recommends "$1"; }
}

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        recent "$PYTHON" || stop "PYTHON=$PYTHON is not Python 3.11 or later" \
            "leave PYTHON out to have one looked for"
        return
    fi
    for PYTHON in python3 python3.13 python3.12 python3.11 python3.14; do
        if recent "$PYTHON"; then return; fi
    done
    stop "Python 3.11 or later was not found" \
        "install it (Debian 12: apt install python3 python3-venv) or name it: make PYTHON=/path/to/it"
}

make_venv() {
    find_python
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    # Debian splits ensurepip off: without it `venv` leaves an environment that has no pip.
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        install_package "python$version-venv" ||
        stop "$PYTHON can't make virtual environments: its venv or ensurepip module is missing" \
            "install it (Debian, Ubuntu: apt install python$version-venv)"
    say "making .venv with Python $version"
    rm -rf .venv
    "$PYTHON" -m venv .venv
}

packages() {  # packages LOCK
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
    # A lock that changed may be installed over an older one; an environment whose interpreter is
    # gone, or that an interrupted run left without pip, is made again.
    recent .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
    say "installing $(grep -c == "requirements/$1.txt") locked packages (a minute or so when new)"
    .venv/bin/python -m pip install -qq --require-hashes -r "requirements/$1.txt"
    say "building argosy with the definitions of every Kubernetes minor"
    .venv/bin/python -m pip install -qq --no-deps --no-build-isolation --editable .
    touch ".venv/$1.stamp"
}

case "${1:-}" in
    demo) packages demo ;;
    dev)
        packages dev
        touch .venv/demo.stamp  # the lock of dev holds that of demo
        ;;
    sandbox)
        command -v bwrap >/dev/null || install_package bubblewrap ||
            stop "bubblewrap is not installed; the demo runs no pod outside a sandbox" \
                "install it (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap)"
        ;;
    *) stop "unknown part of the set-up: ${1:-none}" "use demo, dev or sandbox" ;;
esac
