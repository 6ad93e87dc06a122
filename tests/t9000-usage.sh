#!/bin/bash
# Every command explains itself and refuses what it does not know, before it looks at anything.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"

# Every command, and every thing that can be defined or forgotten.
mapfile -t commands < <(z --help | sed -n 's/^  //p')
mapfile -t things < <(find "$top/libexec" -name 'zumastor-define-*' -o -name 'zumastor-forget-*' \
	-o -name 'zumastor-peer-*' -o -name 'zumastor-archive-*' |
	sed 's/.*zumastor-//;s/-/ /' | sort)

expect 0 'without a command: the list of commands' z
like "$(<"$out")" '^usage: zumastor' 'it is a usage'
expect 0 '--help' z --help
expect 0 'help' z help
expect 0 '--version' z --version
like "$(<"$out")" '^zumastor [0-9]' 'it is a version'
for command in "${commands[@]}" "${things[@]}"; do
	read -ra words <<<"$command"
	expect 0 "$command --help" z "${words[@]}" --help
	like "$(<"$out")" "^usage: zumastor $command" "usage of $command"
	is "$(<"$err")" '' 'nothing on stderr'
	is "$(awk 'length > 80' "$out")" '' 'no line is too long'
	expect 0 "help $command" z help "${words[@]}"
done

refused 2 "unknown command 'frobnicate'" frobnicate
refused 2 "unknown option '--frob'" --frob
refused 2 "unknown command 'frobnicate'" help frobnicate
refused 2 "unknown command 'define-volume'" define-volume
refused 2 "unknown command '../../../bin/sh'" ../../../bin/sh
refused 2 'expected' define
refused 2 "unknown command 'define hook'" define hook x
refused 2 "unknown command 'forget master'" forget master x
for command in "${commands[@]}" "${things[@]}"; do
	[[ $command != @(archive|define|forget|peer|start|stop) ]] || continue	# their options belong to the things
	read -ra words <<<"$command"
	refused 2 "unknown option '--frob'" "${words[@]}" --frob
	refused 2 "unknown option '-Z'" "${words[@]}" home -Z
done
refused 2 "option '--help' takes no value" status --help=yes
refused 2 "option '--hourly' needs a value" define master home --hourly
refused 2 "option '-h' needs a value" define master home -h
for command in "${commands[@]}" "${things[@]}"; do
	# These can do without an argument, or take many.
	[[ $command != @(define|define group|forget|start|stop|snapshot|remove|status|list|monitor|run-due|peer*|serve|import|archive*) ]] || continue
	read -ra words <<<"$command"
	refused 2 'expected ' "${words[@]}"
	refused 2 'expected |bad kind' "${words[@]}" a b c d e f
done
refused 2 "expected no arguments" run-due home
refused 2 'expected add.list.remove' peer
refused 2 "unknown command 'peer change'" peer change host1
refused 2 'expected' peer add
refused 2 'expected' peer remove
refused 2 'expected' peer remove a b
refused 2 'expected no argument' peer list a
refused 2 'expected no argument' serve a
refused 2 'expected' remove
refused 2 'expected' remove home
refused 2 'exclude each other' remove home 1 --wait --no-wait
refused 2 'expected' monitor home
refused 2 'expected' import
refused 2 'expected' import home
refused 2 "unknown command 'archive frob'" archive frob
refused 2 'expected' archive
refused 2 'expected' archive list
refused 2 'expected' archive verify
refused 2 'expected' archive merge out
refused 2 'expected' archive merge out in
refused 2 'expected' start volume
refused 2 'expected' stop target home
refused 2 'expected' start everything now

refused 2 'expected' snapshot
refused 2 'expected' define group
refused 2 'expected' define group x

# completes WORD... - sets REPLY to what bash offers for the last one.
completes() {
	# shellcheck disable=SC2016 # expanded in there
	REPLY=$(bash -c 'compopt() { :; }; . "$1"; shift; COMP_WORDS=(zumastor "$@") COMP_CWORD=$#; _zumastor; echo "${COMPREPLY[*]}"' \
		- "$top/share/completion/zumastor" "$@" 2>"$scratch/completion")
}

PATH=${zumastor%/*}:$PATH
while read -r words; do
	read -ra words <<<"$words"
	completes "${words[@]:0:${#words[@]}-1}"
	is "$REPLY" "${words[-1]//,/ }" "completion of '${words[*]:0:${#words[@]}-1}'"
	is "$(<"$scratch/completion")" '' 'without a word'
done <<'END'
rep replicate
define t target
define target home host --peri --period
define volume home --help --help
run-due --d --dry-run
status --b --bytes
verify home --rep --repair
start volume -- --boot,--no-mount,--help
frobnicate - --help
END
is "$(find "$database" -type f)" '' 'nothing was written to the database'
done_testing
