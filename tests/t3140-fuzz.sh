#!/bin/bash
# R20: what strangers send, or leave on a disk, made up by libFuzzer (tests/fuzz): a delta that is applied, deltas that are
# merged, what a peer asks for, a store's record, an exception table.  No crash, and no promise broken.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
seed=${ZUMASTOR_SEED:-$((RANDOM + 1))}
[[ -x $top/build/fuzz/fuzz/apply ]] || make -s -C "$top" fuzz

# The deltas that others forged, alone and in pairs, those of the released format, a record, and what was found before.
tar -xJf "$top/tests/fuzz/corpus.tar.xz"
"$top/tests/delta-forge" forged
find forged -type f -size -64k -print0 | while IFS= read -r -d '' stream; do
	cp "$stream" "corpus/apply/${stream//\//-}"
done
cp "$top"/tests/streams/format-*.*.* corpus/apply
for stream in forged/good/*; do
	cat "$stream" forged/good/map >"corpus/merge/${stream##*/}"
done
truncate -s 16M store origin
"$asan/store-format" home origin store >/dev/null
"$asan/store-show" store >corpus/record/fresh

# fuzz TARGET RUNS SECONDS - so many runs, or in check-long for so long; sets runs.
fuzz() {
	local code=0 limit="-runs=$2"
	[[ ${ZUMASTOR_LONG-} != yes ]] || limit="-max_total_time=$3"
	TMPDIR=$scratch "$top/build/fuzz/fuzz/$1" -seed="$seed" "$limit" -max_len=32768 -timeout=60 -rss_limit_mb=1024 \
		-artifact_prefix="$scratch/found-$1-" "corpus/$1" >"$out" 2>&1 || code=$?
	runs=$(sed -n 's/^Done \([0-9]*\) runs .*/\1/p' "$out")
	is "$code" 0 "$1: ${runs:-no} runs, seed $seed"
	((code == 0)) || diag "$(grep -E 'ERROR|SUMMARY|#[0-9] ' "$out")"
	runs=${runs:-0}
}

seconds=${ZUMASTOR_FUZZ_SECONDS:-900}
total=0
for target in apply merge; do
	fuzz "$target" 1500 "$seconds"
	total=$((total + runs))
done
for target in serve record cow; do
	fuzz "$target" 2000 $((seconds / 4))
done
found=(found-*)
score R20 "$total" runs "${#found[@]}" crashes
done_testing
