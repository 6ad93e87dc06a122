# nfs.sh - for tests with a NFS server on a lab host.   Source it after lib.sh; also on another host, without.
# shellcheck shell=bash

# nfs_start [ARG...] - the server, for the exports that exportfs ARG... makes.
nfs_start() {
	local file=/proc/fs/nfsd
	modprobe nfsd
	mountpoint -q $file || mount -t nfsd nfsd $file
	mkdir -p /var/lib/nfs/v4recovery
	touch /var/lib/nfs/etab /var/lib/nfs/rmtab
	echo 10 >$file/nfsv4gracetime
	pgrep -x rpcbind >/dev/null || rpcbind -w
	exportfs "$@"
	rpc.mountd
	rpc.nfsd 4
	{ echo Y >$file/v4_end_grace; } 2>/dev/null || true	# it may have seen that there is nobody to wait for
}

# nfs_root - what a version 4 client finds at /: the kernel cannot export the lab's own root, an overlay, on the way to a volume.
nfs_root() {
	echo '/run *(ro,fsid=0,no_subtree_check,no_root_squash)' >/etc/exports
}

nfs_stop() {
	rpc.nfsd 0
	pkill -x rpc.mountd
	exportfs -au
}
