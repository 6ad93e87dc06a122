#!/bin/bash
# delta-pack believes its description no more than it must; whatever fails, the stream has no end.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

size=1048576
random "$size" new

# refuses CODE DESC MESSAGE ARG... - with the description on stdin; what came out is no delta
refuses() {
	local code=$1 desc=$2 message=$3
	shift 3
	expect "$code" "$desc" "$pack" "$@"
	like "$(cat "$err")" "^delta-pack: $message$" 'says why'
	is "$(wc -l <"$err")" 1 'in one line'
	mv "$out" stream
	expect 7 'what came out is refused' "$apply" --dry-run <stream
}

ranges() {
	describe "$BASE" "$size" 16384 "$@" >description
	refuses 7 "ranges: $*" 'cannot use line [0-9]+ of the description: .*' new <description
}

ranges '4 2' '3 1'
ranges '4 2' '5 1'
ranges '4 2' '4 2'
ranges '0 65'
ranges '64 1'
ranges '0 0'
ranges '18446744073709551615 2'
ranges '99999999999999999999 1'
ranges '-1 1'
ranges '1'
ranges '1 1 1'
ranges '1 x'
ranges '01 1'
ranges ''
ranges 'a=b'
ranges "\$(touch '$scratch/injected') 1"
ranges "1 $(printf '%0100d' 1)"
ranges '0 1' end '2 1'

describe "$BASE" "$size" 16384 '0 1' | head -n -1 >description
refuses 7 'a list that is cut' 'cannot use line 11 of the description: .*' new <description
describe "$BASE" "$size" 16384 '0 1' | head -c -2 >description
refuses 7 'a list that is cut in its last line' 'cannot use line 11 .*' new <description
describe none "$size" 16384 '0 63' >description
refuses 7 'full, without the last chunk' \
	'cannot use the ranges of a full delta, 63 of 64 chunks: .*' new <description
describe none "$size" 16384 '0 10' '20 44' >description
refuses 7 'full, with a gap' \
	'cannot use the ranges of a full delta, 54 of 64 chunks: .*' new <description

# facts SED - a description with one fact changed
facts() {
	describe "$BASE" "$size" 16384 '0 1' | sed "$1" >description
	refuses 7 "facts: $1" "cannot use '[a-z_ ]+' of the description: .*" new <description
}
for fact in volume name base snapshot time kinds volume_bytes chunk_bytes; do
	facts "/^$fact=/d"
	facts "s/^$fact=.*/&\\n&/"
	facts "s/^$fact=.*/$fact=/"
	facts "s/^$fact=.*/$fact=..\/x/"
done
facts 's/^name=/colour=green\n&/'
facts 's/^name=.*/format=2/'
facts 's/^volume_bytes=.*/volume_bytes=1000/'
facts 's/^chunk_bytes=.*/chunk_bytes=1024/'
facts 's/^chunk_bytes=.*/chunk_bytes=20000/'
facts '/^$/d'
refuses 7 'no description' "cannot use '.*' of the description: .*" new </dev/null
random 100000 noise
refuses 7 'noise' "cannot use '.*' of the description: .*" new <noise

# The device.
describe "$BASE" "$size" 16384 '0 1' >description
refuses 4 'no device' "cannot open 'absent': .*" absent <description
refuses 1 'a directory' "cannot open '/': .*" / <description
refuses 1 'a character device' "cannot open '/dev/zero': .*" /dev/zero <description
truncate -s $((size - 512)) short
refuses 1 'a device that is too small' \
	"cannot read 'short': it has .* bytes, the volume $size" short <description

# Options.
for options in '--compress brotli' '--compress zstd:20' '--compress zstd:0' '--compress xz:7' \
	'--compress gzip:' '--compress none:1' '--compress :1' '--threads 0' '--threads 17' \
	'--threads x' '--stats 2' '--force'; do
	# shellcheck disable=SC2086  # words
	refuses 2 "$options" 'usage: .*' $options new <description
done
refuses 2 'no device named' 'usage: .*' <description
expect 0 'level and threads that exist' "$pack" --compress xz:6 --threads 16 new <description
if command -v script >/dev/null; then
	expect 2 'a stream to a terminal' \
		script -qec "'$pack' '$scratch/new' <'$scratch/description'" /dev/null
fi

# The other side.
describe_full "$size" 16384 >description
closed() {
	"$pack" --compress none new <description > >(head -c 1000 >/dev/null)
}
expect 1 'a reader that goes away' closed
like "$(cat "$err")" "^delta-pack: cannot write the stream: Broken pipe$" 'is named'
full() {
	"$pack" new <description >/dev/full
}
expect 1 'a disk that is full' full
like "$(cat "$err")" "^delta-pack: cannot write the stream: No space left on device$" 'is named'

# Statistics, for whoever counts what goes over the wire.
stats() {
	"$pack" --stats 3 new <description 3>stats
}
expect 0 '--stats' stats
is "$(fact stream_bytes stats)" "$(stat -c %s "$out")" 'counts the stream'
is "$(fact read_bytes stats) $(fact data_bytes stats)" "$size $size" 'and what was read'
is "$(fact segments stats) $(fact extents stats) $(fact zero_bytes stats)" '1 1 0' \
	'and what it became'
is "$(find "$scratch" -name injected)" '' 'nothing was run'
done_testing
