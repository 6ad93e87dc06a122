#!/bin/bash
# A host is killed at once, and boots again with what its disks hold and nothing else.
. "$(dirname "$0")/lib.sh"

expect 0 --hosts 2 <<'END'
ssh host2 "echo data | dd of=$DEV2NAME conv=fsync status=none
	for dir in /var/lib/zumastor /etc/zumastor /persist /tmp; do echo kept >\$dir/file; done
	echo kept >>/root/.ssh/config; sync; lab log \$LAB_BOOT"
lab kill 2
! ssh -o ConnectTimeout=2 host2 true 2>/dev/null
lab restart 2
ssh host2 "head -c 5 $DEV2NAME
	cat /var/lib/zumastor/file /etc/zumastor/file /persist/file /root/.ssh/config
	[[ ! -e /tmp/file ]]; lab log \$LAB_BOOT"
lab restart 2
ssh host2 'echo $LAB_BOOT'
END
expect_lines out data kept kept kept kept 3
expect_lines err 'lab: 1' 'lab: 2'
