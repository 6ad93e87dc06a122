#!/bin/bash
# lab: --kernel uml-6.1 --disk 32M --disk 32M
# The main job on User-Mode Linux 6.1.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/smoke.sh"

smoke_test
