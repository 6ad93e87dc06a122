# alarm.sh - telling somebody when a check begins to fail, and when it has recovered: once each.
#
# Needs core.sh ... lock.sh, hook.sh, event.sh.   Works on the lines of report.sh.
#
# alarms/NAME/CHECK has PHASE SINCE CHANGED LEVEL: `failing`, for less than alarm_delay; `told`; or `passing`, which was told and
# has not recovered for that long.   What is to be told is a notice: a file in alarms/.queue/mail, and one in .queue/command, which
# go when they are delivered.   They are written before the phase, under a name that follows from it: a crash in between writes them
# again, and one between delivery and its end has a notice delivered again, with the same Message-ID.
# shellcheck shell=bash disable=SC2034,SC2154

readonly ALARM_NOTICES=1000		# that may wait

is_alarm()	{ [[ $1 =~ ^(failing|told|passing)\ [0-9]{1,12}\ [0-9]{1,12}\ (warning|critical|unknown)$ ]]; }
is_notice()	{ [[ $1 =~ ^(begins|ends)\ [0-9]{1,12}\ [a-z]+\ [^\ ]+\ [^\ ]+\  ]] && is_text "$1"; }

# alarm_get TYPE FILE - as state_get; but what is damaged goes, rather than keep all alarms from being told.
alarm_get() {
	local line=
	REPLY=
	[[ -e $2 ]] || return 0
	IFS= read -r -n 4096 line <"$2" || true
	if "is_$1" "$line"; then
		REPLY=$line
	else
		warn "dropped '$2': bad $1 '${line:0:80}'"
		state_set "$2" ''
	fi
}

# alarm_round REPORT - compare with what was known.
alarm_round() {
	local what name check level text
	local -A seen=() known=() up=()
	while IFS=$'\t' read -r what name check level text; do
		case $what in
		check)	known[$name]=yes
			alarm_check ;;
		metric)	[[ $name != zumastor_volume_up || $level != 1 ]] || up[$check]=yes ;;
		esac
	done <<<"$1"
	alarm_gone
}

# alarm_file - sets file, to where the alarm of a check is, and key, its name.
alarm_file() {
	key=$check
	((${#key} <= 120)) || key=${key:0:80}.$(cksum <<<"$key" | tr -c '0-9' .)
	file=$ZUMASTOR_STATE/alarms/$name/$key
}

# alarm_check - of name, check, level and text.
alarm_check() {
	local file key phase='' since=0 changed=0 was=''
	alarm_file
	seen[$name/$key]=yes
	alarm_get alarm "$file"
	[[ -z $REPLY ]] || read -r phase since changed was <<<"$REPLY"
	if [[ $level == ok ]]; then
		alarm_passes
	else
		alarm_fails
	fi
}

alarm_fails() {
	case $phase in
	'')		mkdir -p -- "${file%/*}"
			since=$EPOCHSECONDS
			if ((config[alarm_delay])); then alarm_set failing; else alarm_begins; fi ;;
	failing)	! alarm_lasts "$since" || alarm_begins ;;
	passing)	alarm_set told ;;
	told)		[[ $level == "$was" ]] || alarm_changes ;;
	esac
}

alarm_passes() {
	case $phase in
	failing)	state_set "$file" '' ;;
	told)		if ((config[alarm_delay])); then alarm_set passing; else alarm_ends; fi ;;
	passing)	! alarm_lasts "$changed" || alarm_ends ;;
	esac
}

# alarm_lasts SINCE - long enough to be told?  A clock that was set back is not waited for.
alarm_lasts() {
	((EPOCHSECONDS - $1 >= config[alarm_delay] || EPOCHSECONDS < $1))
}

# alarm_set PHASE
alarm_set() {
	[[ $level != ok ]] || level=$was
	state_set "$file" "$1 $since $EPOCHSECONDS $level"
}

alarm_begins() {
	alarm_notice begins "$level"
	event "$name" "alarm: $check is $level: $text"
	alarm_set told
}

# alarm_changes - it is told already that it fails.
alarm_changes() {
	event "$name" "alarm: $check is $level now: $text"
	alarm_set told
}

alarm_ends() {
	alarm_notice ends "$was"
	event "$name" "alarm: $check is ok again: $text"
	state_set "$file" ''
}

# alarm_gone - checks that are not made any more: their target was forgotten, or the volume.  One that cannot be told how it is, or
# does not run, has fewer checks, too.
alarm_gone() {
	local name check level=ok file text='it is not checked any more'
	for file in "$ZUMASTOR_STATE"/alarms/*/*; do
		[[ $file != *.new ]] || continue
		check=${file##*/} name=${file%/*}
		name=${name##*/}
		[[ -z ${seen[$name/$check]-} ]] || continue
		[[ -z ${known[$name]-} || -n ${up["volume=\"$name\""]-} ]] || continue
		alarm_check
	done
	for file in "$ZUMASTOR_STATE"/alarms/*/; do
		rmdir -- "$file" 2>/dev/null || true
	done
}

# alarm_notice begins|ends LEVEL - to be told to whoever wants to be.
alarm_notice() {
	local way queue
	local -a waiting
	for way in mail command; do
		[[ -n ${config[alarm_$way]} ]] || continue
		queue=$ZUMASTOR_STATE/alarms/.queue/$way
		mkdir -p -- "$queue"
		waiting=("$queue"/*)
		((${#waiting[@]} < ALARM_NOTICES)) || state_set "${waiting[0]}" ''
		state_set "$queue/$since.$name.$key.$1" "$1 $since $2 $name $check ${text:0:600}"
	done
}

# alarm_deliver mail|command - all that wait; one that fails is tried again in the next round.
alarm_deliver() {
	local queue=$ZUMASTOR_STATE/alarms/.queue/$1 file word since level name check text
	for file in "$queue"/*; do
		[[ $file != *.new ]] || continue
		if [[ -z ${config[alarm_$1]} ]]; then
			state_set "$file" ''
			continue
		fi
		monotonic
		((REPLY < alarm_ends)) || return 0
		alarm_get notice "$file"
		[[ -n $REPLY ]] || continue
		read -r word since level name check text <<<"$REPLY"
		if ! "alarm_by_$1"; then
			alarm_undelivered "$1"
			return
		fi
		state_set "$file" ''
		rm -f -- "$ZUMASTOR_RUN/jobs/alarm.$1.failed"
	done
}

# alarm_undelivered WAY - in the log once, until it works again.
alarm_undelivered() {
	local flag=$ZUMASTOR_RUN/jobs/alarm.$1.failed text="cannot be told by $1 that $check ${word%s}s; it is tried again"
	warn "'$name': $text"
	[[ -e $flag ]] || event "$name" "alarm: $text"
	: >"$flag"
}

alarm_subject() {
	if [[ $word == begins ]]; then
		REPLY="zumastor on $HOSTNAME: $name: $check is $level"
	else
		REPLY="zumastor on $HOSTNAME: $name: $check is ok again"
	fi
}

# alarm_mail - on stdout.
alarm_mail() {
	local when
	alarm_subject
	TZ=UTC0 printf -v when '%(%Y-%m-%d %H:%M:%S)T' "$since"
	cat <<-END
		To: ${config[alarm_mail]}
		Subject: $REPLY
		Date: $(date -R)
		Message-ID: <zumastor.$since.$word.$(md5sum <<<"$name/$check" | cut -c 1-16)@$HOSTNAME>
		Auto-Submitted: auto-generated
		MIME-Version: 1.0
		Content-Type: text/plain; charset=us-ascii

		host      $HOSTNAME
		volume    $name
		check     $check
		level     $level
		since     $when UTC
		$([[ $word == begins ]] || printf 'state     ok again\n')
		$text

		'zumastor status $name' tells how it is now, 'zumastor log $name' what happened.
	END
}

# alarm_by_mail - as sendmail(8) takes it, or mail(1).
alarm_by_mail() {
	local file=$ZUMASTOR_RUN/jobs/alarm.mail code=0
	local -a command=(sendmail -oi -t)
	type -P sendmail >/dev/null || {
		warn "alarm_mail is set, but there is no sendmail: install a mail transport agent, such as dma, postfix or msmtp-mta"
		return 1
	}
	alarm_mail >"$file"
	(unlocked timeout -k 5 "${config[alarm_timeout]}" "${command[@]}" <"$file" >"$file.output" 2>&1) || code=$?
	((code == 0)) || warn "sendmail exited with $code: $(head -c 300 -- "$file.output" | tr '\n' ' ')"
	rm -f -- "$file" "$file.output"
	((code == 0))
}

# alarm_by_command - as a hook is run: hook.sh.
alarm_by_command() {
	local volume=$name path=${config[alarm_command]} hook_timeout=${config[hook_timeout]} code=0
	local -a facts_env
	state_is_private_file "$path" || {
		warn "refusing alarm_command '$path': not an executable file that only root can write to"
		return 1
	}
	alarm_subject
	facts_env=("ZUMASTOR_ALARM=$word" "ZUMASTOR_HOST=$HOSTNAME" "ZUMASTOR_VOLUME=$name" "ZUMASTOR_CHECK=$check"
		"ZUMASTOR_LEVEL=$level" "ZUMASTOR_SINCE=$since" "ZUMASTOR_TEXT=$text" "ZUMASTOR_SUBJECT=$REPLY")
	config[hook_timeout]=${config[alarm_timeout]}
	hook_call "$word" "$path" || code=1
	config[hook_timeout]=$hook_timeout
	return "$code"
}
