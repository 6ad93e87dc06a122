# lib.sh - what every test starts with: strict mode, a scratch directory, TAP.
#
# A test is tests/tNNNN-topic.sh.  It sources this file first, runs alone and beside others, and ends
# with done_testing.  Its output is TAP; its exit status 0 passed, 1 failed, 77 skipped.  One that
# ends without done_testing has failed.
#
# Given to the test:
#   $top      the repository          $helpers  the built C programs
#   $asan     the same, built with AddressSanitizer; ZUMASTOR_HELPERS replaces both
#   $scratch  a directory of its own, removed at the end unless something failed
#   $out $err what the last command that `expect` ran has printed
#
# shellcheck shell=bash disable=SC2034  # what is given to the tests is used there

set -euo pipefail
shopt -s inherit_errexit nullglob
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
helpers=${ZUMASTOR_HELPERS:-$top/build/plain/bin}
asan=${ZUMASTOR_HELPERS:-$top/build/asan/bin}
scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/zumastor-test.XXXXXX")
out=$scratch/.out
err=$scratch/.err

tap_count=0
tap_failed=0
tap_done=
tap_name=${0##*/}

# Tests may redirect their output; TAP goes where it went at first.
exec {tap}>&1

# diag TEXT - lines for whoever reads why it failed; no more than anybody would.
diag() {
	printf '%s\n' "$1" | sed -n '1,40s/^/# /p' | tr -cd '\t\n -~' >&"$tap"
}

# result ok|bad DESC [TEXT] - one assertion.
result() {
	local words=ok
	tap_count=$((tap_count + 1))
	if [[ $1 != ok ]]; then
		words='not ok'
		tap_failed=$((tap_failed + 1))
	fi
	printf '%s %d - %s\n' "$words" "$tap_count" "$2" >&"$tap"
	[[ $# -lt 3 ]] || diag "$3"
}

pass() {
	result ok "$*"
}

# fail DESC [TEXT]
fail() {
	result bad "$@"
}

# expect CODE DESC CMD [ARG...] - CMD ends with exactly CODE.  What it prints is kept in $out and $err.
expect() {
	local want=$1 desc=$2 got=0
	shift 2
	"$@" >"$out" 2>"$err" || got=$?
	if ((got == want)); then
		pass "$desc"
	else
		fail "$desc" "exit $got, not $want: $*"
		diag "$(head -c 4096 "$err" | tr -d '\0')"
		diag "$(head -c 4096 "$out" | tr -d '\0')"
	fi
}

# is GOT WANT DESC
is() {
	if [[ $1 = "$2" ]]; then
		pass "$3"
	else
		fail "$3" "got '$1', not '$2'"
	fi
}

# like TEXT REGEX DESC
like() {
	if [[ $1 =~ $2 ]]; then
		pass "$3"
	else
		fail "$3" "'$1' is not like '$2'"
	fi
}

# score ID COUNT WHAT VIOLATIONS WORD - an assertion that the scoreboard counts (tests/scoreboard).
score() {
	is "$4" 0 "$1 $2 $3, $4 $5"
}

# long_or LONG SHORT - what to use in `make check-long`, and otherwise.
long_or() {
	if [[ ${ZUMASTOR_LONG-} == yes ]]; then printf '%s' "$1"; else printf '%s' "$2"; fi
}

# skip_all REASON - this machine cannot run the test.
skip_all() {
	if [[ ${ZUMASTOR_TEST_REQUIRE:-} = all ]]; then
		fail "must not be skipped: $1"
		exit 1
	fi
	printf '1..0 # SKIP %s\n' "$1" >&"$tap"
	tap_done=1
	exit 77
}

done_testing() {
	tap_done=1
	printf '1..%d\n' "$tap_count" >&"$tap"
	((tap_failed == 0)) || exit 1
}

# tap_exit - the end of every test, also of one that died.
tap_exit() {
	local status=$?
	if [[ -z $tap_done ]]; then
		((status != 0)) || status=1
		fail "$tap_name ended early"
		printf '1..%d\n' "$tap_count" >&"$tap"
	fi
	if ((tap_failed == 0)); then
		rm -rf -- "$scratch"
	else
		diag "$tap_name: scratch kept in $scratch"
	fi
	exit "$status"
}
trap tap_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
