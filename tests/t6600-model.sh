#!/bin/bash
# lab: --disk 2M --disk 256M --timeout 600
# R10: random operations leave the volume and every snapshot as a model of them says, with chunks of 4 and of 16 KiB.
#
# ZUMASTOR_SEED repeats a run.  ZUMASTOR_LONG=yes: many more, most of them writes; ZUMASTOR_MODEL_OPS says how many.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

model=$top/build/plain/model/model
seed=${ZUMASTOR_SEED:-$RANDOM}
seconds=$(long_or 6600 600)
half=$((${ZUMASTOR_MODEL_OPS:-$(long_or 100000 2000)} / 2))
writes=$(long_or 40 1)
operations=0 mismatches=0

# random_operations CHUNK_BYTES SEED - half of them, on a volume with chunks of that size.
random_operations() {
	local text
	"$helpers/store-format" --chunk "$1" "$volume" "$origin" "$store" >/dev/null
	text=$("$model" "$2" "$half" "$((seconds / 2))" "$writes" "$volume" "$origin" "$store" 2>"$err") || diag "$(<"$err")"
	diag "chunks of $1 bytes, seed $2: ${text//$'\n'/ }"
	operations=$((operations + $(sed -n 's/^operations=//p' <<<"$text")))
	mismatches=$((mismatches + $(sed -n 's/^mismatches=//p' <<<"$text")))
	"$helpers/dm-stop" "$volume" "$store"
}

dd if=/dev/urandom of="$origin" bs=1M oflag=direct status=none count=2
random_operations 4096 "$seed"
random_operations 16384 "$((seed + 1))"
is "$mismatches" 0 "R10 $operations operations, $mismatches mismatches"
done_testing
