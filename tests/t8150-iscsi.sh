#!/bin/bash
# lab: --systemd --hosts 2 --disk 32M --disk 16M --disk 32M --disk 16M --timeout 300
# A volume on an iSCSI disk of another host starts when that is there, and is stopped before it goes; a local one does not wait.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/boot.sh"

target=iqn.2026-11.lab:disk
disk=/dev/disk/by-path/ip-10.77.0.2:3260-iscsi-$target-lun-1

serve_disk() {
	ssh host2 bash -es "$target" "$DEV1NAME" <<-'END'
		systemd-run -q -u tgtd tgtd -f
		until tgtadm --lld iscsi --op show --mode sys &>/dev/null; do sleep 0.2; done
		tgtadm --lld iscsi --op new --mode target --tid 1 -T "$1"
		tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b "$2"
		tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
	END
}

attach_disk() {
	# It sometimes does not end by itself.
	mkdir /etc/systemd/system/iscsid.service.d
	printf '[Service]\nTimeoutStopSec=3\n' >/etc/systemd/system/iscsid.service.d/end.conf
	modprobe -a iscsi_tcp sd_mod
	printf 'InitiatorName=iqn.2026-11.lab:host1\n' >/etc/iscsi/initiatorname.iscsi
	systemctl enable -q --now iscsid
	iscsiadm -m discovery -t sendtargets -p 10.77.0.2
	iscsiadm -m node -o update -n node.startup -v automatic
	systemctl enable -q --now open-iscsi
	within 60 test -b $disk
	mkdir -p /persist/root/etc /persist/root/far
	cp -a /etc/iscsi /persist/root/etc
}

# What the stop has left in the record on its local store, before the first start.
watch_record() {
	local dir=/etc/systemd/system/zumastor-volume@far.service.d
	mkdir $dir
	cat >$dir/see.conf <<-END
		[Service]
		ExecStartPre=/bin/sh -c '[ -e /persist/record ] || /usr/libexec/zumastor/store-show $DEV4NAME >/persist/record'
	END
}

if ((LAB_BOOT == 1)); then
	within 60 booted
	systemctl enable -q --now zumastor
	serve_disk
	attach_disk
	mkfs.ext4 -q $disk
	mkfs.ext4 -q "$DEV1NAME"
	expect 0 'a volume on an iSCSI disk' z define volume far $disk "$DEV4NAME"
	expect 0 'and a local one' z define volume near "$DEV1NAME" "$DEV2NAME"
	echo 'over there' >/run/zumastor/volumes/far/file
	z snapshot far >/dev/null
	expect 0 'the first is stopped by a unit of its own' within 60 systemctl --quiet is-active zumastor-remote@far
	expect 3 'the second is not' systemctl is-active zumastor-remote@near
	echo '/dev/mapper/far /far ext4 _netdev,nofail 0 0' >/persist/root/etc/fstab
	watch_record
	keep_journal
	go_down reboot
fi
come_up
expect 0 'booted' within 60 booted
expect 0 'the local volume is up' within 60 mountpoint -q /run/zumastor/volumes/near
expect 0 'and so is the one on the iSCSI disk' within 60 mountpoint -q /run/zumastor/volumes/far
is "$(cat /run/zumastor/volumes/far/file)" 'over there' 'with its content'
expect 0 'also where fstab says' within 60 mountpoint -q /far
like "$(</persist/record)" origin_seen=stopped 'it had been stopped cleanly'
less "$(line 'Stopped zumastor-remote@far.service')" "$(line 'Stopping open-iscsi.service')" 'before its disk went'
done_testing
