#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# While snapshots arrive at a replica, its readers, here and by NFS on another host, miss no file, see no mixed state, and
# hold no device that they do not read.
# shellcheck disable=SC2016,SC2153 # expanded over there; the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"
. "$(dirname "$0")/nfs.sh"
libexec=/usr/libexec/zumastor
count=$(long_or 100 30)

# Reads all files over and over, until it sees the generation in the file "stop" beside its report: all of DIR at once, or
# path by path, which may go on to a newer one in between.  Every file says the generation that all have, many times over.
cat >"$scratch/reader" <<'END_READER'
#!/usr/bin/python3
import os, sys, time
how, where, report = sys.argv[1:4]
held = os.open(where + '/held', os.O_RDONLY)
passes = wrong = newest = 0
seen, faults = {}, []

def generation(data):
    words = data.split()
    if len(words) < 3000 or len(set(words)) != 1:
        faults.append('not whole: %s' % set(words[:99]))
        return -1
    return int(words[0])

first = generation(os.pread(held, 1 << 20, 0))
states, last = set(), None
while last is None or states != {last}:
    if os.path.exists(report + '.stop'):
        last = int(open(report + '.stop').read())
    try:
        dir = os.open(where, os.O_RDONLY)
        states = set()
        for name in ('a', 'b', 'c', 'sub/d', 'held'):
            if how == 'local':
                file = os.open(name, os.O_RDONLY, dir_fd=dir)
            else:
                file = os.open(where + '/' + name, os.O_RDONLY)
            state = generation(os.read(file, 1 << 20))
            os.close(file)
            if state < seen.get(name, 0):
                faults.append('%s: %d after %d' % (name, state, seen[name]))
            seen[name] = state
            states.add(state)
        if how == 'local' and len(states) != 1:
            faults.append('mixed: %s' % states)
        os.close(dir)
        state = generation(os.pread(held, 1 << 20, 0))
        if how == 'local' and state != first:
            faults.append('held: %d, was %d' % (state, first))
    except OSError as error:
        faults.append(str(error))
    passes += 1
    time.sleep(0.1)		# the host has one processor
    if passes == 1:
        open(report + '.begun', 'w').close()
for fault in faults[:9]:
    print(fault)
print('%d passes, %d faults, newest %d' % (passes, len(faults), min(seen.values())), flush=True)
open(report + '.ended', 'w').close()
END_READER
chmod +x "$scratch/reader"

# next_state - the files of generation $n, and a file that only every other one has.
next_state() {
	local file
	printf "$n\n%.0s" {1..7000} >"$scratch/state"
	for file in a b c sub/d held; do
		cp "$scratch/state" "/mnt/new/$file"
	done
	if ((n % 2)); then cp "$scratch/state" /mnt/new/odd; else rm -f /mnt/new/odd; fi
	sync -f /mnt/new
}

# The end of zumastor-receive-stream, without the ssh and the delta before it.
cat >"$scratch/flip" <<'END_FLIP'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin ZUMASTOR_LIBEXEC=/usr/libexec/zumastor ZUMASTOR_LIB=/usr/share/zumastor/lib
export ZUMASTOR_STATE=/var/lib/zumastor ZUMASTOR_RUN=/run/zumastor ZUMASTOR_CONF=/etc/zumastor
for lib in core check config state lock volume snap mount nfs samba share flip replica; do
	. "$ZUMASTOR_LIB/$lib.sh"
done
volume_open home
helper dm-snapshot --kinds hourly home "$store" >/dev/null
snap_load
snap_newest
new=$REPLY
snap_show "$new"
replica_flip "$new"
# The one before goes, unless a reader has it open.
"$ZUMASTOR_LIBEXEC/dm-hide" home "$store" "${snap_ids[@]: -2:1}" 2>/dev/null || true
END_FLIP

flip() {
	bash "$scratch/flip"
}

# As root of all, for the kernel cannot export the lab's own root, an overlay, on the way to it.
nfs_serve() {
	nfs_start -i -o ro,no_root_squash,no_subtree_check,fsid=0 "*:$files"
}

mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define source home host2 --yes
mkdir /mnt/new
mount /dev/mapper/home /mnt/new
mkdir /mnt/new/sub
n=1
next_state
expect 0 'the first snapshot' flip
is "$(findmnt -rn -o OPTIONS "$files" | grep -c '^ro,nosuid,nodev')" 1 'is shown'
expect 0 'a NFS server' nfs_serve
((tap_failed == 0)) || exit 1
expect 0 'and a client' timeout 60 ssh -n host2 "mkdir -p /mnt/v4 /mnt/v3 && mount -t nfs -o vers=4.2,actimeo=1 host1:/ /mnt/v4 &&
	mount -t nfs -o vers=3,nolock host1:$files /mnt/v3"
((tap_failed == 0)) || exit 1
scp -q "$scratch/reader" host2:/run/reader
"$scratch/reader" local "$files" "$scratch/here" >"$scratch/here.out" &
ssh -n host2 '/run/reader nfs /mnt/v4 /run/v4 >/run/v4.out 2>&1 & /run/reader nfs /mnt/v3 /run/v3 >/run/v3.out 2>&1 &
	sleep 10000 </mnt/v4/odd >/dev/null 2>&1 & echo $! >/run/holder
	for n in $(seq 600); do [ ! -e /run/v4.begun ] || [ ! -e /run/v3.begun ] || exit 0; sleep 0.1; done; exit 1'
until [[ -e $scratch/here.begun || -z $(jobs -r) ]]; do sleep 0.1; done

for ((; n <= count; )); do
	n=$((n + 1))
	next_state
	flip || break
done
is "$n" "$((count + 1))" "$count flips"
echo "$n" >"$scratch/stop"
cp "$scratch/stop" "$scratch/here.new"
mv "$scratch/here.new" "$scratch/here.stop"
ssh host2 'cat >/run/stop; for v in v4 v3; do cp /run/stop /run/$v.new; mv /run/$v.new /run/$v.stop; done
	for n in $(seq 900); do [ ! -e /run/v4.ended ] || [ ! -e /run/v3.ended ] || exit 0; sleep 0.1; done; exit 1' \
	<"$scratch/stop" || fail 'readers there see the newest'
wait
for reader in here v4 v3; do
	[[ $reader == here ]] || ssh -n host2 "cat /run/$reader.out" >"$scratch/$reader.out"
	diag "$reader: $(<"$scratch/$reader.out")"
	like "$(<"$scratch/$reader.out")" "^[1-9][0-9]* passes, 0 faults, newest $n\$" "reader $reader has seen all"
done
is "$(grep -c " $files " /proc/self/mountinfo)" 1 'one mount is left'
is "$(ls -A /run/zumastor/jobs)" '' 'and nothing else'

# Devices: of all old ones only that of a reader is in use.
mapfile -t ids < <("$libexec/store-show" "$DEV2NAME" | sed -n 's/^snapshot=\([0-9]*\) .*/\1/p')
exec 7<"$files/a"
n=$((n + 1))
next_state
expect 0 'one more' flip
expect 3 'the snapshot that is still read is in use' "$libexec/dm-hide" home "$DEV2NAME" "${ids[-1]}"
is "$(sort -u <&7)" "$((n - 1))" 'and can be read'
exec 7<&-
expect 0 'when its last reader is gone, no old one is' "$libexec/dm-hide" home "$DEV2NAME" "${ids[@]}"
expect 0 'the client goes' ssh -n host2 'kill $(cat /run/holder); until umount /mnt/v4; do sleep 0.1; done; umount /mnt/v3'
done_testing
