#!/bin/bash
# R28: years of schedules, with daylight saving, leap days, days without power, clocks that are wrong and a target that is away:
# none skipped, none double, the right ones kept, and never the base of a target lost before its time.
. "$(dirname "$0")/lib.sh"
cd "$scratch"

# simulate SEED FROM YEARS ZONE KIND...
simulate() {
	local seed
	seed=$(long_or $((RANDOM + 1)) "$1")
	shift
	expect 0 "$3" "$top/tests/years" "$1" "$2" "$seed" "${@:3}"
	diag "seed $seed, $(<"$out")"
	diag "$(<"$err")"
	violations=$((violations + $(sed 's/.*violations=//' "$out")))
	taken=$((taken + $(sed 's/taken=\([0-9]*\).*/\1/' "$out")))
}

violations=0 taken=0
simulate 4128 2026-01-01 "$(long_or 20 2)" Europe/Berlin 'six=0/6:00,5,sixth' 'daily=daily,7,%F' 'weekly=weekly,4,%G %V' \
	'monthly=monthly,3,%Y-%m' 'night=02:30,3,night'
# Around the end of a summer, on 4 April, when this seed is up.
simulate 8 "$(long_or 2026-01-01 2026-03-25)" "$(long_or 2 0.06)" America/Santiago \
	'hourly=hourly,24,hours' 'daily=daily,7,%F' 'weekly=Mon 00:00,4,%G %V'
score R28 "$(long_or 20 2)" years "$violations" 'wrong'
is "$((taken > $(long_or 10000 1500)))" 1 'most of them were taken'
done_testing
