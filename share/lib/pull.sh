# pull.sh - what a replica gets from its source: `zumastor send` there talks to `zumastor receive` here.
#
# Needs core.sh, check.sh, config.sh, state.sh, lock.sh, snap.sh, replica.sh, peer.sh.   Works on the
# command's variables: volume, dir, opt, lock_seconds.  Our end of the conversation begins with the request to
# `zumastor serve`; then what we want, a line each: `target NAME`, what the source calls us unless it knows
# that by the key, and the options of replicate; and `ready`.
# shellcheck shell=bash disable=SC2034,SC2154

# pull_load - sets host, port, user, remote_name and as.
pull_load() {
	state_get host "$dir/source/host"
	host=$REPLY
	state_get port "$dir/source/port"
	port=$REPLY
	state_get user "$dir/source/user"
	user=$REPLY
	state_get name "$dir/source/name" "$volume"
	remote_name=$REPLY
	state_get host "$dir/source/as" "$HOSTNAME"
	as=$REPLY
}

# pull - until the source has led us to what is wanted.
pull() {
	local host port user remote_name as job more=yes newest
	pull_load
	# Another one is waited for here; whoever comes in between makes us busy.
	lock_take "$volume:receive" "$lock_seconds"
	lock_drop "$volume:receive"
	trap '' PIPE
	job=$(mktemp -d "$ZUMASTOR_RUN/jobs/pull.XXXXXX")
	always pull_end "$job"
	[[ -n ${opt[dry-run]-} ]] || on_exit pull_failed
	while [[ -n $more ]]; do
		snap_load
		replica_newest
		newest=$REPLY
		pull_once
		pull_look
	done
	keep	# nothing that could fail
	[[ -n ${opt[dry-run]-} ]] || replica_met
}

# pull_look - sets more, when something came that is not what the source leads us to.
pull_look() {
	more=
	opt[full]=	# that has come
	snap_load
	replica_newest
	[[ $REPLY != "$newest" ]] || return 0
	newest=$REPLY
	state_get uuid "$dir/source/goal" "$newest"
	[[ $REPLY == "$newest" ]] || more=yes
}

# pull_wishes - the beginning of the conversation.
pull_wishes() {
	local word
	printf '%s\n' "zumastor 1 send $remote_name" "target $as"
	for word in each full dry-run bytes; do
		[[ -z ${opt[$word]-} ]] || printf '%s\n' "$word"
	done
	for word in snapnum compare compress; do
		[[ -z ${opt[$word]-} ]] || printf '%s %s\n' "$word" "${opt[$word]}"
	done
	printf 'ready\n'
}

# pull_once - one delta, or none.  What a source sends is to be trusted no more than what a peer does.
pull_once() {
	local code=0 received=0
	peer_open
	{ pull_wishes >&"$peer_out"; } 2>/dev/null || true
	ZUMASTOR_PEER=$host "$ZUMASTOR_LIBEXEC/zumastor-receive" -- "$volume" \
		<&"$peer_in" >&"$peer_out" 2>"$job/receive" || received=$?
	exec {peer_in}<&- {peer_out}>&-
	pull_wait
	((code == 0 && received == 0)) || pull_fault "$code" "$received"
	pull_tell
}

# pull_wait - sets code to the exit status of ssh.  A source that does not end by itself is not waited for.
pull_wait() {
	local never n
	exec {never}<> <(:)
	for ((n = 0; n < 10 * config[peer_timeout]; n++)); do
		kill -0 "$peer_pid" 2>/dev/null || break
		read -r -t 0.1 -u "$never" || true
	done
	exec {never}<&-
	kill "$peer_pid" 2>/dev/null || true
	wait "$peer_pid" || code=$?
	peer_pid=
}

# pull_last FILE - sets REPLY to what the last line says, without whose it is.
pull_last() {
	local line
	REPLY=
	while IFS= read -r line; do
		line=${line%$'\r'}
		REPLY=${line:-$REPLY}
	done <"$1"
	REPLY=${REPLY#zumastor *: }
}

# pull_fault SSH RECEIVE - die with the reason of the side that failed first: the other's quotes it, or is that
# nothing came.
pull_fault() {
	local code=$1 ours theirs
	((code > 0 && code <= 7)) || code=$2
	((code > 0 && code <= 7)) || code=$FAILED
	pull_last "$job/receive"
	ours=$REPLY
	pull_last "$job/ssh"
	theirs=$REPLY
	(($1 != 255)) || die "cannot reach '$host': ${theirs:-ssh exited 255}"
	[[ $ours != 'the sender: '* ]] ||
		die_with "$code" "'$host' refuses volume '$remote_name': ${ours#the sender: }"
	if [[ -z $ours || (-n $theirs && $theirs != *"${ours%; try *}"*) ]]; then
		die_with "$code" "'$host' failed: ${theirs:-exit $1}"
	fi
	die_with "$code" "cannot receive '$volume' from '$host': $ours"
}

# pull_tell - what the source said of what it sent, and what both warned of.
pull_tell() {
	local line
	while IFS= read -r line; do
		if [[ $line =~ ^[A-Za-z0-9.:-]+:\ (snapshot\ [0-9]+\ of\ .*)$ ]]; then
			say "$host: $(one_line "${BASH_REMATCH[1]}")"
		else
			warn "'$host': ${line#*warning: }"
		fi
	done <"$job/ssh"
	while IFS= read -r line; do
		warn "${line#*warning: }"
	done <"$job/receive"
}

# pull_failed - undo of a pull that did not end well: remember why.
pull_failed() {
	event_failed "$dir/source/last_error" "$host: nothing can be had of it"
	state_set "$dir/source/last_error" "${last_words:-failed}"
}

# pull_end JOB - whatever happened: no process of ours stays behind.
pull_end() {
	[[ -z ${peer_pid-} ]] || kill "$peer_pid" 2>/dev/null
	rm -rf -- "$1"
}
