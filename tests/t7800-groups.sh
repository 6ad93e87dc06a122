#!/bin/bash
# lab: --disk 16M --disk 32M --disk 16M --disk 32M --timeout 600
# A group gets its snapshots at one instant, all or none; what cannot be in one is refused and nothing changes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
files=/var/run/zumastor/volumes

for volume in web:"$DEV1NAME":"$DEV2NAME" db:"$DEV3NAME":"$DEV4NAME"; do
	IFS=: read -r name origin store <<<"$volume"
	mkfs.ext4 -q "$origin"
	z define volume "$name" "$origin" "$store" >/dev/null
	z define master "$name" -h 1
done

before=$(world)
refused 1 "collides with a volume" define group web db
is "$(world)" "$before" 'the refusal changed nothing'

expect 0 'define group' z define group shop web db
is "$(z list --groups)" shop 'it is listed'
is "$(z list)" $'db\nweb' 'not among the volumes'
like "$(z status)" $'GROUP +VOLUMES +NOTE\nshop +db web' 'status shows it'
is "$(z status --json | jq -c .groups)" '[{"name":"shop","cut":false,"volumes":["db","web"]}]' 'to programs, too'
refused 1 'is already defined' define group shop web
refused 1 'collides with a group' define volume shop /dev/null /dev/zero
refused 3 "is in group 'shop'" forget volume web
refused 4 "keeps no daily snapshots" snapshot shop daily

# Orders are in the database before they are on the web.
perl -e 'use Fcntl; use IO::Handle; $| = 1;
	for ("db", "web") { open($f{$_}, ">", "'"$files"'/$_/orders") or die }
	for ($n = 1; ; $n++) { for ("db", "web") {
		sysseek($f{$_}, 0, 0); syswrite($f{$_}, sprintf("%-20d", $n)); $f{$_}->sync }
		select(undef, undef, undef, 0.02) }' &
writer=$!
times=(1)
[[ -z ${ZUMASTOR_LONG-} ]] || times=(1 2 3)
for n in "${times[@]}"; do
	expect 0 "snapshot $n" z snapshot shop hourly
	cut -f 1 "$out" | xargs >"$scratch/members"
	is "$(<"$scratch/members")" 'db web' 'both are told'
	is "$(cut -f 3 "$out" | cut -c 1-18 | sort -u | wc -l)" 1 'their uuids begin alike'
	is "$(cut -f 4 "$out" | sort -u | wc -l)" 1 'their time is the same'
	db=$(tr -d ' \0' <"$files/db-snapshots/hourly.0/orders") web=$(tr -d ' \0' <"$files/web-snapshots/hourly.0/orders")
	is "$((db == web || db == web + 1))" 1 "they show one instant: $db, $web"
done
kill "$writer"
wait "$writer" || true
is "$(z list db -H | wc -l) $(z list web -H | wc -l)" '1 1' 'each rotates by its own schedule'

# The shell is gone, and the machine had come half-way: one has it, the other has not.
instant=77777777-1111-4222-8333-444444444444
/usr/libexec/zumastor/dm-snapshot --uuid "$instant" db "$DEV4NAME" >/dev/null
printf '%s\n' 77777777-1111-4222-9999-999999999999 >"$database/groups/shop/taking"
like "$(z status)" 'shop +db web +a snapshot was cut off' 'status says so'
expect 0 'start mends it' z start volume db
like "$(<"$err")" "snapshot [0-9]+ of 'db' is removed" 'and says how'
is "$(z list db -H -o uuid | grep -c "$instant" || true)" 0 'none has it'
is "$(compgen -G "$database/groups/shop/taking")" '' 'nothing is left to mend'

# state STORE - of the newest snapshot.
state() {
	/usr/libexec/zumastor/store-show "$1" | sed -n 's/^snapshot=.* state=\([a-z]*\) .*/\1/p' | tail -n 1
}
# Killed when all have it, but the record of one does not say so yet.
for ((step = 22; step < 60; step++)); do
	instant=$(</proc/sys/kernel/random/uuid)
	{ ZUMASTOR_FAULT=kill:$step /usr/libexec/zumastor/dm-snapshot --uuid "${instant:0:34}01" --uuid "${instant:0:34}02" \
		db "$DEV4NAME" web "$DEV2NAME"; } &>/dev/null && break
	while [[ $(dmsetup info -c --noheadings -o suspended) == *Suspended* ]]; do sleep 0.05; done
	[[ $(state "$DEV4NAME") != live || $(state "$DEV2NAME") != pending ]] || break
done
is "$(state "$DEV4NAME") $(state "$DEV2NAME")" 'live pending' "killed at step $step"
printf '%s\n' "$instant" >"$database/groups/shop/taking"
expect 0 'the next snapshot finds that all have it' z snapshot shop
is "$(for name in db web; do z list "$name" -H -o uuid; done | grep -c "^${instant:0:34}")" 2 'they stay'

# One that is on a clone of the other, in the same pool.
if [[ -n ${ZUMASTOR_LONG-} ]]; then
	z clone db "$(z list db -H -o id | tail -n 1)" copy >/dev/null
	expect 0 'a volume on a clone' z define volume copy --clone db/copy
	expect 0 'in a group with what it is a clone of' z define group family db copy
	for n in 1 2; do
		echo "$n" | tee "$files/db/orders" >"$files/copy/orders"
		expect 0 "its snapshot $n" z snapshot family
		echo later | tee "$files/db/orders" >"$files/copy/orders"
		time=$(cut -f 4 "$out" | sort -u)
		is "$(cat "$files"/{db,copy}-snapshots/"$time"/orders | xargs)" "$n $n" 'both are right'
	done
	z forget group family
fi

expect 0 'stop one' z stop volume web
before=$(world)
refused 1 "volume 'web' is stopped" snapshot shop
[[ -z ${ZUMASTOR_LONG-} ]] || refused 1 "volume 'web' is stopped" define group other web
is "$(world)" "$before" 'the refusals changed nothing'
z define source web host2 -y
[[ -z ${ZUMASTOR_LONG-} ]] || refused 1 "volume 'web' is a replica" snapshot shop
refused 1 "volume 'web' is a replica" define group other db web
expect 0 'forget group' z forget group shop
expect 0 'its volumes are not bound any more' z forget volume web
done_testing
