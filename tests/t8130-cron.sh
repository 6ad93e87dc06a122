#!/bin/bash
# lab: --disk 16M --disk 48M --timeout 300
# Where no systemd runs, a real cron starts the volumes and does every minute what is due; and logs do not grow for ever.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/boot.sh"
table=/etc/cron.d/zumastor

taken() {
	[[ -n $(z list home -H -o uuid) ]]
}

# last_line - what cron gives to sh every minute.
last_line() {
	sed -n 's/^\* \* \* \* \* root //p' $table
}

mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home -h 3
z stop
is "$(stat -c '%a %U' $table)" '644 root' 'a table that cron accepts'
date -s "@$(($(date +%s) / 60 * 60 + 55))" >/dev/null
cron
expect 0 'cron starts the volumes at boot' within 60 mountpoint -q /run/zumastor/volumes/home
expect 0 'and takes what is due' within 75 taken
is "$(z list home -H -o kinds)" hourly 'once'
mv /usr/sbin/zumastor /usr/sbin/zumastor.gone
expect 0 'without the program it does nothing' sh -c "$(last_line)"
is "$(cat "$out" "$err")" '' 'and says nothing'
mv /usr/sbin/zumastor.gone /usr/sbin/zumastor
last_line | sed 's|zumastor run-due|zumastor frobnicate|' >"$scratch/line"
expect 2 'which is a line that would' sh "$scratch/line"

mkdir -p /var/log/zumastor
echo event >/var/log/zumastor/alarms.log
expect 0 'logs are rotated' logrotate --force /etc/logrotate.d/zumastor
is "$(</var/log/zumastor/alarms.log.1)" event 'the old one stays'
is "$(stat -c '%a %s' /var/log/zumastor/alarms.log)" '600 0' 'a new one begins'
done_testing
