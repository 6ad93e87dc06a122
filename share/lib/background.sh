# background.sh - what goes on when the command that began it has ended.   Needs core.sh, lock.sh.
# shellcheck shell=bash

# background_transfer VOLUME HOST - it has its own words for what goes wrong, which `status` tells.  Where systemd runs it is a unit,
# which at shutdown ends before the volumes do.
background_transfer() {
	local unit
	if [[ -d /run/systemd/system ]]; then
		unit=$(systemd-escape --template=zumastor-replicate@.service -- "$1:$2")
		run systemctl start --no-block -- "$unit"
	else
		(unlocked setsid "$ZUMASTOR_LIBEXEC/zumastor-replicate" -q --no-wait -- "$1" "$2" </dev/null &>/dev/null &)
	fi
}

# background_alarms - the round of alarms.  Its unit may do what this one must not: mail needs that.
background_alarms() {
	if [[ -d /run/systemd/system ]]; then
		run systemctl start --no-block zumastor-alarm.service
	else
		"$ZUMASTOR_LIBEXEC/zumastor-monitor-alarm" </dev/null
	fi
}
