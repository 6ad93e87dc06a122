#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 32M --timeout 300
# Somebody is told when a target dies, the store fills or a snapshot is lost, and when that is over: once each, by real mail and by
# a command, also when these fail for a while, or the round is killed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/faults.sh"
. "$(dirname "$0")/pair.sh"
conf=/etc/zumastor/zumastor.conf
mbox=/var/mail/root
told=$scratch/told
hook=/etc/zumastor/tell

cat >"$conf" <<-END
	alarm_mail = root
	alarm_command = $hook
	alarm_timeout = 5
	alarm_delay = 0
	alarm_patience = 3
	connect_timeout = 1
	metrics_file = $scratch/metrics.prom
END
cat >"$hook" <<-END
	#!/bin/sh
	[ -e $scratch/works ] || exit 7
	echo "\$1 \$ZUMASTOR_ALARM \$ZUMASTOR_VOLUME \$ZUMASTOR_CHECK \$ZUMASTOR_LEVEL" >>$told
END
chmod 0700 "$hook"
touch "$scratch/works" "$told"
mkdir -p /var/spool/dma && chown root:mail /var/spool/dma && chmod 2775 /var/spool/dma
rm -f "$mbox"

rounds() {
	local n
	for ((n = 0; n < $1; n++)); do
		z monitor --alarm || return
	done
}

# mails COUNT - that many subjects, now or soon: the mail transport agent delivers behind our back.
mails() {
	local n
	for ((n = 0; n < 100; n++)); do
		[[ $(grep -c '^Subject:' "$mbox" 2>/dev/null) != "$1" ]] || break
		sleep 0.1
	done
	is "$(grep -c '^Subject:' "$mbox")" "$1" "${2:-mail: $1 in all}"
}

subject() {
	grep '^Subject:' "$mbox" | tail -n 1
}

pair_make
z define target home host2 -p 1
z snapshot home hourly >/dev/null
z replicate home >/dev/null
expect 0 'all is well' rounds 3
is "$(cat "$mbox" "$told" 2>/dev/null)" '' 'nobody is told'
expect 0 'metrics are written' "$top/tests/metrics-check" "$scratch/metrics.prom"

# A target dies.
lab kill 2
z snapshot home hourly >/dev/null
sleep 6
expect 1 'it cannot be reached' z replicate home
expect 0 'five rounds' rounds 5
mails 1 'one mail'
like "$(subject)" 'Subject: zumastor on [a-z0-9]+: home: target:host2 is (warning|critical)' 'it says which'
like "$(<"$mbox")" "served [0-9]+s ago, every 1s; lacks 1 snapshots; cannot reach 'host2'" 'and why'
is "$(wc -l <"$told")" 1 'the command has run once, too'
like "$(<"$told")" '^begins begins home target:host2 ' 'with the facts'
like "$(z log home -n 2)" 'monitor: alarm: target:host2 is' 'the log has it'
lab restart 2
until far true; do sleep 0.2; done
far zumastor start
z replicate home >/dev/null
expect 0 'three rounds' rounds 3
mails 2 'one more, when it is back'
like "$(subject)" 'home: target:host2 is ok again' 'which says so'
is "$(cut -d' ' -f1-4 "$told" | tr '\n' ' ')" 'begins begins home target:host2 ends ends home target:host2 ' 'the command, too'
z forget target home host2

# The store fills: here the command fails for a while.
rm "$scratch/works"
z define schedule home --on-full halt
umount "$files"
dd if=/dev/urandom of=/dev/mapper/home bs=1M oflag=direct status=none 2>/dev/null &
writer=$!
until [[ $(z monitor --nagios home) == *'room: store full'* ]]; do sleep 0.1; done
expect 1 'the command fails' rounds 1
like "$(<"$err")" "hook 'tell' failed with 7" 'that is said'
expect 1 'it is tried again' rounds 1
mails 3 'which keeps nobody from sending one mail'
is "$(z log home | grep -c 'cannot be told by command')" 1 'the log says it once'
touch "$scratch/works"
expect 0 'it works again' rounds 2
is "$(tail -n +3 "$told")" 'begins begins home room critical' 'and has heard of it once'

# And now mail.
mv /usr/sbin/sendmail /usr/sbin/sendmail.away
z remove home 1 2 --force >/dev/null
wait "$writer" || true
expect 1 'no mail' rounds 1
like "$(<"$err")" 'there is no sendmail: install' 'it is said what is missing'
printf '#!/bin/sh\necho no route >&2\nexit 75\n' >/usr/sbin/sendmail
chmod +x /usr/sbin/sendmail
expect 1 'a mail command that fails' rounds 1
like "$(<"$err")" 'sendmail exited with 75: no route' 'says why'
printf '#!/bin/sh\nsleep 60\n' >/usr/sbin/sendmail
sed -i 's/^alarm_timeout = 5/alarm_timeout = 1/' "$conf"
expect 1 'one that hangs is ended' rounds 1
mv /usr/sbin/sendmail.away /usr/sbin/sendmail
sed -i 's/^alarm_timeout = 1/alarm_timeout = 5/' "$conf"
expect 0 'it works again' rounds 2
mails 4 'nothing was lost, and nothing told twice'
like "$(subject)" 'home: room is ok again' 'there is room'

# A snapshot is lost, and the rounds are killed at any moment.
z snapshot home hourly >/dev/null
expect 0 'all is well' rounds 1
while_failing home-store-data dd if=/dev/urandom of=/dev/mapper/home bs=16k count=1 oflag=direct status=none
z snapshot home hourly >/dev/null 2>&1
for ((n = 0; n < 12; n++)); do
	timeout -s KILL "0.$((RANDOM % 9))$((RANDOM % 10))" "$zumastor" monitor --alarm </dev/null >/dev/null 2>&1 || true
done 2>/dev/null
expect 0 'one that is not killed' rounds 2
until [[ $(grep -c 'home: lost is critical' "$mbox") -ge 1 ]]; do sleep 0.1; done
sleep 1
ids=$(grep -i -A4 'Subject:.*home: lost is critical' "$mbox" | grep -i '^Message-ID' | sort -u | wc -l)
is "$ids" 1 'one event, whatever was killed'
lost=$(z list home -H -o id,kinds | sed -n 's/\tlost$//p')
z remove home "$lost" --force >/dev/null
expect 0 'it is removed' rounds 2
until grep -q 'home: lost is ok again' "$mbox"; do sleep 0.1; done
pass 'told'

# A round dies after each thing that it writes, when something begins and when that ends: both are told all the same.
libexec=/usr/libexec/zumastor
mv $libexec/state-set{,.real}
cat >$libexec/state-set <<-END
	#!/bin/sh
	$libexec/state-set.real "\$@" || exit
	read -r left <$scratch/left
	echo \$((left - 1)) >$scratch/left
	[ \$left != 1 ] || kill -KILL \$PPID
END
chmod 0755 $libexec/state-set

# told_dying NUMBER - what is told of a round that dies after so many, and of those after it.
told_dying() {
	: >"$told"
	echo "$1" >"$scratch/left"
	z monitor --alarm &>/dev/null || true
	echo 0 >"$scratch/left"
	rounds 2
	cut -d ' ' -f 1,3,4 "$told" | sort -u
}

untold=
for n in 1 2 3 4; do
	z stop volume home
	rm -f /run/zumastor/space/home/stopped	# as if it had died
	[[ $(told_dying "$n") == *'begins home volume'* ]] || untold+=" begins:$n"
	z start volume home
	[[ $(told_dying "$n") == *'ends home volume'* ]] || untold+=" ends:$n"
done
is "$untold" '' 'whatever a round dies of, all is told'
mv $libexec/state-set{.real,}

# What fails for a moment is not told; what recovers for a moment neither.
before=$(wc -l <"$told")
sed -i 's/^alarm_delay = 0/alarm_delay = 2/' "$conf"
z stop volume home
rm /run/zumastor/space/home/stopped
expect 0 'a round' rounds 1
z start volume home
expect 0 'a round' rounds 1
is "$(wc -l <"$told")" "$before" 'a failure of one round is none'
z stop volume home
rm /run/zumastor/space/home/stopped
expect 0 'a round' rounds 1
sleep 3
expect 0 'a round' rounds 1
is "$(tail -n +$((before + 1)) "$told")" 'begins begins home volume critical' 'but one that lasts'
printf 'alarm_delay = 0\nalarm_command = %s\n' "$hook" >"$conf"
z forget volume home >/dev/null
expect 0 'a round' rounds 1
is "$(tail -n 1 "$told")" 'ends ends home volume critical' 'what is forgotten is over'
is "$(find /var/lib/zumastor/alarms -type f)" '' 'nothing is left'

# What others could change is not run.
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z stop volume home
rm /run/zumastor/space/home/stopped
chmod 0722 "$hook"
expect 1 'a command that others can write to' rounds 1
like "$(<"$err")" "refusing alarm_command '$hook'" 'is refused'
done_testing
