#!/bin/bash
# lab: --systemd --disk 32M --disk 32M --disk 32M --disk 32M --timeout 300
# A real systemd starts volumes when their devices are there, waits for none that is not, mounts what fstab has of them, and at
# shutdown stops them after what uses them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/boot.sh"

# late_device NAME DISK - a disk that only now appears.
late_device() {
	dmsetup create "$1" --table "0 $(blockdev --getsz "$2") linear $2 0"
}

write_fstab() {
	mkdir -p /persist/root/etc /persist/root/{data,late} /data
	cat >/persist/root/etc/fstab <<-END
		/dev/zumastor/home/origin /data ext4 defaults 0 2
		/dev/mapper/big-late /late ext4 nofail,x-systemd.device-timeout=2s 0 2
	END
	cp /persist/root/etc/fstab /etc
	systemctl daemon-reload
	systemctl start data.mount
}

# What the last stop, or the lack of one, has left in the record, before any start.
watch_record() {
	cat >/etc/systemd/system/see-record.service <<-END
		[Unit]
		DefaultDependencies=no
		Before=zumastor.service
		[Service]
		Type=oneshot
		ExecStart=sh -c '/usr/libexec/zumastor/store-show $DEV2NAME | grep origin_seen >/persist/record'
		[Install]
		WantedBy=sysinit.target
	END
	systemctl enable -q see-record
}

set_up() {
	systemctl is-system-running --wait >/dev/null
	expect 0 'one line to set it up' systemctl enable --now zumastor
	expect 0 'timer and monitor run' systemctl is-active zumastor.service zumastor-run-due.timer zumastor-monitor.service
	late_device slow "$DEV3NAME"
	late_device slow-store "$DEV4NAME"
	mkfs.ext4 -q "$DEV1NAME"
	mkfs.ext4 -q /dev/mapper/slow
	z define volume home "$DEV1NAME" "$DEV2NAME"
	z define volume big-late /dev/mapper/slow /dev/mapper/slow-store
	z define master home -h 5
	echo old >/run/zumastor/volumes/home/file
	z snapshot home hourly
	echo new >/run/zumastor/volumes/home/file
	z clone home hourly.0 trial
	z define volume copy --clone home/trial
	expect 0 'a volume defined by and by is known' systemctl is-active 'blockdev@dev-mapper-big\x2dlate.target'
	write_fstab
	watch_record
	systemctl enable -q --now nfs-server
	systemd-run -q -u user -p WorkingDirectory=/run/zumastor/volumes/home sleep 1000
	keep_journal
}

check_shutdown() {
	like "$(</persist/record)" stopped 'a clean shutdown stops the volume'
	is "$(dmesg | grep -c 'recovery complete')" 0 'its file systems were unmounted before'
	less "$(line 'Unmounted data.mount')" "$(line 'Stopping zumastor.service')" 'in this order'
	less "$(line 'Stopped nfs-server.service')" "$(line 'Stopping zumastor.service')" 'as the NFS server was stopped'
}

check_boot() {
	expect 0 'the boot ends' within 60 booted
	is "$(findmnt -n -o SOURCE /data)" /dev/mapper/home 'what fstab has is mounted'
	is "$(</data/file)" new 'the volume has its content'
	is "$(cat /run/zumastor/volumes/home-snapshots/hourly.0/file)" old 'its snapshot, too'
	expect 0 'the volume on its clone runs' z status copy
	like "$(<"$out")" 'running' 'after it'
	less "$(moment zumastor-mount@home InactiveEnter)" "$(moment nfs-server InactiveExit)" \
		'the NFS server starts when all is mounted'
	less "$(moment zumastor-mount@home InactiveEnter)" "$(moment sysinit.target ActiveEnter)" 'and so do all services'
	is "$(moment zumastor-volume@copy InactiveExit | wc -l)" 1 'the volume on the clone is started'
}

check_late() {
	is "$(moment 'zumastor-volume@big\x2dlate' InactiveExit)" '' 'a volume without its devices is left alone'
	is "$(systemctl list-units --failed --plain --no-legend '*zumastor*')" '' 'which is no failure'
	expect 0 'nothing is waited for any more' within 60 systemctl --quiet is-system-running
	late_device slow "$DEV3NAME"
	udevadm settle
	is "$(dmsetup info -c --noheadings -o name big-late 2>/dev/null)" '' 'one device is not enough'
	late_device slow-store "$DEV4NAME"
	expect 0 'with both, it is started, and mounted where fstab says' within 60 mountpoint -q /late
	expect 0 'and by ourselves' within 60 mountpoint -q /run/zumastor/volumes/big-late
}

case $LAB_BOOT in
1)
	set_up
	go_down reboot
	;;
2)
	come_up
	check_boot
	check_shutdown
	check_late
	sync
	go_down restart-self
	;;
esac
come_up
expect 0 'the boot after a crash ends' within 60 booted
like "$(</persist/record)" running 'which was none of a clean stop'
is "$(</data/file)" new 'the volume is there'
is "$(cat /run/zumastor/volumes/home-snapshots/hourly.0/file)" old 'and its snapshot'
done_testing
