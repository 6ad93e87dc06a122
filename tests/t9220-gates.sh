#!/bin/bash
# shellcheck disable=SC2016,SC2034,SC2317 # nothing is to be expanded; the library reads what is set here, and calls back
# R25: whatever is typed, stored or sent passes the gates of check.sh: what they let through is harmless in a path, an option,
# arithmetic and a shell, and reading what they refuse runs nothing.
. "$(dirname "$0")/lib.sh"
export ZUMASTOR_LIB=$top/share/lib
seed=${ZUMASTOR_SEED:-$RANDOM}
RANDOM=$seed
trap_dir=$scratch/traps mark=$scratch/traps/ran
mkdir "$trap_dir" "$scratch/run" "$scratch/conf"
cd "$scratch"

# The library as a command has it, but in this process: core.sh would take our traps.
readonly USAGE=2 CORRUPT=7
die_with() { exit "$1"; }
die() { exit 1; }
die_usage() { exit 2; }
eval "$(sed -n '/^monotonic()/,/^}/p; /^read_line()/,/^}/p' "$ZUMASTOR_LIB/core.sh")"
for lib in check state config volume replica peer; do
	# shellcheck source=/dev/null # it is linted with the commands
	. "$ZUMASTOR_LIB/$lib.sh"
done

# What each may let through at most: nothing that any shell, path or option could misread.
declare -A allowed=(
	[name]='^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' [clone]='^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*$'
	[names]='^[A-Za-z0-9][A-Za-z0-9_. -]*$' [number]='^[0-9]{1,18}$' [uuid]='^[0-9a-f-]{36}$'
	[stand_in]='^[0-9a-f-]{36} [0-9a-f-]{36}$' [answer]='^(yes|no)$' [feature]='^fullvolume$'
	[base]='^(none|[0-9a-f-]{36})$' [word]='^[A-Za-z0-9][A-Za-z0-9_.:=/+-]*$' [kinds]='^[A-Za-z][A-Za-z0-9_,-]*$'
	[mountopts]='^[A-Za-z0-9_.,:=/@%+-]*$' [compress]='^(none|(gzip|lz4|zstd|xz)(:[0-9]{1,2})?)$' [compare]='^(yes|no|auto)$'
	[policy]='^(expire|halt)$' [size]='^[0-9]{1,18}[KMGT]?$' [host]='^[A-Za-z0-9:][A-Za-z0-9.:-]*$'
	[kind]='^[A-Za-z][A-Za-z0-9_-]{0,30}$' [clone_name]='^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$' [port]='^[0-9]{1,5}$'
	[days]='^[0-9]{1,6}$' [space]='^[0-9]{1,18}[KMGT%]?$'
	[clients]='^[A-Za-z0-9@*?:][A-Za-z0-9@*?:./,_-]*$' [export_options]='^[a-z][a-z0-9_=:,]*$' [mail]='^[A-Za-z0-9_][A-Za-z0-9_.+@,-]*$'
	[calendar]='^[A-Za-z0-9*][A-Za-z0-9*/:.,~_+ -]{0,99}$'
	[step]='^(none|[0-9a-f-]{36}) [0-9a-f-]{36}$' [user]='^[a-z_][a-z0-9_-]{0,31}$'
	[compress_auto]='^(auto|none|(gzip|lz4|zstd|xz)(:[0-9]{1,2})?)$'
	[verdict]='^[0-9]{1,12} [0-9a-f-]{36} [0-9]{1,18}( repaired)?$' [path]='^/[^[:cntrl:]]*$' [text]='^[^[:cntrl:]]*$'
)
gates=$(declare -F | sed -n 's/^declare -f is_//p' | xargs)
is "$gates" "$(printf '%s\n' "${!allowed[@]}" | sort | xargs)" 'each gate is known here'

pieces=('$(touch M)' '`touch M`' ';touch M;' '|touch M' '&touch M' $'\ntouch M' $'\r' $'\t' ' ' '' '"' "'" \\ '../' '/' '..' '.' '-' '--'
	'-oProxyCommand=touch M' 'x[$(touch M)]' 'a[$(touch M)0]' '*' '?' '~root' '%n' '%s' '{a,b}' '<M' '>M' '#' '!' '(' ')' '='
	$'\e]0;x\a' $'\x80' $'\xff' $'\xc3\xa4' $'\xe2\x80\xae' '0x10' '010' '1' '99999999999999999999' '+1' '-1' '1e3' '1.5' '16#f' 'K' '4096' 'host'
	'home' 'none' 'yes' 'zstd' 'zstd:3' 'hourly' ',' ':' '@' '[::1]' '%eth0' '127.0.0.1' 'fe80::1' '65535' 'RANDOM' 'PATH' 'seed' 'allowed[name]'
	'11111111-2222-4333-8444-555555555555' '/etc/passwd' '/dev/mapper/x' 'partial ' 'holds ' 'volume_bytes ' 'zumastor-receive 1')
long=$(printf 'n%.0s' {1..300})

# hostile - sets REPLY to one to four of them.
hostile() {
	local n
	REPLY=
	for ((n = RANDOM % 4; n >= 0; n--)); do
		REPLY+=${pieces[RANDOM % ${#pieces[@]}]}
	done
	((RANDOM % 40)) || REPLY+=$long
	REPLY=${REPLY//M/$mark}
}

wrong=() accepted=0
# used TYPE VALUE - as commands use what was let through.
used() {
	local number
	accepted=$((accepted + 1))
	[[ $2 =~ ${allowed[$1]} ]] || wrong+=("$1: $2")
	case $1 in
	number | port)	((number = $2 + 0)) || [[ $number == 0 ]] ;;
	size)		number=$(size_bytes "$2" x) || number=0 ;;
	esac
	[[ $1 == @(path|text|mountopts|names|word|clone|calendar|clients) || $2 != */* ]] || wrong+=("$1 with a slash: $2")
	[[ $1 == @(text|mountopts) || $2 != -* ]] || wrong+=("$1 like an option: $2")
}

count=$(long_or 100000 2000)
for ((n = 0; n < count; n++)); do
	hostile
	for gate in ${gates}; do
		if "is_$gate" "$REPLY"; then
			used "$gate" "$REPLY"
		fi
	done
done
diag "seed $seed; $accepted let through; ${wrong[*]-}"
is "$((accepted > count / 20))" 1 'some are let through'
is "${#wrong[@]}" 0 'what is let through is harmless'

# reads DESC COMMAND... - in a process of its own, which may end as a command does and in no other way.
reads() {
	local code=0
	stored=$((stored + 1))
	("${@:2}") >"$out" 2>"$err" || code=$?
	[[ $code == [0-7] && ! -s $err ]] || wrong+=("$1: $code, $(<"$err")")
}

# A peer that says it; what it said would be used next.
greeted() {
	local peer_bytes='' peer_in peer_out murmur_pid remote_name=home host=there peer_holds peer_partial
	exec {peer_in}<"$scratch/said" {peer_out}>/dev/null
	peer_murmur() { :; }
	peer_lost() { exit 1; }
	peer_greeting receive
	((peer_bytes + ${#peer_holds[@]} + ${peer_partial[2]-0} >= 0))
}

got_entries() {
	local dir=$scratch/entries
	mkdir -p -- "$dir/$REPLY" 2>/dev/null || return 0
	state_entries host "$dir"
	state_entries name "$dir"
}

stored=0
for ((n = 0; n < $(long_or 2000 40); n++)); do
	hostile
	value=$REPLY
	printf '%s\n' "$value" >fact
	for gate in number host port uuid compress; do
		reads "fact $gate" state_get "$gate" fact
	done
	key=${pieces[RANDOM % ${#pieces[@]}]}
	printf '%s = %s\n' "${key//M/$mark}" "$value" >conf/zumastor.conf
	ZUMASTOR_CONF=$scratch/conf reads config config_load
	printf 'lock_wait = %s\n' "$value" >conf/zumastor.conf
	ZUMASTOR_CONF=$scratch/conf reads 'a number in config' config_load
	reads host host_split "$value"
	reads size size_bytes "$value" size
	reads facts facts_read "head_chunks=$value"
	printf '%s\n' base=none "snapshot=$value" "offset=$value" "again=$value" >told
	reads progress replica_told told
	printf '%s\n' 'zumastor-receive 1' "volume_bytes $value" "holds $value" "partial none $value $value" ready >said
	reads 'a peer' greeted
	printf '%s\n' "$value" 'zumastor-receive 1' 'volume_bytes 4096' "partial $value $value $value" ready >said
	reads 'a peer' greeted
	[[ $value == */* ]] || reads names got_entries
done
diag "${wrong[*]-}"
traces=("$trap_dir"/*)
score R25 $((count + stored)) strings $((${#wrong[@]} + ${#traces[@]})) 'ran or misread'
done_testing
