#!/bin/bash
# lab: --systemd --hosts 2 --disk 16M --disk 96M --mem 384M --timeout 900
# A month by itself, in steps of three hours that take some seconds each: two hosts set up as the README has it, a writer, a target that
# is away for three days, a reboot of each.  In the end both have exactly what their schedules say, all right, and the
# only alarm was the outage.   `make check` has four days, in steps of twelve hours, two of them an outage.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"
. "$(dirname "$0")/pair.sh"

step=$(long_or 10800 43200) kind=$(long_or third half)
days=$(long_or 30 4)
begin=$(date -u -d '2027-01-01' +%s)
end=$((begin + days * 86400 + 4 * step))
outage_from=$((begin + days * 86400 / 2)) outage_to=$((begin + days * 86400 / 2 + $(long_or 3 2) * 86400))
reboot_here=$((begin + days * 86400 / 5 / step * step)) reboot_there=$((end - 2 * step))

# clock TIME - on both hosts; it is theirs after a boot, too.
clock() {
	echo "$1" >/persist/clock
	((now >= outage_from && now < outage_to)) || far_sh "date -u -s @$1; echo $1 >/persist/clock" >/dev/null
	date -u -s "@$1" >/dev/null
}

# keep_clock - what the clock of a machine would have kept over a boot.
keep_clock() {
	cat >/etc/systemd/system/keep-clock.service <<-'UNIT'
		[Unit]
		DefaultDependencies=no
		Before=sysinit.target zumastor.service zumastor-run-due.timer
		[Service]
		Type=oneshot
		ExecStart=/bin/sh -c 'date -u -s @$(cat /persist/clock)'
		[Install]
		WantedBy=sysinit.target
	UNIT
	systemctl enable -q keep-clock
}

set_up() {
	far_sh "$(declare -f keep_clock); echo $begin >/persist/clock; keep_clock"
	keep_clock
	now=$begin
	printf '%s\n' 'jitter = 0' 'connect_timeout = 2' 'alarm_command = /etc/zumastor/tell' >/etc/zumastor/zumastor.conf
	cat >/etc/zumastor/tell <<-'TELL'
		#!/bin/sh
		echo "$1 $ZUMASTOR_CHECK" >>/persist/told
	TELL
	chmod 0700 /etc/zumastor/tell
	: >/persist/told
	mkfs.ext4 -q "$DEV1NAME"
	clock $((begin + 55))
	z define volume home "$DEV1NAME" "$DEV2NAME"
	z define master home -d 7 -w 2 -c "$kind,$(long_or 8 5)" --at "$(long_or 0/3:00 0/12:00)"
	far zumastor define volume home "$DEV1NAME" "$DEV2NAME"
	far zumastor define source home host1 --yes
	far zumastor define schedule home -d 40 -w 0 -c "$kind,$(long_or 6 3)"
	z define target home host2 --period 3600 --each yes
	echo "$begin" >"$files/step"
	systemctl enable -q --now zumastor
	far systemctl enable -q --now zumastor
} >/dev/null

text_of() {
	TZ=UTC0 printf '%(%Y.%m.%d-%H.%M.%S)T\n' "$1"
}

# What is waited for is asked several times a second: by files, and not by commands.
taken() {
	local -a all=("$files-snapshots"/2*)
	((${#all[@]})) && [[ ! ${all[-1]##*/} < $(text_of "$now") ]]
}

# idle - a clock that jumps while something is at work is not what is asked here.
idle() {
	! grep -qx 'active\|.*activating' <<<"$(systemctl show --value -p ActiveState zumastor-run-due zumastor-alarm \
		zumastor-replicate@home:host2)"
}

given_up() {
	[[ -s /var/lib/zumastor/volumes/home/targets/host2/last_error ]]
}

# arrived - has the other host said that it shows $mine?   arrives SECONDS - does it say so of the newest within these?
arrived() {
	local base=/var/lib/zumastor/volumes/home/targets/host2/base
	[[ -e $base && $(<"$base") == "$mine" ]]
}

arrives() {
	local mine
	mine=$(newest)
	within "$1" arrived
}

# due_of TIME - the kinds whose time that is.
due_of() {
	printf '%s' "$kind"
	(($1 % 86400)) || printf ' daily'
	(($1 == begin || ($1 / 86400 % 7 == 4 && $1 % 86400 == 0))) && printf ' weekly'
	return 0
}

# should_keep KIND=LIMIT... - of all times so far, "TIME KINDS", as the rotation is to have left them.
should_keep() {
	local time limit word text
	local -A left
	for limit in "$@"; do
		left[${limit%=*}]=${limit#*=}
	done
	for ((time = now; time >= begin; time -= step)); do
		text=
		for word in $(due_of "$time"); do
			((left[$word]-- > 0)) || continue
			text+=${text:+,}$word
		done
		[[ -z $text ]] || echo "$time $text"
	done | tac
}

# has_kept - the same of what there is; each belongs to the step in whose first half an hour it was taken: machines are slow.
# shellcheck disable=SC2016 # expanded over there, too
kept_script='zumastor list home -H -o time,kinds | while read -r time kinds; do
	date="${time%-*}" clock="${time#*-}"
	echo "$(date -u -d "$(echo "$date" | tr . -) $(echo "$clock" | tr . :)" +%s) $kinds"
done'

has_kept() {
	awk -v step="$step" '{ late = $1 % step; print $1 - late, $2, (late < 1800 ? "" : "late by " late) }' | sorted
}

# sorted - by name, the kinds in each line; what is behind them stays.
sorted() {
	while read -r time kinds late; do
		echo "$time $(tr , '\n' <<<"$kinds" | sort | paste -sd,)${late:+ $late}"
	done
}

# go_on - from step to step.
go_on() {
	while ((now < end)); do
		now=$((now + step))
		echo "$now" >/persist/now
		echo "$now" >"$files/step"
		dd if=/dev/urandom of="$files/noise.$((RANDOM % 9))" bs=1K count=$((RANDOM % 200 + 1)) status=none
		if ((now == outage_from)); then
			lab cut 1 2
			ssh -O exit -o ControlPath=/run/far host2 2>/dev/null || :
		fi
		if ((now == outage_to)); then
			lab restore 1 2
			within 60 far true || fail 'the other host is there again' "$(ip neigh; ping -c 2 -W 2 host2 2>&1)"
		fi
		within 180 idle || fail 'the last round ends' "$(systemctl status zumastor-run-due)"
		clock $((now - 2))
		# ssh does not go faster than time.
		((now != outage_from)) || within 120 given_up || fail 'the outage is seen' "$(z status home)"
		within 180 taken || fail "a snapshot of $(text_of "$now")" "$(z list home | tail -n 3; journalctl -q -n 30 -u 'zumastor-*')"
		((now >= outage_from && now < outage_to)) || arrives 120 ||
			fail "its arrival" "$(z status home; journalctl -q -n 20 -o cat -u 'zumastor-replicate@*')"
		if ((now == reboot_there)); then
			far_sh 'touch /run/before; systemd-run -q --no-block lab reboot'
			ssh -O exit -o ControlPath=/run/far host2 2>/dev/null || :
			expect 0 'the other host is rebooted' within 60 far_sh '[ ! -e /run/before ] && systemctl --quiet is-active multi-user.target'
		fi
		((now != reboot_here)) || go_down reboot
	done
}

within 60 booted
if ((LAB_BOOT == 1)); then
	within 60 far systemctl --quiet is-active multi-user.target
	set_up
	within 90 taken
	expect 0 'the first copy arrives' arrives 60
else
	come_up
	now=$(</persist/now)
	expect 0 'it runs again' within 60 z exec home -- true
fi
go_on

expect 0 'the last one arrives' arrives 60
is "$(sh -c "$kept_script" | has_kept)" "$(should_keep "$kind=$(long_or 8 5)" daily=7 weekly=2 | sorted)" 'what the schedule says is kept'
should_keep "$kind=$(long_or 6 3)" daily=40 weekly=0 | sorted >"$scratch/there"
is_there() {
	far_sh "$kept_script" | has_kept >"$out"
	cmp -s "$scratch/there" "$out"
}
within 120 is_there	# it rotates after it has shown what arrived
is "$(<"$out")" "$(<"$scratch/there")" 'and what that of the other host says'
wrong=
for snapshot in "$files-snapshots"/2*; do
	said=$(<"$snapshot/step")
	[[ $snapshot == *"/$(text_of "$said" | cut -c1-13)"* ]] || wrong+="$snapshot has $said; "
done
is "$wrong" '' 'each shows what was written before'
is "$(comm -23 <(far_hashes | sort) <(hashes | sort) | cut -d' ' -f1 | grep -vxF "$(far zumastor list home -H -o uuid |
	grep -vxF "$(z list home -H -o uuid)")")" '' 'those on both sides are equal'
is "$(far_sh "for s in $files-snapshots/2*; do echo \${s##*/} \$(cat \$s/step); done" | while read -r name said; do
	[[ $name == "$(text_of "$said" | cut -c1-13)"* ]] || echo "$name $said"; done)" '' 'and those there alone are right'
diag "$(z log home | grep -v 'took snapshot\|rotation:' | tail -n 40)"
is "$(sort /persist/told)" $'begins target:host2\nends target:host2' 'the only alarm was the outage'
is "$(z status home --check >/dev/null; echo $?)" 0 'all is well'
expect 0 'and the devices agree' z check home
is "$(systemctl list-units --failed --plain --no-legend)" '' 'no unit has failed'
done_testing
