#!/bin/bash
# The scoreboard adds up what the tests count, and hides no violation.
. "$(dirname "$0")/lib.sh"

# board EXIT LINES [OPTION...] - the table for them.
board() {
	local code=$1 lines=$2
	shift 2
	printf '%b' "$lines" >"$scratch/lines"
	expect "$code" "exit $code${*:+ with $*}" "$top/tests/scoreboard" "$@" <"$scratch/lines"
}

r7='t1\tok\tR7 40 faults, 0 half states\nt2\tok\tR7 2 faults, 0 half states\n'
board 0 "$r7"
like "$(<"$out")" 'R7 .* 42 +1 +0 +met' 'counts of one number are added up'
like "$(<"$out")" 'not counted here: R1 R6 R8 ' 'what is not counted is said'
board 0 't1\tok\tR10 1999 operations, 0 mismatches\n'
like "$(<"$out")" ' 1999 +2000 +0 +short' 'too few are short of the goal'
board 0 't1\tok\tR10 2000 operations, 0 mismatches\n' --long
like "$(<"$out")" ' 2000 +1000000 +0 +short' 'the long goal is another'
board 1 "$r7"'t3\tnot ok\tR7 9 faults, 2 half states\n'
like "$(<"$out")" ' 51 +1 +2 +VIOLATED' 'a violation is seen'
board 1 't1\tnot ok\tR8 20 crashes, 0 wrong\n'
like "$(<"$out")" ' 20 +20 +1 +VIOLATED' 'so is an assertion that failed without a number'
board 0 "$r7" --markdown
like "$(<"$out")" '\| R7 \| [^|]* \| 42 \| 1 \| 0 \| met \|' 'as Markdown'
board 0 't1\tok\tsomething else\n'
is "$(<"$out")" '' 'nothing counted, nothing shown'
board 2 '' --bad
done_testing
