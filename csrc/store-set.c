// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store-set - change what the record says of one snapshot, or the volume's name.
 *
 *     store-set STORE ID kinds=KIND[,KIND…]
 *     store-set STORE ID holds=[TAG[,TAG…]]
 *     store-set STORE name=NAME
 *
 * Exit 0: the change is on disk.  4: no record or no such snapshot; 7: the record is damaged; 1, 2.
 * The caller holds the volume's lock, and gives a name only to a volume that is stopped.
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

static int set_fact(struct record *rec, uint64_t id, const char *fact)
{
	struct snapshot *snap = record_find(rec, id);
	const char *value;
	char *old;

	if (!snap)
		return -ENOENT;
	old = field(snap, fact, &value);
	strcpy(old, value);
	return 0;
}

/* What is said of snapshot @id, or with NULL as the fact the volume's new @name. */
static int change(int fd, struct record *rec, uint64_t id, const char *fact, const char *name)
{
	int r = record_load(fd, rec);

	if (r == 0 && fact)
		r = set_fact(rec, id, fact);
	else if (r == 0)
		snprintf(rec->name, sizeof(rec->name), "%s", name);
	return r < 0 ? r : record_commit(fd, rec);
}

int main(int argc, char **argv)
{
	static struct record rec;
	const char *fact = NULL, *name = NULL, *value;
	uint64_t id = 0;
	int fd, r;

	if (argc == 3 && strncmp(argv[2], "name=", strlen("name=")) == 0)
		name = argv[2] + strlen("name=");
	else if (argc == 4)
		fact = argv[3];
	else
		errx(EXIT_USAGE, "usage: store-set STORE ID kinds=KIND[,KIND...]|holds=[TAG[,TAG...]], "
		     "or STORE name=NAME");
	if (fact ? num_u64(argv[2], UINT32_MAX, &id) < 0 || !field(&rec.snapshot[0], fact, &value) :
		   !is_name(name))
		errx(EXIT_USAGE, "not a name, or an id and kinds or holds: '%s'", argv[argc - 1]);
	fd = io_open(argv[1], O_RDWR);
	if (fd < 0)
		errx(EXIT_FAILED, "cannot open '%s': %s", argv[1], reason(fd));
	r = io_close_synced(fd, change(fd, &rec, id, fact, name));
	if (r < 0)
		errx(exit_code(r), "cannot change '%s' on '%s': %s", argv[2], argv[1], reason(r));
	return EXIT_DONE;
}
