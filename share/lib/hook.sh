# hook.sh - the administrator's programs in hooks.d, at the moments that zumastor-hooks(5) names.
#
# Needs core.sh ... volume.sh, snap.sh, mount.sh.
#
# None runs while anything is suspended, and none can keep a command for ever: each has
# hook_timeout seconds, then its process group is killed.  What it leaves in the background holds
# nothing of ours: its output is a file, and our locks are closed.
#
# What a hook leaves in ZUMASTOR_HOOK_DIR belongs to the snapshot: hook_dir is the one place that
# says where that is.  It goes by uuid, which a replica's snapshot shares.
# shellcheck shell=bash disable=SC2154,SC2034

hook_frozen=()			# "VOLUME/PATH" of each hook that is to be told post-freeze
hook_armed=			# will hook_thaw be run, whatever happens?
hook_failed=			# did one fail after the fact?
declare -gA hook_uuid=()	# by volume: of the snapshot about to be taken
hook_kinds=			# and its kinds
hook_group=			# and the group it is taken of

# hook_run MOMENT [ID] - run every hook, for snapshot ID where there is one.  When one fails at a
# pre- moment, die; at a post- moment, warn and set hook_failed; with `hook_failure = continue` only
# warn.
hook_run() {
	local moment=$1 path
	local -a hooks facts_env
	hook_list "$moment"
	hooks=("${REPLIES[@]}")
	((${#hooks[@]})) || return 0
	hook_facts "$moment" "${2-}"
	for path in "${hooks[@]}"; do
		[[ $moment != pre-freeze ]] || hook_frozen+=("$volume$path")
		hook_call "$moment" "$path" || hook_blame "$moment" "${path##*/}"
	done
}

# hook_freeze - tell the hooks of the volume to bring their programs to rest.  hook_thaw follows
# however the command ends, unless that is kill -9.
hook_freeze() {
	[[ -n $hook_armed ]] || always hook_thaw
	hook_armed=yes
	hook_run pre-freeze
}

# hook_thaw - post-freeze for each that was told pre-freeze, the last one first.  A failure of one
# does not keep the others from it.
hook_thaw() {
	local entry i
	local -a facts_env
	for ((i = ${#hook_frozen[@]} - 1; i >= 0; i--)); do
		entry=${hook_frozen[i]}
		volume_load "${entry%%/*}"
		hook_facts post-freeze
		hook_call post-freeze "/${entry#*/}" || hook_blame post-freeze "${entry##*/}"
		# Only now: a signal in between makes it run twice, rather than never.
		unset "hook_frozen[i]"
	done
}

# hook_list MOMENT - sets REPLIES to the hooks, by name; dies when others can put some there.  One that is
# not executable is switched off, one that others than root can write to has failed.
hook_list() {
	local path owner mode
	local -a paths=()
	for path in "${ZUMASTOR_CONF:?}"/hooks.d/*; do
		[[ ${path##*/} =~ ^[A-Za-z0-9_-]+$ && ! -d $path && -x $path ]] || continue
		paths+=("$path")
	done
	REPLIES=()
	((${#paths[@]})) || return 0
	state_private "$ZUMASTOR_CONF/hooks.d"
	while read -r owner mode path; do
		printf -v mode %o "0x$mode"
		if [[ $owner == 0 && $mode =~ ^10[0-7]{2}[0145][0145]$ ]]; then
			REPLIES+=("$path")
		else
			warn "refusing '$path': not a regular file that only root can write to"
			hook_blame "$1" "${path##*/}"
		fi
	done <<<"$(stat -c '%u %f %n' -- "${paths[@]}")"
}

# hook_facts MOMENT [ID] - sets facts_env, the hook's environment.
hook_facts() {
	local id=${2-} device=/dev/mapper/$volume uuid=${hook_uuid[$volume]-} of_kinds=$hook_kinds
	facts_env=("ZUMASTOR_HOOK=$1" "ZUMASTOR_VOLUME=$volume" "ZUMASTOR_DEVICE=$device"
		"ZUMASTOR_GROUP=$hook_group")
	mount_where
	facts_env+=("ZUMASTOR_MOUNTPOINT=${REPLIES[0]-}")
	if [[ -n $id ]]; then
		uuid=${snap_uuid[id]} of_kinds=${snap_kinds[id]}
		snap_device "$id"
		facts_env+=("ZUMASTOR_SNAPSHOT=$id" "ZUMASTOR_TIME=${snap_time[id]}"
			"ZUMASTOR_SNAPSHOT_DEVICE=$REPLY")
	fi
	facts_env+=("ZUMASTOR_UUID=$uuid" "ZUMASTOR_KINDS=$of_kinds")
	[[ -n $uuid ]] || return 0
	hook_dir "$uuid"
	case $1 in
	pre-freeze | post-snapshot | post-receive)
		(umask 077 && mkdir -p -- "$REPLY") ;;
	esac
	[[ ! -d $REPLY ]] || facts_env+=("ZUMASTOR_HOOK_DIR=$REPLY")
}

# hook_dir UUID - sets REPLY to where the files that hooks leave with a snapshot are.
hook_dir() {
	REPLY=$dir/hooks/$1
}

# hook_call MOMENT PATH - run one; false, and a warning, when it failed.
hook_call() {
	local code=0 name=${2##*/} output=$ZUMASTOR_RUN/jobs/hook.$BASHPID said
	exec {said}<>"$output"
	rm -f -- "$output"
	# timeout(1) kills itself along with the hook: bash is not to report that.
	{ (hook_exec "$2" "$1") </dev/null >&"$said" 2>&1; } 2>/dev/null || code=$?
	hook_tell "$name" "/proc/self/fd/$said"
	exec {said}>&-
	case $code in
	0)		return 0 ;;
	124 | 137)	warn "hook '$name' took longer than ${config[hook_timeout]} s" \
				"at $1 of '$volume'" ;;
	*)		warn "hook '$name' failed with $code at $1 of '$volume'" ;;
	esac
	return 1
}

# hook_exec PATH MOMENT - become it, with nothing of ours open but stdin, stdout and stderr.
hook_exec() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd <= 2 || fd == 255)) || exec {fd}>&-	# 255 is bash's own, and closed by itself
	done
	cd /
	# Told to end, we ignore signals by now; the hook must not.
	exec env --default-signal -- "${facts_env[@]}" timeout -k 5 "${config[hook_timeout]}" "$@"
}

# hook_tell NAME FILE - what it said goes where our own messages go, up to a limit.
hook_tell() {
	local line
	[[ -s $2 ]] || return 0
	while IFS= read -r line || [[ -n $line ]]; do
		printf '%s: %s\n' "$1" "$(one_line "$line")" >&2
	done < <(head -c 16384 <"$2" | tr -d '\0')
}

# hook_blame MOMENT NAME - one has failed.
hook_blame() {
	[[ ${config[hook_failure]} == stop ]] || return 0
	[[ $1 != pre-* ]] || die "stopped by hook '$2' at $1 of '$volume'"
	hook_failed=yes
}

# hook_taken MOMENT ID - the snapshot is there.
hook_taken() {
	hook_run "$1" "$2"
	hook_keep "$2"
}

# hook_keep ID - after the last hook has written: what is left is durable, and not too large.
hook_keep() {
	local bytes
	hook_dir "${snap_uuid[$1]}"
	[[ -d $REPLY ]] || return 0
	if rmdir -- "$REPLY" 2>/dev/null; then
		return
	fi
	read -r bytes _ <<<"$(du -s -B1 -- "$REPLY")"
	if ((bytes > $(size_bytes "${config[hook_size]}" 'hook_size'))); then
		warn "hooks left $bytes bytes with snapshot $1 of '$volume'," \
			"more than hook_size allows: they are dropped"
		rm -rf -- "$REPLY"
		hook_failed=yes
	else
		sync -f -- "$REPLY"
	fi
}

# hook_drop ID - snap_drop, between what the hooks are told.   The monitor, which has to make room while
# others wait for it, does without.
hook_drop() {
	hook_run pre-expire "$1"
	snap_drop "$1"
	hook_gone "$1"
}

# hook_gone ID - the snapshot has been removed.
hook_gone() {
	hook_run post-expire "$1"
	hook_dir "${snap_uuid[$1]}"
	rm -rf -- "$REPLY"
}

# hook_sweep - drop what was left with snapshots that are gone, or were never taken.
hook_sweep() {
	local path id
	local -A there=()
	[[ -d $dir/hooks ]] || return 0
	for id in "${snap_ids[@]}" "${snap_lost[@]}"; do
		there[${snap_uuid[id]}]=yes
	done
	for path in "$dir"/hooks/*; do
		[[ -n ${there[${path##*/}]-} ]] || rm -rf -- "$path"
	done
}
