/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confine.h - a process that takes apart what another host has sent needs what it has open, memory and a second thread.
 *
 * All else is given up before: what an error in our decoder, or in libarchive, xz, zstd or lz4 could be made to do is to write
 * wrong things onto the one device that is to be written, which the digests and the snapshot before are for.
 */
#ifndef ZUMASTOR_CONFINE_H
#define ZUMASTOR_CONFINE_H

/*
 * confine - become nobody, with no way back, to no file and to no new descriptor.
 *
 * By user and group ids, capabilities and limits on every kernel; by Landlock (5.13) and seccomp, too, where it has them.
 * Nothing of it under AddressSanitizer, which looks at itself through /proc.
 * Returns 0 or -errno: then some may be given up already.
 */
int confine(void);

#endif
