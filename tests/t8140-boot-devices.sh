#!/bin/bash
# lab: --systemd --disk 48M --disk 20M --disk 20M --disk 20M --disk 8M --disk 8M --disk 8M --timeout 300
# Volumes on what comes up late in a boot by itself: LVM, md, crypt and loop devices; at shutdown they are stopped before those.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/boot.sh"

names=(lvm raid secret looped)
declare -A origin=([lvm]=/dev/vg/origin [raid]=/dev/md/raid [secret]=/dev/mapper/opened [looped]=/dev/loop7)
declare -A store=([lvm]=/dev/vg/spare [raid]=$DEV5NAME [secret]=$DEV6NAME [looped]=$DEV7NAME)
export LVM_SUPPRESS_FD_WARNINGS=1

make_lvm() {
	vgcreate -q vg "$DEV1NAME"
	lvcreate -q -W n -L 16M -n origin vg
	lvcreate -q -W n -L 16M -n spare vg
}

make_raid() {
	mdadm --create /dev/md/raid --run --level=1 --raid-devices=2 --metadata=1.2 --homehost=any \
		"$DEV2NAME" "$DEV3NAME"
	mkdir -p /persist/root/etc/mdadm
	mdadm --detail --scan >/persist/root/etc/mdadm/mdadm.conf
}

make_secret() {
	head -c 32 /dev/urandom >/persist/key
	chmod 600 /persist/key
	cryptsetup -q --type luks1 --pbkdf-force-iterations 1000 luksFormat "$DEV4NAME" /persist/key
	cryptsetup open --key-file /persist/key "$DEV4NAME" opened
	echo "opened UUID=$(blkid -o value -s UUID "$DEV4NAME") /persist/key luks" >/persist/root/etc/crypttab
}

# By a unit of the administrator's, as there is nobody else to do it.
make_looped() {
	truncate -s 16M /persist/looped
	cat >/etc/systemd/system/looped.service <<-END
		[Unit]
		After=local-fs.target
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=losetup /dev/loop7 /persist/looped
		[Install]
		WantedBy=multi-user.target
	END
	systemctl enable -q --now looped
}

set_up() {
	local name
	systemctl enable -q --now blk-availability
	systemctl enable -q --now zumastor
	make_lvm
	make_raid
	make_secret
	make_looped
	for name in "${names[@]}"; do
		mkfs.ext4 -q "${origin[$name]}"
		expect 0 "a volume on ${origin[$name]}" z define volume "$name" "${origin[$name]}" "${store[$name]}"
		echo "$name" >"/run/zumastor/volumes/$name/file"
		z snapshot "$name" >/dev/null
	done
}

# What the stop has left in each record, before the first start.
watch_records() {
	local dir=/etc/systemd/system/zumastor-volume@.service.d
	mkdir $dir
	cat >$dir/see.conf <<-'END'
		[Service]
		ExecStartPre=/bin/sh -c '[ -e /persist/record.%I ] || /usr/libexec/zumastor/store-show \
			"$$(cat /var/lib/zumastor/volumes/%I/store)" >/persist/record.%I'
	END
}

up() {
	mountpoint -q "/run/zumastor/volumes/$1"
}

if ((LAB_BOOT == 1)); then
	within 60 booted
	mkdir -p /persist/root/etc
	set_up
	watch_records
	go_down reboot
fi
come_up
for name in "${names[@]}"; do
	expect 0 "the volume on ${origin[$name]} comes up" within 60 up "$name"
	is "$(cat "/run/zumastor/volumes/$name/file")" "$name" 'with its content'
	is "$(z list "$name" -H | wc -l)" 1 'and its snapshot'
	like "$(<"/persist/record.$name")" origin_seen=stopped 'it had been stopped cleanly'
done
done_testing
