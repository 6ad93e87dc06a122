#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 300
# While deltas arrive at a replica, whoever reads a snapshot in its .snapshot, there or by NFS from here, misses nothing.
# shellcheck disable=SC2016,SC2153 # expanded over there; the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

# Reads a snapshot's file over and over, until there is a file "stop": by its path, and by a directory that stays open.
cat >"$scratch/reader" <<'END_READER'
#!/usr/bin/python3
import os, sys, time
dot, name, stop = sys.argv[1:4]
held = os.open(dot + '/' + name, os.O_RDONLY)
passes, faults = 0, []
while not os.path.exists(stop):
    try:
        if name not in os.listdir(dot):
            faults.append('not in ' + dot)
        for text in (open(dot + '/' + name + '/state').read(),
                     open(os.open('state', os.O_RDONLY, dir_fd=held)).read()):
            if text != '1\n':
                faults.append('says ' + text)
    except OSError as error:
        faults.append(str(error))
    passes += 1
    time.sleep(0.02)		# the host has one processor
for fault in faults[:5]:
    print(fault)
print('%s passes, %d faults' % ('many' if passes > 20 else passes, len(faults)))
END_READER
chmod +x "$scratch/reader"

n=0
mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home -h 24 -s
z define target home host2
far zumastor define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
expect 0 'a replica that is exported' far zumastor define source home host1 -es --export-to host1 --export-options ro,no_root_squash
scp -q "$(dirname "$0")/nfs.sh" "$scratch/reader" host2:/run/
expect 0 'a server' far bash -ec '. /run/nfs.sh; nfs_root; nfs_start -r'
pair_next
first=$(far zumastor list home -H -o time)
mkdir -p /mnt/v3 /mnt/v4
expect 0 'a client' timeout 60 mount -t nfs -o vers=4.2,actimeo=1 host2:/zumastor/volumes/home /mnt/v4
expect 0 'of each version' timeout 60 mount -t nfs -o vers=3,nolock,actimeo=1 host2:$files /mnt/v3
far_sh "/run/reader $files/.snapshot $first /run/stop" >"$scratch/there.out" &
for v in 3 4; do
	"$scratch/reader" /mnt/v$v/.snapshot "$first" /run/stop >"$scratch/v$v.out" &
done
for _ in 1 2 3 4 5 6; do
	pair_next
done
expect 0 'promote' far zumastor promote home
touch /run/stop
far touch /run/stop
wait
for reader in there v3 v4; do
	is "$(<"$scratch/$reader.out")" 'many passes, 0 faults' "reader $reader"
done
is "$(far ls $files/.snapshot | grep -c '^2')" 7 'all are there'
is "$(far grep -c ' /run/zumastor/jobs/' /proc/self/mountinfo)" 0 'and nothing else is left'
umount /mnt/v3 /mnt/v4
expect 0 'stop' far zumastor stop volume home
done_testing
