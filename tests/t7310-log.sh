#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 32M --timeout 300
# zumastor log: what happened to a volume and why, on both sides, across rotated files, and to syslog.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/pair.sh"
log=/var/log/zumastor/home.log

# logged REGEX DESC - by the newest lines.
logged() {
	like "$(z log home -n 4)" "$1" "$2"
}

# A syslog that writes down what it hears.
socat -u UNIX-RECV:/dev/log,mode=0666 "OPEN:$scratch/syslog,creat,append" &
syslog=$!
until [[ -S /dev/log ]]; do sleep 0.1; done

expect 4 'no volume, no log' z log home
pair_make
z define master home --hourly 2
expect 0 'what was defined' z log home
is "$(stat -c '%a %U' /var/log/zumastor $log | tr '\n' ' ')" '700 root 600 root ' 'is for root alone'
like "$(<"$out")" "^2[0-9-]+T[0-9:]+Z define volume: home $DEV1NAME $DEV2NAME" 'as it was typed'
like "$(<"$out")" 'define target: home host2' 'and the target'
z snapshot home hourly >/dev/null
logged 'Z snapshot: took snapshot 1, hourly' 'a snapshot'
z replicate home >/dev/null
logged "replicate: host2: snapshot 1 of 'home' in full: [0-9.]+[KM] changed, [0-9.]+[KM]? sent in [0-9]+ s" 'a replication, in numbers'
like "$(far zumastor log home)" 'receive stream: received snapshot 1 of .*, hourly, from host1, [0-9]+ bytes|receive stream: received snapshot 1 of .*, hourly, [0-9]+ bytes' 'and over there'
lines=$(z log home | wc -l)
z replicate home >/dev/null
is "$(z log home | wc -l)" "$lines" 'nothing new is no event'
z hold home 1 audit
z snapshot home hourly >/dev/null
z snapshot home hourly >/dev/null
logged "rotation: snapshot 1 was to be removed, and stays for now: target 'host2' needs it" 'why one stays'
z release home 1 audit
z replicate home >/dev/null
z snapshot home hourly >/dev/null
logged 'rotation: removed snapshot [12] of .*: newer ones are as many as are kept' 'why one goes'
lab cut 1 2
printf 'connect_timeout = 1\n' >/etc/zumastor/zumastor.conf
expect 1 'a target that is not there' z replicate home
logged "replicate: host2: cannot be served: cannot reach 'host2'" 'is told'
lines=$(z log home | wc -l)
expect 1 'nor the next time' z replicate home
is "$(z log home | wc -l)" "$lines" 'once'
lab restore 1 2
expect 0 'it is back' z replicate home
logged 'host2: reached again' 'and that'
z remove home 3 --force >/dev/null
logged 'remove: removed snapshots 3, as it was told to' 'removal'
z revert home 4 --wait >/dev/null
logged 'revert: back at snapshot 4 of .*; what it was is snapshot 5.*revert: the revert is at its end' 'revert'
z stop volume home
z start volume home
logged 'stop: stopped.*start: started' 'stop and start'
z monitor --once >/dev/null
is "$(z log home | grep -c 'monitor: running')" 1 'what the monitor saw is there before it is in the file'
is "$(grep -c 'monitor: running' $log)" 0 'which it does not write'
z monitor --alarm
is "$(grep -c 'monitor: running' $log) $(z log home | grep -c 'monitor: running')" '1 1' 'the next round of alarms does'

# A command suspends a volume for a moment: that is not news.  What nobody is at work on is.
dmsetup suspend home
is "$(flock /run/zumastor/lock/home "$zumastor" monitor --once)" '' 'suspended by a command: nothing is said'
like "$(z monitor --once)" '^home: suspended$' 'by nobody: that is'
dmsetup resume home
like "$(z monitor --once)" '^home: running$' 'and its end'
z monitor --alarm

# Across what logrotate leaves, in order, also where it splits a second: all in one.
sed -Ei "s/^[^ ]+/$(date -u +%FT%TZ)/" $log
z log home >"$scratch/all"
head -n 3 $log | gzip >$log.2.gz
sed -n 4,6p $log >$log.1
sed -i 1,6d $log
printf 'not ours\n' >/var/log/zumastor/home.log.1.log
expect 0 'rotated' z log home
is "$(<"$out")" "$(<"$scratch/all")" 'the whole, in order'
expect 0 'the last two' z log home --lines 2
is "$(<"$out")" "$(tail -n 2 "$scratch/all")" 'are the last two'
is "$(z log home --since '1 hour ago' | wc -l)" "$(wc -l <"$scratch/all")" 'since an hour ago: all'
is "$(z log home --since tomorrow)" '' 'since tomorrow: nothing'
refused 2 "bad time 'soon'" log home --since soon
refused 2 'bad number of lines' log home -n x
z log home --json >"$scratch/json"
is "$(jq '.events | length' "$scratch/json")" "$(wc -l <"$scratch/all")" 'all of them to programs'
is "$(jq -r '.events[0] | .command' "$scratch/json")" 'define volume' 'by whom'
like "$(jq -r '.events[0] | .time + " " + .text' "$scratch/json")" "^2[0-9T:-]+Z home $DEV1NAME" 'when and what'

# A log that cannot be written stops nothing.
mount -t tmpfs -o size=4k,mode=700 tmpfs /var/log/zumastor
head -c 8192 /dev/zero >/var/log/zumastor/filler 2>/dev/null || true
expect 0 'a full disk' z snapshot home hourly
is "$(<"$err")" '' 'says nothing of it'
umount /var/log/zumastor

kill "$syslog"
like "$(tr '\0' '\n' <"$scratch/syslog")" 'zumastor(\[[0-9]+\])?: replicate home: host2: snapshot 1 of' 'syslog has heard of it'
z forget volume home >/dev/null
expect 0 'a forgotten volume has its log' z log home -n 1
like "$(<"$out")" 'forget volume: home' 'to the end'
done_testing
