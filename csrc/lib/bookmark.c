// SPDX-License-Identifier: GPL-2.0-or-later
/* bookmark.c - see bookmark.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bookmark.h"
#include "io.h"
#include "step.h"

enum {
	RUNS_MAX = 1 << 20,		/* what is more is made coarser: 16 MiB or so */
	FILE_MAX = 64 << 20,
	CHUNK_SECTORS_MAX = 1 << 21,
	SUM_TEXT = 7 + 2 * SHA256_DIGEST_SIZE + 1,
};

#define FORMAT "zumastor-bookmark 1\n"

static uint64_t chunks_of(const struct bookmark *mark)
{
	return (mark->sectors - 1) / mark->chunk_sectors + 1;
}

/* Collecting. */

/* What is behind the end of the list is not in it. */
static int add_table(struct bookmark *mark, struct stack *stack, const struct snapshot *snap)
{
	struct exceptions all;
	uint64_t i;
	int r;

	if (snap->sectors < mark->sectors)
		return -ERANGE;
	r = stack_peek_table(stack, snap, &all);
	for (i = 0; r >= 0 && i < all.count; i++)
		if (all.list[i].old_chunk < mark->list.chunks)
			r = chunkset_add(&mark->list, all.list[i].old_chunk);
	exceptions_free(&all);
	return r < 0 ? r : 0;
}

/* The exceptions between two snapshots, of whatever order; also those of removed ones that have not gone yet. */
static int add_between(struct bookmark *mark, struct stack *stack, const struct snapshot *one, const struct snapshot *other)
{
	uint32_t from = one->id < other->id ? one->id : other->id, to = one->id + other->id - from;
	unsigned int i;
	int r = one->state == LIVE && other->state == LIVE ? 0 : -ENXIO;

	if (other->sectors < mark->sectors)
		return -ERANGE;
	for (i = 0; i < stack->rec.count && r == 0; i++) {
		const struct snapshot *snap = &stack->rec.snapshot[i];

		if (in_chain(snap) && snap->id >= from && snap->id < to)
			r = add_table(mark, stack, snap);
	}
	return r;
}

int bookmark_make(struct bookmark *mark, struct stack *stack, const struct snapshot *snap, const struct snapshot *next)
{
	int r;

	*mark = (struct bookmark){
		.id = snap->id, .time = snap->time, .sectors = snap->sectors,
		.chunk_sectors = stack->rec.chunk_sectors,
	};
	memcpy(mark->volume, stack->rec.volume, UUID_TEXT);
	memcpy(mark->uuid, snap->uuid, UUID_TEXT);
	memcpy(mark->next, next->uuid, UUID_TEXT);
	r = chunkset_init(&mark->list, chunks_of(mark));
	return r < 0 ? r : add_between(mark, stack, snap, next);
}

int bookmark_move(struct bookmark *mark, struct stack *stack, const struct snapshot *next)
{
	const struct snapshot *old = bookmark_next(mark, stack);
	int r = old ? add_between(mark, stack, old, next) : -ENXIO;

	if (r == 0)
		memcpy(mark->next, next->uuid, UUID_TEXT);
	return r;
}

struct snapshot *bookmark_next(const struct bookmark *mark, struct stack *stack)
{
	struct record *rec = &stack->rec;
	unsigned int i;

	if (strcmp(mark->volume, rec->volume) != 0 || mark->chunk_sectors != rec->chunk_sectors)
		return NULL;
	for (i = 0; i < rec->count; i++)
		if (rec->snapshot[i].state == LIVE && strcmp(rec->snapshot[i].uuid, mark->next) == 0)
			return &rec->snapshot[i];
	return NULL;
}

void bookmark_free(struct bookmark *mark)
{
	chunkset_free(&mark->list);
}

/* As text. */

static void sum_line(const char *text, size_t length, char line[SUM_TEXT + 1])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;
	unsigned int i;

	sha256_init(&hash);
	sha256_update(&hash, length, (const uint8_t *)text);
	sha256_digest(&hash, sizeof(digest), digest);
	memcpy(line, "sha256 ", 7);
	for (i = 0; i < sizeof(digest); i++)
		snprintf(line + 7 + 2 * i, 3, "%02x", digest[i]);
	memcpy(line + SUM_TEXT - 1, "\n", 2);
}

/* How far apart runs are to be at least, so that there are not too many. */
static uint64_t choose_gap(const struct chunkset *list)
{
	uint64_t gap = 1, at, first, count, runs;

	for (;; gap *= 2) {
		for (at = 0, runs = 0; chunkset_next_apart(list, at, gap, &first, &count); runs++)
			at = first + count;
		if (runs <= RUNS_MAX)
			return gap;
	}
}

static int compose(const struct bookmark *mark, char **text, size_t *length)
{
	uint64_t gap = choose_gap(&mark->list), at = 0, first, count;
	FILE *out = open_memstream(text, length);
	char line[SUM_TEXT + 1];

	if (!out)
		return -ENOMEM;
	fprintf(out, FORMAT "volume %s\nuuid %s\nid %" PRIu64 "\ntime %" PRIu64 "\nsectors %" PRIu64 "\nchunk_sectors %" PRIu64
		"\nnext %s\n\n", mark->volume, mark->uuid, mark->id, mark->time, mark->sectors, mark->chunk_sectors, mark->next);
	for (; chunkset_next_apart(&mark->list, at, gap, &first, &count); at = first + count)
		fprintf(out, "%" PRIu64 " %" PRIu64 "\n", first, count);
	if (fflush(out) == 0) {
		sum_line(*text, *length, line);
		fputs(line, out);
	}
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

/* The value behind @key and a blank, up to the end of the line; *@text is put behind that.  NULL. */
static const char *take_line(char **text, const char *key)
{
	char *line = strsep(text, "\n");
	size_t length = strlen(key);

	if (!line || !*text || strncmp(line, key, length) != 0 || line[length] != ' ')
		return NULL;
	return line + length + 1;
}

static int take_uuid(char **text, const char *key, char uuid[UUID_TEXT])
{
	const char *value = take_line(text, key);

	if (!value || !is_uuid(value))
		return -EBADMSG;
	memcpy(uuid, value, UUID_TEXT);
	return 0;
}

static int take_number(char **text, const char *key, uint64_t min, uint64_t max, uint64_t *number)
{
	const char *value = take_line(text, key);

	return value && num_u64(value, max, number) == 0 && *number >= min ? 0 : -EBADMSG;
}

static int take_run(struct chunkset *list, char *line, uint64_t *floor)
{
	const char *begin = strsep(&line, " ");
	uint64_t first, count, end;
	int r = 0;

	if (!line || num_u64(begin, UINT64_MAX, &first) < 0 || num_u64(line, UINT64_MAX, &count) < 0 || count == 0 ||
	    first < *floor || __builtin_add_overflow(first, count, &end) || end > list->chunks)
		return -EBADMSG;
	for (; first < end && r >= 0; first++)
		r = chunkset_add(list, first);
	*floor = end;
	return r < 0 ? r : 0;
}

static int take_facts(struct bookmark *mark, char **text)
{
	int r = take_uuid(text, "volume", mark->volume);

	if (r == 0)
		r = take_uuid(text, "uuid", mark->uuid);
	if (r == 0)
		r = take_number(text, "id", 1, UINT32_MAX, &mark->id);
	if (r == 0)
		r = take_number(text, "time", 0, INT64_MAX, &mark->time);
	if (r == 0)
		r = take_number(text, "sectors", 1, INT64_MAX / SECTOR_SIZE, &mark->sectors);
	if (r == 0)
		r = take_number(text, "chunk_sectors", 1, CHUNK_SECTORS_MAX, &mark->chunk_sectors);
	return r < 0 ? r : take_uuid(text, "next", mark->next);
}

static int parse(struct bookmark *mark, char *text, size_t length)
{
	char line[SUM_TEXT + 1], *run;
	uint64_t floor = 0;
	int r;

	if (length < sizeof(FORMAT) + SUM_TEXT || memchr(text, '\0', length) || strncmp(text, FORMAT, strlen(FORMAT)) != 0)
		return -EBADMSG;
	length -= SUM_TEXT;
	sum_line(text, length, line);
	if (memcmp(text + length, line, SUM_TEXT) != 0 || text[length - 1] != '\n')
		return -EBADMSG;
	text[length] = '\0';
	text += strlen(FORMAT);
	r = take_facts(mark, &text);
	if (r < 0 || *strsep(&text, "\n") || !text)
		return -EBADMSG;
	r = chunkset_init(&mark->list, chunks_of(mark));
	while (r == 0 && *text) {
		run = strsep(&text, "\n");
		r = take_run(&mark->list, run, &floor);
	}
	return r;
}

/* Files. */

static int read_file(const char *path, char **text, size_t *length)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	struct stat st;

	*text = NULL;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		r = -EBADMSG;
	if (r == 0) {
		*length = (size_t)st.st_size;
		*text = calloc(1, *length + 1);
		r = *text ? io_pread(fd, *text, *length, 0) : -ENOMEM;
	}
	close(fd);
	return r;
}

int bookmark_load(struct bookmark *mark, const char *path)
{
	const char *name = strrchr(path, '/');
	size_t length = 0;
	char *text;
	int r = read_file(path, &text, &length);

	*mark = (struct bookmark){ 0 };
	if (r == 0)
		r = parse(mark, text, length);
	if (r == 0 && strcmp(mark->uuid, name ? name + 1 : path) != 0)
		r = -EBADMSG;
	free(text);
	return r;
}

static int write_file(const char *path, const char *text, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), r;

	if (fd < 0)
		return -errno;
	r = io_close_synced(fd, io_pwrite(fd, text, length, 0));
	return r == 0 ? step() : r;
}

/* All of it or nothing. */
static int replace_file(const char *path, const char *fresh, const char *text, size_t length)
{
	int r;

	unlink(fresh);
	r = write_file(fresh, text, length);
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(fresh);
	return r;
}

static int make_directory(const char *path)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	return io_sync_directory(path);
}

int bookmark_store(const struct bookmark *mark, const char *directory)
{
	char path[PATH_MAX], fresh[PATH_MAX], *text = NULL;
	size_t length;
	int r = step();

	snprintf(path, sizeof(path), "%s/%s", directory, mark->uuid);
	snprintf(fresh, sizeof(fresh), "%s/.%s.%d", directory, mark->uuid, getpid());
	if (r == 0)
		r = make_directory(directory);
	if (r == 0)
		r = compose(mark, &text, &length);
	if (r == 0)
		r = replace_file(path, fresh, text, length);
	if (r == 0)
		r = step();
	if (r == 0)
		r = io_sync_directory(path);
	free(text);
	return r < 0 ? r : step();
}
