#!/bin/bash
# When the store will be full, from the monitor's notes: what is said, when nothing is said, and how notes are kept.
# shellcheck disable=SC2034 # what forecast.sh works on
. "$(dirname "$0")/lib.sh"
for part in core check forecast; do
	# shellcheck source=/dev/null
	. "$top/share/lib/$part.sh"
done
export ZUMASTOR_RUN=$scratch
volume=home
notes=$scratch/space/home/used
mkdir -p "${notes%/*}"
declare -A facts=([store_total_bytes]=9000000 [meta_total_bytes]=4000000 [store_used_bytes]=5 [meta_used_bytes]=6)
now=$EPOCHSECONDS

# forecast LINE... - with these notes.
forecast() {
	printf '%s\n' "$@" >"$notes"
	forecast_read
	printf '%s' "$REPLY"
}

# at SECONDS-AGO DATA META ... - notes.
at() {
	while (($#)); do
		printf '%s %s %s\n' $((now - $1)) "$2" "$3"
		shift 3
	done
}

forecast_read
is "$REPLY" '' 'no notes'
is "$(forecast "$(at 3000 1000000 8 2000 1100000 8 1000 1200000 8 0 1300000 8)")" 77000 'data grows by 100 bytes a second'
is "$(forecast "$(at 3000 1 8 2000 2 1000008 1000 3 2000008 0 4 3000008)")" 1000 'metadata is full sooner'
is "$(forecast "$(at 3000 9 8 2000 8 8 1000 7 8 0 6 8)")" '' 'what is used shrinks'
is "$(forecast "$(at 3000 9 8 2000 9 8 1000 9 8 0 9 8)")" '' 'or stays'
is "$(forecast "$(at 9 1 8 8 2 8 7 3 8 0 4 8)")" '' 'notes of a moment'
is "$(forecast "$(at 3000 1 8 2000 2 8 0 4 8)")" '' 'three notes'
is "$(forecast "$(at 9000 1 8 8000 2 8 7000 3 8 6000 4 8)")" '' 'no late ones'
is "$(forecast "$(at 300000 1 8 200000 2 8 100000 3 8 0 4 8)")" '' 'those of other days do not count'
is "$(forecast "$(at -3000 1 8 -2000 2 8 -1000 3 8 0 4 8)")" '' 'nor those of the future'
is "$(forecast "$(at 3000 1 8 2000 2 8 1000 3 8 0 4 8)")" '' 'in ten years it is no news'
is "$(forecast "x[\$(touch $scratch/ran)] 1 1" '1 2' 'a b c' '-- -- --' "$now $now $now")" '' 'what are no notes'
is "$(forecast '')" '' 'an empty line'

lines() {
	cut -d ' ' -f 2 "$notes" | tr '\n' ' '
}
at 90000 1 1 86000 2 2 200 3 3 >"$notes"
forecast_note
is "$(lines)" '2 3 5 ' 'a note; those of another day go'
forecast_note
is "$(lines)" '2 3 5 ' 'none soon after'
at 200 1 1 -900 2 2 >"$notes"
forecast_note
is "$(lines)" '5 ' 'a clock that was set back: from the beginning'
rm "$notes"
forecast_note
is "$(lines)" '5 ' 'the first one'
expect 1 'no injected command has run' test -e "$scratch/ran"
done_testing
