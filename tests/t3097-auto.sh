#!/bin/bash
# What a transfer waited for decides how much the next one is compressed: a step a transfer, either way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
mkdir target

# libraries - what replicate begins with, in a process of its own, as they set traps.
# shellcheck disable=SC2034 # job and target_dir are for them
libraries() {
	for part in core check state volume compress; do
		# shellcheck source=/dev/null
		. "$top/share/lib/$part.sh"
	done
	trap - EXIT
	export ZUMASTOR_LIBEXEC=$helpers
	job=$scratch target_dir=$scratch/target compress=auto
	compress_choose
}

# learn STEP LINK... - pack the description by that step, through LINK, and learn from it.
learn() (
	printf '%s\n' "$1" >target/auto
	shift
	libraries
	"$helpers/delta-pack" --compress "$compress" --stats 3 "$data" <description 3>stats | "$@" >/dev/null
	compress_learn
	cat target/auto
)

fast=(cat)
slow=(pv -q -L 500K)

data=text
od -An -v -tx1 -N 24M /dev/urandom >text
truncate -s 64M text
describe "$BASE" $((64 << 20)) 16384 '0 4096' >description
is "$(learn zstd:9 "${fast[@]}")" zstd:3 'a fast link: less'
is "$(learn none "${fast[@]}")" none 'to the bottom'

data=noise
random $((2 << 20)) noise
describe "$BASE" $((2 << 20)) 16384 '0 128' >description
is "$(learn zstd:1 "${slow[@]}")" zstd:3 'a slow link: more'
is "$(learn none "${slow[@]}")" lz4 'from the bottom, too'
is "$(learn zstd:9 "${slow[@]}")" zstd:9 'to the top'
is "$(learn zstd:3 "${fast[@]}")" zstd:3 'what is little tells nothing'
rm target/auto
is "$(libraries && echo "$compress")" zstd:1 'it begins with the default'
is "$("$helpers/delta-pack" --can zstd:9 && echo yes)" yes 'what there is can be asked for'
expect 2 'what there is not' "$helpers/delta-pack" --can rot13
done_testing
