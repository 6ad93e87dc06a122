#!/bin/bash
# lab: --systemd --disk 16M --disk 48M --timeout 200
# With a real systemd: the timer's service, with the rights that it has, sends mail by a mail transport agent that delivers here, and the
# journal has what happened.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/boot.sh"
mbox=/var/mail/root

# mail_says TEXT
mail_says() {
	[[ -e $mbox ]] && grep -q "^Subject: .*$1" "$mbox"
}

journal_says() {
	[[ $(journalctl -q -o cat -t zumastor) == *"$1"* ]]
}

within 60 booted
rm -f "$mbox"
printf 'alarm_mail = root\nalarm_delay = 0\nmetrics_file = %s\n' /var/lib/zumastor.prom >/etc/zumastor/zumastor.conf
expect 0 'set up' systemctl enable -q --now zumastor
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z snapshot home >/dev/null
expect 0 'the journal has events' within 60 journal_says 'snapshot home: took snapshot 1, manual'
z stop volume home
rm /run/zumastor/space/home/stopped	# as if it had not come up
date -s "@$(($(date +%s) / 60 * 60 + 57))" >/dev/null
expect 0 'a mail' within 60 mail_says 'home: volume is critical'
expect 0 'metrics' within 60 test -s /var/lib/zumastor.prom
expect 0 'in the right form' "$top/tests/metrics-check" /var/lib/zumastor.prom
z start volume home
date -s "@$(($(date +%s) / 60 * 60 + 57))" >/dev/null
expect 0 'and one that it is over' within 60 mail_says 'home: volume is ok again'
is "$(grep -c '^Subject:' "$mbox")" 2 'and no more'
expect 0 'what the monitor saw is in the log' within 60 grep -q 'monitor: running' /var/log/zumastor/home.log
is "$(systemctl list-units --failed --plain --no-legend)" '' 'nothing fails'
done_testing
