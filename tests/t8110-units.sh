#!/bin/bash
# lab: --systemd --disk 8M --disk 16M --timeout 200
# The units are what systemd understands, have as few rights as the manual says, and every minute the timer fires.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/boot.sh"

most=60		# tenths, as in zumastor-boot(7)

check_units() {
	local unit
	local -a files=(/usr/lib/systemd/system/zumastor*.{service,timer})
	expect 0 'systemd finds no mistake' systemd-analyze verify --man=no "${files[@]}"
	is "$(<"$err")" '' 'and nothing to say'
	for unit in "${files[@]##*/}"; do
		[[ $unit == *.service ]] || continue
		unit=${unit/@/@home}
		expect 0 "$unit is exposed by no more than $most" systemd-analyze security --threshold=$most "$unit"
	done
	expect 1 'which is bounded' systemd-analyze security --threshold=$((most - 20)) zumastor.service
	is "$(systemctl show --value -p NoNewPrivileges zumastor.service zumastor-mount@home zumastor-replicate@home:host2 | xargs)" \
		'yes yes yes' 'and for all of them'
}

fired() {
	[[ -n $(moment zumastor-run-due.service InactiveExit) ]]
}

check_timer() {
	local at
	expect 0 'enabled' systemctl enable -q --now zumastor
	date -s "@$(($(date +%s) / 60 * 60 + 56))" >/dev/null	# within the minute, so that it passes none
	expect 1 'the timer waits' fired
	expect 0 'and fires' within 60 fired
	at=$(systemctl show --value -p InactiveExitTimestamp zumastor-run-due.service)
	like "$(date -d "$at" +%S)" '^0[01]$' 'as a minute begins'
	systemctl stop zumastor-run-due.timer
}

# Names that systemd writes in another way.
check_names() {
	mkfs.ext4 -q "$DEV1NAME"
	z define volume a-b.c_d "$DEV1NAME" "$DEV2NAME"
	expect 0 'stopped by hand' z stop volume a-b.c_d
	expect 0 'a volume of any name is started by its unit' systemctl start "$(systemd-escape --template=zumastor-volume@.service a-b.c_d)"
	expect 0 'and mounted' within 60 mountpoint -q /run/zumastor/volumes/a-b.c_d
	expect 0 'and known' test -e '/run/systemd/system/zumastor-volume@a\x2db.c_d.service.d/zumastor-devices.conf'
	expect 0 'forgotten' z forget volume a-b.c_d
	is "$(find /run/systemd/system -name '*a?x2db*')" '' 'systemd forgets it, too'
}

# The two units for an account without root that zumastor-peer(8) has.
check_peer() {
	gzip -cdf /usr/share/man/man8/zumastor-peer.8* |
		awk '/^# \/etc\// { to = $2; next }  /^\./ { to = "" }  to { print >to }'
	useradd -m zumastor
	expect 0 'the socket of the manual' systemctl enable -q --now zumastor-peer-here.socket
	expect 0 'leads to this program' setpriv --reuid zumastor --clear-groups socat -t 20 - UNIX-CONNECT:/run/zumastor-peer/here <<<'hello'
	is "$(<"$out")" 'failed 7 that is no request of this version' 'which says what it has to say'
	expect 1 'and nobody else' setpriv --reuid 65534 --clear-groups socat - UNIX-CONNECT:/run/zumastor-peer/here
	is "$(systemctl list-units --all --plain --no-legend 'zumastor-peer-here@*')" '' 'and leaves no unit behind'
}

# `zumastor start --boot` is for systemd.
check_refused() {
	refused 2 'for all volumes' start --boot volume home
	refused 2 'is for volumes' stop --wait 3 master home
	refused 4 'no such volume' stop --wait 3 volume home
	refused 2 'bad number' stop --wait soon
}

expect 0 'booted' within 60 booted
check_units
check_timer
check_names
check_peer
check_refused
done_testing
