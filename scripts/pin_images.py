"""Fills the images into rendered manifests, by digest or not at all.

    kubectl kustomize k8s/overlays/gke | python scripts/pin_images.py animerec-web=REF animerec-worker=REF

A tag may be moved, `:latest` makes `kubectl apply` and `rollout undo` do nothing, so only NAME@sha256:DIGEST passes.
Reads manifests from standard input, writes them to standard output; exit 2 with one line for anything else.
"""

from __future__ import annotations

import re
import sys

IMAGE_LINE = re.compile(r"^(?P<lead>\s*(?:- )?image: *)(?P<image>\S+)\s*$", re.MULTILINE)
PINNED = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")


def pin(manifests: str, images: dict[str, str]) -> str:
    """``manifests`` with every image replaced by its reference; raises ValueError for one not given by digest."""
    for name, reference in images.items():
        if not PINNED.fullmatch(reference):
            raise ValueError(f"{name}={reference}: an image is deployed by digest, as NAME@sha256:64 hex digits")

    def replace(match: re.Match[str]) -> str:
        image = images.get(match["image"], match["image"])
        if not PINNED.fullmatch(image):
            raise ValueError(f"image {image} is not pinned: say {image}=NAME@sha256:DIGEST")
        return match["lead"] + image

    pinned, count = IMAGE_LINE.subn(replace, manifests)
    if not count:
        raise ValueError("no image in the manifests read from standard input")
    return pinned


def main() -> int:
    images = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    try:
        sys.stdout.write(pin(sys.stdin.read(), images))
    except ValueError as error:
        print(f"pin_images: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
