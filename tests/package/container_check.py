#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds Containerfile without a registry and stylizes in the container: container_check.py FOLDER.

debootstrap makes the Debian that takes the place of the base image, and buildah builds on it, each step in a
chroot. Needs root and the packages buildah and debootstrap. FOLDER takes some 4 GB and is emptied at the end.
A machine that has no such place, or lets no command run in that Debian, is said to be one; that is no failure.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parents[2]
BASE = "docker.io/library/debian:12-slim"
MIRROR = "http://deb.debian.org/debian"
BYTES = 6_000_000_000


class Buildah:
    """Its images and containers are in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.command = ["buildah", "--storage-driver", "vfs", "--root", f"{folder}/storage", "--runroot", f"{folder}/run"]

    def __call__(self, *words: object) -> str:
        command = [*self.command, *(str(word) for word in words)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def make_base(buildah: Buildah, folder: Path) -> None:
    """The base image, as far as the steps need it: Debian 12 and nothing besides. A command has run in it."""
    system = folder / "debian"
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", system, MIRROR], check=True, stdout=subprocess.DEVNULL)
    container = buildah("from", "scratch")
    buildah("add", container, system, "/")
    buildah("run", "--isolation", "chroot", container, "--", "true")
    buildah("commit", "--rm", container, BASE)


def check(folder: Path) -> None:
    if (free := shutil.disk_usage(folder).free) < BYTES:
        print(f"not tried: {folder} has {free / 1e9:.1f} GB free, expected {BYTES / 1e9:.0f}")
        return
    buildah = Buildah(folder)
    try:
        make_base(buildah, folder)
    except subprocess.CalledProcessError as error:
        print(f"not tried: no container runs here: {error}")
        return
    sources = folder / "sources"  # what is committed, like a fresh clone
    subprocess.run(["git", "clone", "-q", ROOT, sources], check=True)
    buildah("build", "--isolation", "chroot", "--pull-never", "--file", sources / "Containerfile", "--tag", "impasto", sources)
    container = buildah("from", "--pull-never", "impasto")
    stylize: List[object] = ["stylize", "sample:scene", "sample:painting", "--size", 64, "--iterations", 2, "-o", "x.png"]
    buildah("run", "--isolation", "chroot", container, "--", "impasto", *stylize)
    picture = Path(buildah("mount", container)) / "pictures" / "x.png"
    if not picture.read_bytes().startswith(b"\x89PNG"):
        sys.exit("impasto stylize of the container made no picture")
    print("Containerfile builds, and its impasto stylizes")


def main() -> int:
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
        check(Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
