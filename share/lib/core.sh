# core.sh - what every command starts with: strict mode, messages, exit codes, undo, helpers.
#
# The only library file with side effects: it sets the shell's options and traps.
# shellcheck shell=bash

set -euo pipefail
shopt -s inherit_errexit nullglob

# The exit codes of every zumastor program; csrc/lib/exits.h is the C programs' copy.
# shellcheck disable=SC2034 # each is used by some command
readonly FAILED=1 USAGE=2 BUSY=3 ABSENT=4 UNSUPPORTED=5 LOST=6 CORRUPT=7 SOME_FAILED=10

program=${0##*/}
program=${program//-/ }
verbose=
quiet=
last_words=

# one_line TEXT - TEXT without what could break a line or drive a terminal.  Most of what messages
# quote was typed, or came from a file or a peer.
one_line() {
	printf '%s' "${1//[^[:print:]]/?}"
}

warn() {
	printf '%s: warning: %s\n' "$program" "$(one_line "$*")" >&2
}

# die_with CODE TEXT - the failed action, its object in single quotes, the reason.
die_with() {
	local code=$1
	shift
	last_words=$(one_line "$*")
	printf '%s: %s\n' "$program" "$last_words" >&2
	exit "$code"
}

die() {
	die_with "$FAILED" "$@"
}

die_usage() {
	die_with "$USAGE" "$*; try '$program --help'"
}

say() {
	[[ -n $quiet ]] || printf '%s\n' "$*"
}

need_root() {
	((EUID == 0)) || die "must be run as root"
}

# sh_quote ARG... - one line of POSIX sh.  Not %q: its $'..' is taken literally by dash.
sh_quote() {
	local arg out=
	for arg in "$@"; do
		out+=" '${arg//\'/\'\\\'\'}'"
	done
	printf '%s' "${out# }"
}

# run CMD [ARG...] - every command that changes the system goes through here.
run() {
	if [[ -n $verbose && $1 == @(helper|become) ]]; then
		printf '+ %s\n' "$(one_line "$(sh_quote "$ZUMASTOR_LIBEXEC/$2" "${@:3}")")" >&2
	elif [[ -n $verbose ]]; then
		printf '+ %s\n' "$(one_line "$(sh_quote "$@")")" >&2
	fi
	"$@"
}

# helper NAME [ARG...] - run a C program of ours.  It has said why when it fails: its exit code is
# the command's.
helper() {
	"${ZUMASTOR_LIBEXEC:?}/$1" "${@:2}" || exit
}

# become NAME [ARG...] - the same in $(...), which needs no process of its own beside it.
become() {
	exec "${ZUMASTOR_LIBEXEC:?}/$1" "${@:2}"
}

# every SECONDS COMMAND... - again and again until it fails, for what is in the background.   Not sleep: as a child of ours it would
# outlive us, and keep open what we had.
every() {
	local never
	exec {never}<> <(:)
	while ! read -r -t "$1" -u "$never"; do
		"${@:2}" || return 0
	done
}

# monotonic - sets REPLY to the seconds since boot.   SECONDS, as `read -t`, goes by the wall clock, which somebody may set.
monotonic() {
	IFS=. read -r REPLY _ </proc/uptime
}

# read_line SECONDS FD - sets REPLY to a line, or to its first 1000 characters.  False when there is none: 1 at the end of what comes,
# more than 128 when nothing came for that long.   When the clock is set, read gives up, also within a line: then there is more to
# come.
read_line() {
	local code=129 part line='' ends
	monotonic
	ends=$((REPLY + $1))
	while ((code > 128 && ${#line} < 1000)); do
		code=0
		IFS= read -r -t "$1" -n 1000 -u "$2" part || code=$?
		line+=$part
		[[ -n $part ]] || { monotonic && ((REPLY < ends)); } || break
	done
	REPLY=${line:0:1000}
	return "$code"
}

# Two stacks of commands, unwound last-first when the command ends: undo_stack unless `keep` was
# reached, always_stack in any case.  They see the command's exit status in $status.
undo_stack=()
always_stack=()

on_exit() {
	local words
	printf -v words '%q ' "$@"
	undo_stack+=("$words")
}

always() {
	local words
	printf -v words '%q ' "$@"
	always_stack+=("$words")
}

# keep - the point of no return: what was done so far stays.
keep() {
	undo_stack=()
}

core_unwind() {
	local status=$? i
	# A child that a signal meets before it has forgotten our traps must not undo what we do.
	((BASHPID == $$)) || exit "$status"
	trap '' HUP INT TERM PIPE
	set +e
	# Each in its own process: one that dies must not keep the others from running.
	for ((i = ${#undo_stack[@]} - 1; i >= 0; i--)); do
		(eval "${undo_stack[i]}")
	done
	for ((i = ${#always_stack[@]} - 1; i >= 0; i--)); do
		(eval "${always_stack[i]}")
	done
	exit "$status"
}

trap core_unwind EXIT
# 1 and not 128 + the signal: codes from 126 up would be taken for those of a shell or of ssh.
trap 'exit 1' HUP INT TERM PIPE
