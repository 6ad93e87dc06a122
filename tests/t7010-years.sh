#!/bin/bash
# R28: years of schedules, with daylight saving, leap days, days without power, clocks that are wrong and a target that is away:
# none skipped, none double, the right ones kept, and never the base of a target lost before its time.
. "$(dirname "$0")/lib.sh"
cd "$scratch"

# simulate SEED YEARS ZONE KIND...
simulate() {
	local seed
	seed=$(long_or $((RANDOM + 1)) "$1")
	shift
	expect 0 "$2" "$top/tests/years" "$1" "$seed" "${@:2}"
	diag "seed $seed, $(<"$out")"
	diag "$(<"$err")"
	violations=$((violations + $(sed 's/.*violations=//' "$out")))
	taken=$((taken + $(sed 's/taken=\([0-9]*\).*/\1/' "$out")))
}

violations=0 taken=0
simulate 4128 "$(long_or 20 2)" Europe/Berlin 'six=0/6:00,5,sixth' 'daily=daily,7,%F' 'weekly=weekly,4,%G %V' 'monthly=monthly,3,%Y-%m' \
	'night=02:30,3,night'
# Around the end of a summer.
simulate 77 "$(long_or 2 0.3)" America/Santiago 'hourly=hourly,24,hours' 'daily=daily,7,%F' 'weekly=Mon 00:00,4,%G %V'
score R28 "$(long_or 20 2)" years "$violations" 'wrong'
is "$((taken > $(long_or 10000 1500)))" 1 'most of them were taken'
done_testing
