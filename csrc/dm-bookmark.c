// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm-bookmark - remember what changed since snapshots that go: csrc/lib/bookmark.h tells how.
 *
 *     dm-bookmark keep [--into INTO] [--base UUID]… VOLUME STORE DIRECTORY ID…
 *     dm-bookmark list VOLUME STORE FILE ID
 *     dm-bookmark install DIRECTORY FILE…
 *     dm-bookmark show FILE…
 *
 * keep is for before the snapshots ID… are removed: makes a bookmark of those among them that have a UUID that is given, and
 * moves on all those in DIRECTORY that rely on one of them; into INTO if that is given.  For one that cannot be moved, and
 * will be useless, it prints `useless=UUID`.  Exit 0: they may be removed; otherwise not, or a base would be lost without one.
 * list prints "FIRST COUNT" a run of what changed between a bookmark and snapshot ID, as cow-chunks does.  install copies
 * bookmarks; show prints a line about each.
 * Exit 4: no such snapshot, or none that could be next; 6: one is lost; 7: a bookmark or a table is damaged; 1, 2.  dm-settle
 * removes the devices that were put up.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bookmark.h"
#include "exits.h"
#include "io.h"
#include "step.h"
#include "tool.h"

/* What is about to happen. */
struct plan {
	struct stack *stack;
	const char *into;
	bool going[SNAPSHOTS_MAX];	/* by index in the record */
};

static bool stays(const struct plan *plan, unsigned int i)
{
	return plan->stack->rec.snapshot[i].state == LIVE && !plan->going[i];
}

/* The next newer one that stays, or else the next older one, which is right, too; or NULL. */
static const struct snapshot *choose_next(const struct plan *plan, uint64_t id, bool newer_only)
{
	const struct record *rec = &plan->stack->rec;
	const struct snapshot *next = NULL;
	unsigned int i;

	for (i = 0; i < rec->count; i++) {
		if (!stays(plan, i))
			continue;
		if (rec->snapshot[i].id > id)
			return &rec->snapshot[i];
		if (!newer_only)
			next = &rec->snapshot[i];
	}
	return next;
}

static int make(const struct plan *plan, const char *uuid)
{
	const struct record *rec = &plan->stack->rec;
	const struct snapshot *next;
	struct bookmark mark = { 0 };
	unsigned int i;
	int r;

	for (i = 0; i < rec->count; i++)
		if (plan->going[i] && strcmp(rec->snapshot[i].uuid, uuid) == 0)
			break;
	if (i == rec->count)
		errx(EXIT_USAGE, "none of them has the uuid '%s'", uuid);
	next = choose_next(plan, rec->snapshot[i].id, true);
	if (!next)
		errx(EXIT_ABSENT, "cannot make a bookmark of snapshot %" PRIu32 " of '%s': no newer one stays",
		     rec->snapshot[i].id, plan->stack->volume);
	r = bookmark_make(&mark, plan->stack, &rec->snapshot[i], next);
	if (r == 0)
		r = bookmark_store(&mark, plan->into);
	bookmark_free(&mark);
	return r;
}

/* Unless it relies on something else, or is useless already. */
static int move(const struct plan *plan, struct bookmark *mark)
{
	const struct snapshot *old = bookmark_next(mark, plan->stack), *next;
	int r;

	if (!old || !plan->going[old - plan->stack->rec.snapshot])
		return 0;
	next = choose_next(plan, old->id, false);
	r = next ? bookmark_move(mark, plan->stack, next) : -ENXIO;
	if (r == 0)
		r = bookmark_store(mark, plan->into);
	return r;
}

/* One that cannot be moved stays as it is: as long as the snapshot is there it can be used. */
static void move_file(const struct plan *plan, const char *directory, const char *name)
{
	struct bookmark mark;
	char path[PATH_MAX];
	int r;

	if (!is_uuid(name))
		return;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (bookmark_load(&mark, path) == 0) {
		r = move(plan, &mark);
		if (r < 0)
			printf("useless=%s\n", name);
	}
	bookmark_free(&mark);
}

static int move_all(const struct plan *plan, const char *directory)
{
	struct dirent *entry;
	DIR *dir = opendir(directory);

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)))
		move_file(plan, directory, entry->d_name);
	closedir(dir);
	return 0;
}

static int keep(int argc, char **argv)
{
	static const struct option options[] = {
		{ "into", required_argument, NULL, 'i' }, { "base", required_argument, NULL, 'b' }, { 0 },
	};
	static struct plan plan;
	const char *base[SNAPSHOTS_MAX];
	unsigned int bases = 0, i;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'i')
			plan.into = optarg;
		else if (option == 'b' && bases < SNAPSHOTS_MAX && is_uuid(optarg))
			base[bases++] = optarg;
		else
			return EXIT_USAGE;
	}
	argv += optind;
	if (argc - optind < 4)
		return EXIT_USAGE;
	if (!plan.into)
		plan.into = argv[2];
	plan.stack = tool_open(argv[0], argv[1]);
	tool_need_up(plan.stack);
	for (i = 3; argv[i]; i++)
		plan.going[tool_snapshot(plan.stack, argv[i]) - plan.stack->rec.snapshot] = true;
	r = move_all(&plan, argv[2]);
	for (i = 0; i < bases && r == 0; i++)
		r = make(&plan, base[i]);
	return tool_end(plan.stack, "keep bookmarks of", r);
}

/* Of what is behind its end, a chunk that it had in part has changed, too. */
static void print(const struct bookmark *mark, const struct snapshot *snap)
{
	uint64_t chunks = (snap->sectors - 1) / mark->chunk_sectors + 1, at = 0, first, count, end = chunks;

	if (snap->sectors != mark->sectors)
		end = mark->sectors / mark->chunk_sectors;
	for (; chunkset_next_apart(&mark->list, at, 1, &first, &count) && first < end; at = first + count)
		printf("%" PRIu64 " %" PRIu64 "\n", first, first + count > end ? end - first : count);
	if (end < chunks)
		printf("%" PRIu64 " %" PRIu64 "\n", end, chunks - end);
}

static int list(char **argv)
{
	struct stack *stack = tool_open(argv[0], argv[1]);
	const struct snapshot *snap;
	struct bookmark mark;
	int r;

	tool_need_up(stack);
	snap = tool_snapshot(stack, argv[3]);
	r = bookmark_load(&mark, argv[2]);
	if (r == 0)
		r = bookmark_move(&mark, stack, snap);
	if (r == 0)
		print(&mark, snap);
	bookmark_free(&mark);
	return tool_end(stack, "use a bookmark of", r);
}

static int install(int argc, char **argv)
{
	struct bookmark mark;
	int i, r = 0;

	step_arm();
	for (i = 1; i < argc && r == 0; i++) {
		r = bookmark_load(&mark, argv[i]);
		if (r == 0)
			r = bookmark_store(&mark, argv[0]);
		bookmark_free(&mark);
		if (r < 0)
			warnx("cannot install '%s' in '%s': %s", argv[i], argv[0], reason(r));
	}
	return exit_code(r);
}

static void show_one(const char *path)
{
	const char *name = strrchr(path, '/');
	uint64_t at = 0, first, count, runs = 0, chunks = 0;
	struct stat st = { 0 };
	struct bookmark mark;

	if (bookmark_load(&mark, path) < 0 || stat(path, &st) < 0) {
		printf("%s damaged\n", name ? name + 1 : path);
	} else {
		for (; chunkset_next(&mark.list, at, &first, &count); at = first + count, runs++)
			chunks += count;
		printf("%s id=%" PRIu64 " time=%" PRIu64 " volume=%s next=%s chunks=%" PRIu64 " runs=%" PRIu64
		       " bytes=%lld\n", mark.uuid, mark.id, mark.time, mark.volume, mark.next, chunks, runs,
		       (long long)st.st_size);
	}
	bookmark_free(&mark);
}

static int show(char **argv)
{
	int r;

	for (; *argv; argv++)
		show_one(*argv);
	r = io_flush_stdout();
	if (r < 0)
		warnx("cannot print: %s", reason(r));
	return exit_code(r);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int code = EXIT_USAGE;

	argc--;
	argv++;
	if (strcmp(verb, "keep") == 0)
		code = keep(argc, argv);
	else if (strcmp(verb, "list") == 0 && argc == 5)
		code = list(argv + 1);
	else if (strcmp(verb, "install") == 0 && argc > 2)
		code = install(argc - 1, argv + 1);
	else if (strcmp(verb, "show") == 0 && argc > 1)
		code = show(argv + 1);
	if (code == EXIT_USAGE)
		warnx("usage: dm-bookmark keep|list|install|show ...");
	return code;
}
