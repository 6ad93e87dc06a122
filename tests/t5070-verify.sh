#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# A snapshot is compared on both hosts, from disk: what differs is found, and nothing else; it is sent again when that is
# wanted, and nothing else; a verify that is killed goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

# far_damage OFFSET COUNT - that many bytes of the replica's disk are others.
far_damage() {
	far_sh "head -c $2 /dev/urandom | dd of=$DEV1NAME bs=64K oflag=seek_bytes seek=$1 conv=notrunc,fsync status=none
		echo 1 >/proc/sys/vm/drop_caches"
}

# far_state - all that readers and commands see there, but for what verify says of itself.
far_state() {
	far_tree
	far zumastor list home -o id,uuid,kinds
}

# The content of the newest snapshot, which nobody mounts.
# shellcheck disable=SC2016 # expanded over there
newest_script='id=$(zumastor list home -H -o id | tail -n 1)
	/usr/libexec/zumastor/dm-show home '$DEV2NAME' $id >/dev/null
	dd if=/dev/zumastor/home/$id bs=1M iflag=direct status=none | md5sum'

newest_hash() {
	sh -c "$newest_script"
}

pair_make
mb=1048576
# Where the filesystem has nothing.
dd if=/dev/urandom of=/dev/mapper/home bs=1M seek=20 count=2 oflag=direct conv=notrunc status=none
z snapshot home hourly >/dev/null
refused=0
z verify home host2 >"$out" 2>"$err" || refused=$?
is "$refused $(<"$err")" "4 zumastor verify: 'host2' holds no snapshot that 'home' has, too" 'nothing there yet'
z replicate home -q
before=$(far_state)

expect 0 'equal' z verify home host2
is "$(<"$out")" "host2: snapshot 1 of 'home': 32M compared, all equal" 'says so'
like "$(z status home)" 'host2 +1 +0 .* verified [0-9]+s ago' 'status has it'

# One byte, and two ranges that touch; nobody has noticed.
far_damage $((20 * mb + 100)) 1
far_damage $((21 * mb + 65530)) 12
expect 7 'different' z verify home host2
is "$(head -n 2 "$out")" "$((20 * mb)) 65536"$'\n'"$((21 * mb)) 131072" 'exactly there'
is "$(tail -n 1 "$out")" "host2: snapshot 1 of 'home': 32M compared, 192K differ in 2 ranges; which side is right is not known" \
	'and does not tell who is right'
expect 7 'for programs' z verify home host2 --json --snap 1
is "$(jq -r '"\(.differing_bytes) \(.repaired) \(.ranges[1].offset) \(.ranges[1].length)"' "$out")" \
	"196608 false $((21 * mb)) 131072" 'the same'
like "$(z status home)" 'host2 +1 +0 .* 192K differ, verified [0-9]+s ago' 'status has it'
is "$(far_state)" "$before" 'nothing has changed there'

# Cut in the middle of what is sent again; the next replication does it.
far_damage $((20 * mb)) $((2 * mb))
ZUMASTOR_SSH=$(broken_ssh 1500000) expect 7 'a repair that is cut' z verify home host2 --repair
expect 0 'the next replication' z replicate home
like "$(<"$out")" "snapshot 2 of 'home' on base 1: .*, from byte [0-9]+ on" 'goes on'
expect 0 'all is right' z verify home host2
is "$(newest_hash)" "$(far_sh "$newest_script")" 'also to others'
is "$(far zumastor list home -H -o id,kinds | head -n 1)" $'1\thourly,damaged' 'the old one says what it is'
like "$(far zumastor status)" 'home +source +1 snapshots damaged' 'loudly'

# shellcheck disable=SC2016 # expanded by that shell
printf '#!/bin/sh\ntee -a %s/sent | ssh "$@"\n' "$scratch" >"$scratch/ssh"
far_damage $((20 * mb + 65536)) 65536
ZUMASTOR_SSH=$scratch/ssh expect 0 'repair' z verify home host2 --repair
like "$(tail -n 1 "$out")" '64K differ in 1 range; sent again, and snapshot 2 there is marked damaged$' 'says so'
sent=$(stat -c %s "$scratch/sent")
is "$((sent > 65536 && sent < 90000))" 1 "sent that and nothing else: $sent bytes"
like "$(z status home)" 'host2 +3 +0 .* 64K differed, repaired, verified' 'status has it'
is "$(newest_hash)" "$(far_sh "$newest_script")" 'all is right'
is "$(far zumastor list home -H -o kinds)" $'hourly,damaged\nexpired,damaged\nexpired' 'the old ones stay'

# What was found before it was killed is not read again: not even that it is as it should be.
far_sh "dd if=$DEV1NAME of=/run/good bs=64K skip=32 count=1 status=none"
far_damage $((2 * mb + 7)) 1
zumastor verify home host2 --rate 4M </dev/null &>/dev/null &
pid=$!
log=/var/lib/zumastor/volumes/home/targets/host2/verify
for ((i = 0; i < 300; i++)); do
	grep -q ^end "$log" || ! grep -q ^at "$log" || break
	sleep 0.1
done
kill -9 "$pid"
wait "$pid" || true
far_sh "dd if=/run/good of=$DEV1NAME bs=64K seek=32 conv=notrunc,fsync status=none"
for ((i = 0; i < 100; i++)); do
	flock -n /run/zumastor/lock/home:verify:host2 true && break
	sleep 0.1
done
expect 7 'killed' z verify home host2
is "$(head -n 1 "$out")" "$((2 * mb)) 65536" 'goes on'
expect 0 'from the beginning' z verify home host2 --restart
pair_change 100
z snapshot home hourly >/dev/null
z replicate home -q
expect 0 'the next one' z verify home host2
like "$(<"$out")" "snapshot 4 of 'home': 32M compared, all equal" 'begins anew'

# A peer does what it may.
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/peer
scp -q /root/.ssh/peer.pub host2:/run/peer.pub
printf '#!/bin/sh\nexec ssh -F none -i /root/.ssh/peer -o IdentitiesOnly=yes "$@"\n' >"$scratch/ssh"
far zumastor peer add host1 --key /run/peer.pub --volume home >/dev/null
export ZUMASTOR_SSH=$scratch/ssh
expect 1 'a peer that may only send' z verify home host2
like "$(<"$err")" "'host2' refuses volume 'home': this peer may not hash 'home'" 'is told'
far zumastor peer add host1 --verb receive,hash >/dev/null
expect 0 'one that may' z verify home host2 --snap 3
far zumastor remove home 1 2 --force >/dev/null
is "$(far zumastor status | grep -c damaged || true)" 0 'who removes what was damaged has nothing damaged'
expect 4 'one that is gone there' z verify home host2 --snap 1
done_testing
