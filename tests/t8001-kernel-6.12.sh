#!/bin/bash
# lab: --kernel 6.12 --disk 32M --disk 32M --timeout 600
# The main job on Debian's kernel 6.12, with two CPUs and a real udevd.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/smoke.sh"

smoke_test
