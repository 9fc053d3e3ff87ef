#!/bin/sh
# SPDX-License-Identifier: MIT
# What somebody does with the archive of `./dev package` on a machine of which nothing is known but its C and C++
# libraries: stranger.sh ARCHIVE PHOTOGRAPH, as any user, in a folder that may be written to. It needs a shell and the
# commands that busybox has. On another glibc: a folder with that, libstdc++, libgcc_s and busybox, and
# `chroot --userspec=1000:1000 FOLDER /bin/sh stranger.sh ...`.
set -eu
archive=$1
photo=$2

failed() {
  echo "stranger.sh: $*" >&2
  exit 1
}

# is_picture FILE: a PNG that is complete.
is_picture() {
  head -c 8 "$1" | grep -q PNG && tail -c 8 "$1" | grep -q IEND || failed "$1 is no picture"
}

# ends CODE WORDS COMMAND...: ends with this exit code and says these words.
ends() {
  code=$1 words=$2 status=0
  shift 2
  "$@" >said 2>&1 || status=$?
  [ $status -eq "$code" ] || failed "$* ended with $status, expected $code: $(cat said)"
  grep -q -- "$words" said || failed "$* did not say '$words': $(cat said)"
}

xz -dc "$archive" | tar xf -
for program in "$PWD"/impasto-*/bin/impasto; do :; done
small="--size 96 --iterations 3"

ends 0 '^impasto ' "$program" -V
ends 0 'Usage:' "$program" --help
ends 0 'cpu' "$program" devices
ends 0 '' "$program" stylize sample:scene sample:painting -o sample.png $small
is_picture sample.png
ends 0 '' "$program" stylize "$photo" sample:painting -o photo.png $small
is_picture photo.png
ends 0 'loss' "$program" score photo.png --content "$photo" --style sample:painting
ends 0 '' "$program" batch sample.png "$photo" --styles sample:painting -o results $small
[ "$(find results -name '*.png' | wc -l)" -eq 2 ] || failed "the batch made $(find results)"
echo text >text.jpg
ends 3 'text.jpg' "$program" stylize text.jpg sample:painting -o none.png
[ ! -e none.png ] || failed "a run that failed left none.png"
ends 0 '' "$program" check --backend cpu
echo "stranger.sh: everything works with $(basename "$archive")"
