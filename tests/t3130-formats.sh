#!/bin/bash
# A stream of every released format still applies (tests/streams), and a merge takes them, too.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
cp "$top"/tests/streams/format-* .
for sums in format-*.sha256; do
	format=${sums%.sha256}
	for stream in "$format".*.full; do
		stream=${stream%.full}
		truncate -s "$("$helpers/delta-show" <"$stream.full" | sed -n s/^volume_bytes=//p)" full
		expect 0 "$stream, in full" "$apply" full <"$stream.full"
		cp full increment
		expect 0 'what was made on it' "$apply" --base "$SNAPSHOT" increment <"$stream.increment"
		expect 0 'they make what they made' sha256sum --quiet -c "$sums"
		rm full increment
		expect 0 'both in one' "$helpers/delta-merge" "$stream.full" "$stream.increment"
		cp "$out" merged
		truncate -s "$(fact volume_bytes <("$helpers/delta-show" <merged))" full increment
		expect 0 'can be applied' "$apply" increment <merged
		is "$(sha256sum <increment | cut -d ' ' -f 1)" "$(sed -n 's/ .*increment//p' "$sums")" 'and makes the same'
		rm full increment
	done
done
done_testing
