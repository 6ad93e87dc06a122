#!/bin/bash
# Mutants of the product are still mutants; in a long run, each is killed by the test that it names.
. "$(dirname "$0")/lib.sh"

options=(--dry-run)
[[ -z ${ZUMASTOR_LONG-} ]] || options=()
status=0
"$top/tests/mutants/run" "${options[@]}" >"$scratch/mutants" || status=$?
while read -r line; do
	case $line in
	ok*)		pass "${line#*- }" ;;
	'not ok'*)	fail "${line#*- }" ;;
	esac
done <"$scratch/mutants"
is "$status" 0 'all of them'
is "$((tap_count > 12))" 1 'and more than twelve'
done_testing
