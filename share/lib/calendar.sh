# calendar.sh - when a schedule wants a snapshot.   Needs core.sh, config.sh, check.sh, state.sh.
#
# The expressions are those of systemd.time(7), which knows of time zones and daylight saving.  systemd-analyze(1) tells what
# they mean; systemd need not run for that.  Where one names no zone that is UTC, or with `utc = no` the host's.
# shellcheck shell=bash disable=SC2154

# calendar_next EXPRESSION TIME - sets REPLY to the first time after TIME, both in seconds since 1970, or to nothing when it does
# not come any more.  False when that is no such expression.
calendar_next() {
	local text
	type -P systemd-analyze >/dev/null ||
		die_with "$UNSUPPORTED" "schedules need systemd-analyze; install package 'systemd'"
	text=$(calendar_ask "$1" "$2" 2>/dev/null) || return
	REPLY=
	# The line in UTC is left out where the other one is.
	[[ $text =~ \(in\ UTC\):\ ([^$'\n']*) || $text =~ Next\ elapse:\ ([^$'\n']*) ]] || return
	[[ ${BASH_REMATCH[1]} != never ]] || return 0
	REPLY=$(date -d "${BASH_REMATCH[1]}" +%s)
}

calendar_ask() {
	[[ ${config[utc]} == no ]] || export TZ=UTC
	exec systemd-analyze calendar --base-time="@$2" -- "$1"
}

# calendar_kept FILE EXPRESSION TIME - the same, for who asks every minute: the last answer is kept in FILE.
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
