// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cow-chunks - list the chunks that changed between two snapshots, from exception stores alone.
 *
 *     cow-chunks [--from CHUNK] [--add FILE] CHUNK_BYTES CHUNKS COW…
 *
 * The COWs are the frozen ones of the older snapshot and of every later one before the newer; CHUNKS is the
 * newer snapshot's size in chunks of CHUNK_BYTES.  What changed is the union of their tables: no data is read.  With
 * --from, all from that chunk on has changed, too: the older snapshot ends there; with --add, the chunks in FILE, "FIRST COUNT"
 * a line as printed here.
 * Prints "FIRST COUNT" a run, ascending, never adjacent.  Exit 7: a table is damaged; 6: the kernel gave one up; 1, 2.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chunkset.h"
#include "cow.h"
#include "exits.h"
#include "io.h"
#include "num.h"

enum { LINE_TEXT = 64 };

static int collect(const char *path, uint64_t chunk_bytes, struct chunkset *changed)
{
	struct exceptions all = { 0 };
	struct cow cow;
	uint64_t i;
	int r = cow_open(&cow, path, O_RDONLY, chunk_bytes, changed->chunks);

	if (r < 0)
		return r;
	r = cow.valid ? cow_load(&cow, &all) : -ESTALE;
	cow_close(&cow);
	for (i = 0; r >= 0 && i < all.count; i++)
		r = chunkset_add(changed, all.list[i].old_chunk);
	exceptions_free(&all);
	return r < 0 ? r : 0;
}

static int print(const struct chunkset *changed)
{
	uint64_t at = 0, first, count;

	while (chunkset_next(changed, at, &first, &count)) {
		printf("%" PRIu64 " %" PRIu64 "\n", first, count);
		at = first + count;
	}
	return io_flush_stdout();
}

/* "FIRST COUNT" */
static int add_run(struct chunkset *changed, char *line)
{
	char *space = strchr(line, ' ');
	uint64_t first, count;
	int r = 0;

	line[strcspn(line, "\n")] = '\0';
	if (!space)
		return -EBADMSG;
	*space = '\0';
	if (num_u64(line, INT64_MAX / IO_ALIGN, &first) < 0 || num_u64(space + 1, INT64_MAX / IO_ALIGN, &count) < 0)
		return -EBADMSG;
	for (; count > 0 && r >= 0; count--)
		r = chunkset_add(changed, first++);
	return r;
}

static int add_file(const char *path, struct chunkset *changed)
{
	char line[LINE_TEXT];
	FILE *file = fopen(path, "re");
	int r = 0;

	if (!file)
		return -errno;
	while (r >= 0 && fgets(line, sizeof(line), file))
		r = add_run(changed, line);
	if (r >= 0 && ferror(file))
		r = -EIO;
	fclose(file);
	return r < 0 ? r : 0;
}

static void parse(int argc, char **argv, uint64_t *from, const char **add)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' }, { "add", required_argument, NULL, 'a' }, { 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			*add = optarg;
		else if (option != 'f')
			exit(EXIT_USAGE);
		else if (num_u64(optarg, INT64_MAX / IO_ALIGN, from) < 0)
			errx(EXIT_USAGE, "not a chunk: '%s'", optarg);
	}
}

int main(int argc, char **argv)
{
	struct chunkset changed;
	uint64_t chunk_bytes, chunks, from = UINT64_MAX;
	const char *add = NULL;
	int i, r;

	parse(argc, argv, &from, &add);
	argc -= optind - 1;
	argv += optind - 1;
	if (argc < 3 || num_u64(argv[1], 1 << 30, &chunk_bytes) < 0 ||
	    !is_power_of_two(chunk_bytes) || chunk_bytes < IO_ALIGN ||
	    num_u64(argv[2], INT64_MAX / IO_ALIGN, &chunks) < 0)
		errx(EXIT_USAGE, "usage: cow-chunks [--from CHUNK] [--add FILE] CHUNK_BYTES CHUNKS COW...");
	r = chunkset_init(&changed, chunks);
	if (r < 0)
		errx(EXIT_FAILED, "cannot begin: %s", reason(r));
	for (i = 3; i < argc; i++) {
		r = collect(argv[i], chunk_bytes, &changed);
		if (r < 0)
			errx(exit_code(r), "cannot read exceptions from '%s': %s", argv[i], reason(r));
	}
	r = add ? add_file(add, &changed) : 0;
	if (r < 0)
		errx(exit_code(r), "cannot add the chunks in '%s': %s", add, reason(r));
	for (r = 0; from < chunks && r >= 0; from++)
		r = chunkset_add(&changed, from);
	if (r < 0)
		errx(EXIT_FAILED, "cannot add what has grown: %s", reason(r));
	r = print(&changed);
	if (r < 0)
		errx(EXIT_FAILED, "cannot print: %s", reason(r));
	chunkset_free(&changed);
	return EXIT_DONE;
}
