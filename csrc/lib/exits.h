/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exits.h - the exit codes of every zumastor program, and how an errno becomes one.
 *
 * The same table is in zumastor(8); the shell's copy is share/lib/core.sh.
 */
#ifndef ZUMASTOR_EXITS_H
#define ZUMASTOR_EXITS_H

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_BUSY = 3,		/* locked or in use: retry later */
	EXIT_ABSENT = 4,	/* no such volume, snapshot, target or record */
	EXIT_UNSUPPORTED = 5,	/* this kernel lacks what is needed */
	EXIT_LOST = 6,		/* a snapshot's content can no longer be trusted */
	EXIT_CORRUPT = 7,	/* a stream, record or table is truncated or wrong */
};

/*
 * exit_code - the exit code for a negative errno returned by csrc/lib.
 */
int exit_code(int r);

/*
 * reason - text for a negative errno returned by csrc/lib.
 *
 * EBADMSG, ESTALE, ENODATA, ENOLINK and ETIMEDOUT carry a meaning of ours (a structure is wrong, a snapshot is lost,
 * the stream ends early, see live.h) that strerror() would hide.
 */
const char *reason(int r);

#endif
