#!/bin/sh
# Makes .venv complete: everything in requirements-dev.txt, checked against its hashes, with compiled bytecode.
# Does nothing when it is up to date. PYTHON=... chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

supported="3.11 3.12 3.13"
lock=requirements-dev.txt
venv=.venv
# A copy of the lock that was installed: equal to the lock means up to date. Written last, so an install that
# was interrupted is finished by the next one.
stamp=$venv/installed-lock.txt

fail() {
    echo "$1" >&2
    exit 2
}

# A pyenv shim may exist for a version that does not run, so a candidate counts only if it answers.
version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

is_supported() {
    case " $supported " in *" $1 "*) [ -n "$1" ] ;; *) return 1 ;; esac
}

have=$(version_of "$venv/bin/python")
wanted=$have
[ -z "${PYTHON:-}" ] || wanted=$(version_of "$PYTHON")
if [ -n "$have" ] && [ "$have" = "$wanted" ] && cmp -s "$lock" "$stamp"; then
    exit 0
fi

python=
seen=
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    version=$(version_of "$candidate")
    if is_supported "$version"; then
        python=$candidate
        break
    fi
    [ -z "$version" ] || seen="${seen:+$seen, }$candidate is $version"
done
[ -n "$python" ] || fail "AnimeRec needs Python 3.11, 3.12 or 3.13 (found: ${seen:-none}); name one with PYTHON=/path/to/python"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv module: install it (Debian, Ubuntu: apt-get install python$version-venv) and try again"

echo "Installing into $venv with Python $version"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# These would lead pip or uv into another environment than ours.
unset VIRTUAL_ENV CONDA_PREFIX PIP_USER PIP_TARGET PIP_PREFIX PYTHONHOME PYTHONPATH || true
rm -f "$stamp"
if [ "$have" != "$version" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear "$venv"
fi

# uv comes from the lock like everything else: its own lines, with their hashes.
awk '/^[A-Za-z0-9]/ { keep = /^uv==/ } keep' "$lock" > "$venv/uv-lock.txt"
"$venv/bin/python" -m pip install --quiet --no-deps --require-hashes -r "$venv/uv-lock.txt"

# uv does not read pip's configuration. Where pip was told of an index or a certificate, uv is told the same.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    index=${PIP_INDEX_URL:-$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
fi
[ -n "${SSL_CERT_FILE:-}" ] || [ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="$PIP_CERT"
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-300}"

"$venv/bin/python" -m uv pip sync --python "$venv/bin/python" --require-hashes --compile-bytecode "$lock"
cp "$lock" "$stamp"
