#!/bin/bash
# lab: --systemd --hosts 2 --disk 16M --disk 48M --timeout 300
# With real systemds on both sides: the timer takes what is due and sends it, by units of their own, also after the other host was
# down; and cron leaves it to them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"
. "$(dirname "$0")/pair.sh"

# before_minute SECONDS - the clock is moved there, within the minute it is in.
before_minute() {
	date -s "@$(($(date +%s) / 60 * 60 + 60 - $1))" >/dev/null
}

# arrived [UUID] - is there a newer snapshot there than that one, with the content that it has here?
arrived() {
	local there
	there=$(far_newest_hash)
	[[ -n $there && ${there%% *} != "${1-}" ]] && grep -qxF -- "$there" <<<"$(hashes)"
}

# taken_since UUID - is there a newer one?
taken_since() {
	[[ $(newest) != "$1" ]]
}

# back - has host2 been down, and is it up again?
back() {
	far_sh '[ ! -e /run/before ] && systemctl --quiet is-active multi-user.target'
}

sent_by_unit() {
	[[ $(journalctl -q -o cat -u 'zumastor-replicate@home:host2.service') == *Finished* ]]
}

# Where a unit runs them, hooks have its rights.
# shellcheck disable=SC2016 # expanded in there
make_hook() {
	mkdir -p /etc/zumastor/hooks.d
	printf '#!/bin/sh\n[ "$1" != pre-freeze ] || runuser -u nobody -- id -un >/run/hooked\n' >/etc/zumastor/hooks.d/user
	chmod 0755 /etc/zumastor/hooks.d/user
}

check_transfer() {
	expect 0 'snapshots are taken' within 60 taken_since ''
	expect 0 'and arrive as they are' within 60 arrived
	expect 0 'by the unit' within 60 sent_by_unit
	is "$(</run/hooked)" nobody 'a hook can be another user'
	is "$(systemctl list-units --failed --plain --no-legend)" '' 'nothing fails'
}

check_reboot() {
	local last there
	far touch /run/before
	far_sh 'systemd-run -q --no-block lab reboot'
	ssh -O exit -o ControlPath=/run/far host2 2>/dev/null || :
	expect 0 'the other host goes down and comes up' within 60 back
	there=$(far zumastor list home -H -o uuid | tail -n 1)
	last=$(newest)
	before_minute 3
	expect 0 'snapshots are taken' within 60 taken_since "$last"
	expect 0 'and arrive again as they are' within 150 arrived "$there"	# ssh may wait for the host that was there
	expect 0 'the replica is mounted' far mountpoint -q /run/zumastor/volumes/home
}

ran_by_cron() {
	local text
	text=$(journalctl -q -o cat -t CRON)
	[[ $text == *'/run/systemd/system'*run-due* ]]
}

check_cron() {
	local last
	systemctl stop zumastor-run-due.timer
	systemctl stop zumastor-run-due.service
	before_minute 3
	systemctl start cron
	last=$(newest)
	expect 0 'cron runs it' within 60 ran_by_cron
	sleep 11	# the period of what is due
	expect 0 'something is due' z run-due --dry-run
	like "$(<"$out")" 'snapshot home' 'a snapshot'
	is "$(newest)" "$last" 'and cron leaves it to systemd'
}

within 60 booted
expect 0 'set up' systemctl enable -q --now zumastor
within 60 far systemctl --quiet is-active multi-user.target
expect 0 'there, too' far systemctl enable -q --now zumastor
echo 'peer_timeout = 20' >>/etc/zumastor/zumastor.conf	# of a transfer that is cut
pair_make
z define master home --custom tick,5 --at '*:*:0/10'
z define target home host2 -p 10
make_hook
before_minute 3
check_transfer
check_reboot
check_cron
done_testing
