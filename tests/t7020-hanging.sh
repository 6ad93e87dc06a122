#!/bin/bash
# lab: --disk 16M --disk 32M --disk 16M --disk 32M --timeout 300
# A volume whose snapshot hangs does not keep the others from theirs, in this round or the next.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"

for volume in good:"$DEV1NAME":"$DEV2NAME" stuck:"$DEV3NAME":"$DEV4NAME"; do
	IFS=: read -r name origin store <<<"$volume"
	mkfs.ext4 -q "$origin"
	z define volume "$name" "$origin" "$store" >/dev/null
	z define master "$name" -c minute,20 --at minutely
done
mkdir -p /etc/zumastor/hooks.d
cat >/etc/zumastor/hooks.d/hang <<-'END'
	#!/bin/sh
	[ "$ZUMASTOR_VOLUME $ZUMASTOR_HOOK" != 'stuck pre-freeze' ] || exec sleep 1000
END
chmod 0755 /etc/zumastor/hooks.d/hang
printf 'hook_timeout = 600\nlock_wait = 1\n' >>/etc/zumastor/zumastor.conf

of() {
	z list "$1" -H -o id | wc -l
}

# round AT DESC - at that second of the year.  One that takes longer than a minute is not waited for.
round() {
	date -u -s "2026-01-01 $1" >/dev/null
	zumastor run-due </dev/null &>>"$scratch/said" &
	local n
	for ((n = 0; n < 100; n++)); do
		[[ $(of good) != "$2" ]] || break
		sleep 0.1
	done
	is "$(of good)" "$2" "$3"
	is "$(of stuck)" 0 'the other one hangs'
}

round 00:00:02 1 'one has its snapshot'
# The first round is over when it has waited for a minute, wherever somebody sets the clock meanwhile.
date -u -s '2025-12-31 22:00:00' >/dev/null
wait "$!" || true
round 00:02:02 2 'and in the next round'
pkill -f '[s]leep 1000'
done_testing
