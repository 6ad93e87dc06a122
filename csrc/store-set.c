// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store-set - change what the record says of one snapshot.
 *
 *     store-set STORE ID kinds=KIND[,KIND…]
 *     store-set STORE ID holds=[TAG[,TAG…]]
 *
 * Exit 0: the change is on disk.  4: no record or no such snapshot; 7: the record is damaged; 1, 2.
 * The caller holds the volume's lock.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "exits.h"
#include "io.h"
#include "record.h"

/* The field of @snap that @fact is about, and in *@value what it is to be; NULL for a fact that is none. */
static char *field(struct snapshot *snap, const char *fact, const char **value)
{
	*value = fact + strlen("kinds=");
	if (strncmp(fact, "kinds=", strlen("kinds=")) == 0 && is_kinds(*value))
		return snap->kinds;
	if (strncmp(fact, "holds=", strlen("holds=")) == 0 && (!**value || is_kinds(*value)))
		return snap->holds;
	return NULL;
}

static int set_fact(int fd, struct record *rec, uint64_t id, const char *fact)
{
	struct snapshot *snap;
	const char *value;
	char *old;
	int r = record_load(fd, rec);

	if (r < 0)
		return r;
	snap = record_find(rec, id);
	if (!snap)
		return -ENOENT;
	old = field(snap, fact, &value);
	strcpy(old, value);
	return record_commit(fd, rec);
}

int main(int argc, char **argv)
{
	static struct record rec;
	const char *value;
	uint64_t id;
	int fd, r;

	if (argc != 4)
		errx(EXIT_USAGE, "usage: store-set STORE ID kinds=KIND[,KIND...]|holds=[TAG[,TAG...]]");
	if (num_u64(argv[2], UINT32_MAX, &id) < 0 || !field(&rec.snapshot[0], argv[3], &value))
		errx(EXIT_USAGE, "not an id and kinds or holds: '%s' '%s'", argv[2], argv[3]);
	fd = io_open(argv[1], O_RDWR);
	if (fd < 0)
		errx(EXIT_FAILED, "cannot open '%s': %s", argv[1], reason(fd));
	r = io_close_synced(fd, set_fact(fd, &rec, id, argv[3]));
	if (r < 0)
		errx(exit_code(r), "cannot change snapshot '%s' on '%s': %s", argv[2], argv[1],
		     reason(r));
	return EXIT_DONE;
}
