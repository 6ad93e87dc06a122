#!/bin/bash
# lab: --disk 32M --disk 32M
# The main job on User-Mode Linux.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/smoke.sh"

smoke_test
