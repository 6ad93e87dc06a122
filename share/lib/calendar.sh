# calendar.sh - when a schedule wants a snapshot.   Needs core.sh, config.sh, check.sh.
#
# The expressions are those of systemd.time(7); systemd-analyze(1) tells what they mean, and systemd need not run for that.  The time
# zone is the one at the end of an expression, or UTC, or with `utc = no` the host's.  Where its clocks change systemd leaves
# out what would be in a missing hour, and all of an hour that comes a second time.  So it is asked as if clocks
# never changed.
# shellcheck shell=bash disable=SC2154

# calendar_next EXPRESSION TIME - sets REPLY to the first time after TIME, both in seconds since 1970, or to nothing when it does
# not come any more.  False when that is no such expression.
#
# What comes every hour, or more often, goes by elapsed time; the rest by the clock on the wall: in an hour that comes twice
# it comes once, and in one that is missing, an hour later.
calendar_next() {
	local when zone offset
	local -a walls
	calendar_zone "$1"
	calendar_offset "$2"
	offset=$REPLY
	calendar_ask "$when" $(($2 + offset)) || return
	walls=("${REPLIES[@]}")
	if ((${#walls[@]})) && calendar_was "$2" "${walls[@]}"; then
		walls=("${walls[@]:1}")
	fi
	REPLY=
	((${#walls[@]} == 0)) || calendar_first "$2" "${walls[0]}"
}

# calendar_was TIME WALL [NEXT] - did clocks show WALL in the hour before TIME, and then that hour again?  Then it has come.
calendar_was() {
	local before
	if [[ -n ${3-} ]] && (($3 - $2 <= 3600)); then
		return 1
	fi
	calendar_offset $(($1 - 3600))
	before=$REPLY
	((before > offset && $2 - before <= $1)) || return
	calendar_offset $(($2 - before))
	((REPLY == before))
}

# calendar_first TIME WALL - sets REPLY to when clocks show WALL after TIME, or would if they had not been changed.
calendar_first() {
	local first=$(($2 - offset)) later
	if ((first - $1 > 3600)); then
		calendar_offset "$first"
		later=$REPLY
		calendar_offset $(($2 - later))
		((REPLY != later)) || first=$(($2 - later))
	fi
	REPLY=$first
}

# calendar_zone EXPRESSION - sets when and zone, empty for the host's.
calendar_zone() {
	when=$1 zone=${1##* }
	if [[ $1 == *' '* && $zone =~ ^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$ && -f /usr/share/zoneinfo/$zone ]]; then
		when=${1% *}
		return
	fi
	zone=
	[[ ${config[utc]} == no ]] || zone=UTC
}

# calendar_offset TIME - sets REPLY to the seconds that clocks are ahead of UTC then.
calendar_offset() {
	if [[ -n $zone ]]; then
		TZ=$zone printf -v REPLY '%(%z)T' "$1"
	else
		printf -v REPLY '%(%z)T' "$1"
	fi
	REPLY=$((${REPLY:0:1}1 * (10#${REPLY:1:2} * 3600 + 10#${REPLY:3:2} * 60)))
}

# calendar_ask EXPRESSION TIME - sets REPLIES to the next two times after TIME, where it is always UTC, or to what there is.
calendar_ask() {
	local text
	type -P systemd-analyze >/dev/null ||
		die_with "$UNSUPPORTED" "schedules need systemd-analyze; install package 'systemd'"
	text=$(TZ=UTC exec systemd-analyze calendar --iterations=2 --base-time="@$2" -- "$1" 2>/dev/null) || return
	mapfile -t REPLIES < <(sed -n '/never/d; s/^ *\(Next elapse\|Iter[^:]*\): //p' <<<"$text" | date -f - +%s)
}

# calendar_kept FILE EXPRESSION TIME - calendar_next for who asks every minute: the last answer is kept in FILE.
calendar_kept() {
	local question="$3 ${config[utc]} $2" kept=
	[[ ! -e $1 ]] || IFS= read -r kept <"$1" || true
	if [[ $kept == *" $question" ]]; then
		REPLY=${kept%" $question"}
		is_number "$REPLY" || REPLY=
		return
	fi
	calendar_next "$2" "$3" || return
	printf '%s\n' "${REPLY:-never} $question" >"$1"
}
