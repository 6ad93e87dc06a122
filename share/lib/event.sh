# event.sh - what happens to a volume and why, one line an event: /var/log/zumastor/VOLUME.log, and syslog or the journal.
#
#     2026-11-22T10:37:00Z replicate: host2: snapshot 3 of 'home' on base 2: 1.2M changed, 640K sent in 1 s
#
# Needs core.sh.   No event is worth a failure: what cannot be written is not.   For who must get through while writers wait
# event_later is set: /var/log may be what they wait for.
# shellcheck shell=bash disable=SC2154,SC2034

event_later=		# write below /run only; event_gather brings it here
event_by=		# in the name of which command, if not this one

# event VOLUME TEXT - one process at most, which nobody waits for.
event() {
	local now text=${2//[^[:print:]]/?} file=$ZUMASTOR_LOG/$1.log by=${event_by:-$program}
	TZ=UTC0 printf -v now '%(%Y-%m-%dT%H:%M:%SZ)T' -1
	by=${by#zumastor }
	[[ -z $event_later ]] || file=$ZUMASTOR_RUN/space/$1/events
	[[ -d ${file%/*} ]] || mkdir -p -- "${file%/*}" 2>/dev/null || true
	{ printf '%s %s: %s\n' "$now" "$by" "$text" >>"$file"; } 2>/dev/null || true
	# What the monitor says its service hands to the journal.
	[[ -z $event_later && -S /dev/log ]] || return 0
	(unlocked logger -t zumastor -p daemon.info -- "$by $1: $text" </dev/null &>/dev/null &)
}

# event_failed FILE TEXT - what was tried again and again has failed with last_words: once as long as these, in FILE, are the same.
# Needs state.sh.
event_failed() {
	state_get text "$1"
	[[ $REPLY == "${last_words:-failed}" ]] || event "$volume" "$2: ${last_words:-failed}"
}

# event_gather VOLUME - to the log with what was written below /run.   One at a time.
event_gather() {
	local from=$ZUMASTOR_RUN/space/$1/events
	if [[ ! -e $from.old ]]; then
		[[ -e $from ]] || return 0
		mv -- "$from" "$from.old"
	fi
	cat -- "$from.old" >>"$ZUMASTOR_LOG/$1.log" && rm -f -- "$from.old"
}

# event_files VOLUME - sets REPLIES to the older parts of its log that logrotate has put aside, the log, and what is to come there:
# oldest first, however they are numbered.
event_files() {
	local path
	local -a paths=()
	for path in "$ZUMASTOR_LOG/$1.log"*; do
		[[ ! ${path#"$ZUMASTOR_LOG/$1.log"} =~ ^([.-][0-9]+)*(\.gz)?$ || ! -f $path ]] || paths+=("$path")
	done
	((${#paths[@]} < 2)) || mapfile -t paths < <(stat -c '%.9Y %n' -- "${paths[@]}" | LC_ALL=C sort -n | cut -d ' ' -f 2-)
	for path in "$ZUMASTOR_RUN/space/$1"/events{.old,}; do
		[[ ! -f $path ]] || paths+=("$path")
	done
	REPLIES=("${paths[@]}")
}
