#!/usr/bin/env bash
# Build the image without a daemon and without a registry: `make image`. Needs buildah; root, or user namespaces.
#
# BASE=NAME@sha256:...  the base to build on; without it a Debian is made with mmdebstrap (root and apt), for trying out.
# OUT=FOLDER            where wheels, base and the image's storage go (default build).
# The last line says what the image is called, and how to run it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${BASE:-}" in
  "" | *@sha256:*) ;;
  *) echo "BASE must be named by its digest (NAME@sha256:...): a tag can be moved" >&2; exit 64 ;;
esac
out=${OUT:-build}
suite=${SUITE:-bookworm} # its Python is 3.11
python=${IMAGE_PYTHON:-3.11}
name=localhost/landbridge
mkdir -p "$out/image" "$out/wheelhouse"
buildah=(buildah --root "$(realpath "$out")/image/storage" --runroot "$(realpath "$out")/image/run" --storage-driver vfs)

lock=$(sha256sum requirements/runtime.txt | cut -d' ' -f1)-$python
if [ "$(cat "$out/wheelhouse/.lock" 2>/dev/null || true)" != "$lock" ]; then
  rm -f "$out"/wheelhouse/*.whl
  # Hashes are checked here, and once more when the image is built.
  .venv/bin/python -m ensurepip >/dev/null
  .venv/bin/python -m pip download --quiet --disable-pip-version-check --python-version "$python" --only-binary=:all: \
    --no-deps --require-hashes -r requirements/runtime.txt -d "$out/wheelhouse" 2>"$out/wheelhouse.log" \
    || { cat "$out/wheelhouse.log" >&2; exit 1; }
  .venv/bin/python -m pip download --quiet --disable-pip-version-check --only-binary=:all: --no-deps pip \
    -d "$out/wheelhouse" 2>>"$out/wheelhouse.log"
  echo "$lock" >"$out/wheelhouse/.lock"
fi
rm -f "$out"/wheelhouse/landbridge-*.whl
.venv/bin/python -m hatchling build -t wheel -d "$out/wheelhouse" >/dev/null 2>&1

if [ -z "${BASE:-}" ]; then
  if ! "${buildah[@]}" inspect --type image "$name-base" >/dev/null 2>&1; then
    [ -f "$out/image/base.tar" ] || mmdebstrap --quiet --variant=minbase --include=python3,ca-certificates \
      --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      --dpkgopt='path-exclude=/usr/share/locale/*' "$suite" "$out/image/base.tar"
    container=$("${buildah[@]}" from scratch)
    "${buildah[@]}" add --quiet "$container" "$out/image/base.tar" / >/dev/null
    "${buildah[@]}" commit --quiet --rm "$container" "$name-base" >/dev/null
    rm "$out/image/base.tar"
  fi
  BASE=$name-base@$("${buildah[@]}" inspect --type image --format '{{.FromImageDigest}}' "$name-base")
fi

version=$(.venv/bin/landbridge --version | cut -d' ' -f2)
"${buildah[@]}" build --quiet --isolation chroot --pull=never --format oci --timestamp "$(git log -1 --format=%ct)" \
  --build-arg BASE="$BASE" --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse HEAD)" \
  --tag "$name:$version" --file Dockerfile . >/dev/null
echo "$name:$version in $out/image/storage"
