// SPDX-License-Identifier: GPL-2.0-or-later
/* exits.c - see exits.h. */
#include <errno.h>
#include <string.h>

#include "exits.h"

int exit_code(int r)
{
	switch (-r) {
	case 0:
		return EXIT_DONE;
	case EBUSY:
	case EAGAIN:
	case ENOLINK:
		return EXIT_BUSY;
	case ENOENT:
	case ENXIO:
		return EXIT_ABSENT;
	case EOPNOTSUPP:
		return EXIT_UNSUPPORTED;
	case ESTALE:
		return EXIT_LOST;
	case EBADMSG:
	case ENODATA:
		return EXIT_CORRUPT;
	default:
		return EXIT_FAILED;
	}
}

const char *reason(int r)
{
	switch (-r) {
	case EBADMSG:
		return "its content is not valid";
	case ENODATA:
		return "it ends early";
	case ESTALE:
		return "the snapshot is lost";
	case EMLINK:
		return "it has as many as its record can hold";
	case ENOLINK:
		return "the device that was put on it is not on it any more; stop it";
	case ETIMEDOUT:
		return "the other side was silent for too long";
	default:
		return strerror(-r);
	}
}
