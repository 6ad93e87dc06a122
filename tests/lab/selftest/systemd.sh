#!/bin/bash
# A real systemd as process 1, with a udevd; a clean shutdown, and what survives it.
. "$(dirname "$0")/lib.sh"

expect 3 --systemd --disk 8M <<'END'
systemctl is-system-running --wait
if ((LAB_BOOT == 1)); then
	systemd-detect-virt --container || :
	udevadm info --query=property --property=SUBSYSTEM "$DEV1NAME"
	mkdir -p /persist/root/etc
	echo 'tmpfs /mnt tmpfs defaults 0 0' >/persist/root/etc/fstab
	cat >/etc/systemd/system/note.service <<-UNIT
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=true
		ExecStop=sh -c 'echo stopped cleanly >/persist/note'
		[Install]
		WantedBy=multi-user.target
	UNIT
	systemctl enable -q --now note
	sync
	lab reboot
	echo never
fi
cat /persist/note
findmnt -n -o FSTYPE /mnt
systemctl is-active note
exit 3
END
expect_lines out running none 'SUBSYSTEM=block' running 'stopped cleanly' tmpfs active
