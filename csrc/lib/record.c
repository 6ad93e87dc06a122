// SPDX-License-Identifier: GPL-2.0-or-later
/* record.c - see record.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "io.h"
#include "record.h"

#define SLOT_MAGIC "zumastor-record 1 "
#define SLOT_LINE SLOT_MAGIC "generation=%016" PRIx64 " bytes=%08" PRIx32 " crc=%08" PRIx32 "\n"
#define ZERO_CRC "00000000\n"

enum {
	HEADER_BYTES = HEADER_SECTORS * SECTOR_SIZE,
	SLOT_COUNT = 2,
	SLOT_FIRST = 64 << 10,		/* the slots begin behind the page for people */
	SLOT_BYTES = 480 << 10,
	LINE_BYTES = 74,		/* of SLOT_LINE, printed */
	DIGITS = sizeof(ZERO_CRC) - 1,
};

static const char banner[] =
	"This is a zumastor snapshot store.\n"
	"The record of its volume and snapshots is text, at byte 65536 and again at 557056;\n"
	"see zumastor(8).  Do not write here.\n";

static const char *const state_names[] = {
	[PENDING] = "pending", [LIVE] = "live", [REMOVED] = "removed", [LOST] = "lost",
	[DELETING] = "deleting",
};

static const char *const phase_names[] = {
	[REVERT_NONE] = "none", [REVERT_PENDING] = "pending", [REVERT_OPEN] = "open",
	[REVERT_MERGING] = "merging", [REVERT_DONE] = "done",
};

static const char *const seen_names[] = {
	[SEEN_NEVER] = "never", [SEEN_RUNNING] = "running", [SEEN_STOPPED] = "stopped",
};

enum { WORDS_MAX = 9 };

bool is_kinds(const char *text)
{
	char copy[KINDS_TEXT], *at = copy, *kind;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	while ((kind = strsep(&at, ",")) != NULL)
		if (!is_name(kind))
			return false;
	return true;
}

bool in_chain(const struct snapshot *snap)
{
	return snap->state == LIVE || snap->state == REMOVED;
}

struct snapshot *record_find(struct record *rec, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < rec->count; i++)
		if (rec->snapshot[i].id == id)
			return &rec->snapshot[i];
	return NULL;
}

struct snapshot *record_head(struct record *rec)
{
	unsigned int i;

	for (i = rec->count; i > 0; i--)
		if (in_chain(&rec->snapshot[i - 1]))
			return &rec->snapshot[i - 1];
	return NULL;
}

int record_new_thin(struct record *rec, uint32_t *thin)
{
	if (rec->next_thin >= rec->thin_end)
		return -ENOSPC;
	*thin = rec->next_thin++;
	return 0;
}

static bool is_store(const struct record *rec, unsigned int i)
{
	return i >= rec->count && i - rec->count < 2 * rec->clones && (i - rec->count) % 2 == 1;
}

/* Of snapshots, then of clones and of the stores on them, then of the revert. */
bool record_thin(const struct record *rec, unsigned int i, uint32_t *thin)
{
	const struct clone *clone = &rec->clone[(i - rec->count) / 2];

	if (i < rec->count)
		*thin = rec->snapshot[i].thin;
	else if (i - rec->count < 2 * rec->clones)
		*thin = is_store(rec, i) ? clone->store : clone->thin;
	else if (i == rec->count + 2 * rec->clones && rec->revert.phase != REVERT_NONE)
		*thin = rec->revert.thin;
	else
		return false;
	return true;
}

struct clone *record_clone(struct record *rec, const char *name)
{
	unsigned int i;

	for (i = 0; i < rec->clones; i++)
		if (!rec->clone[i].deleting && strcmp(rec->clone[i].name, name) == 0)
			return &rec->clone[i];
	return NULL;
}

bool is_reverting(const struct record *rec)
{
	return rec->revert.phase != REVERT_NONE && rec->revert.phase != REVERT_DONE;
}

bool is_layered(const struct record *rec, uint32_t id)
{
	unsigned int i;

	if ((rec->revert.phase == REVERT_PENDING || rec->revert.phase == REVERT_OPEN) &&
	    rec->revert.snapshot == id)
		return true;
	for (i = 0; i < rec->clones; i++)
		if (!rec->clone[i].deleting && rec->clone[i].snapshot == id)
			return true;
	return false;
}

struct snapshot revert_layer(const struct record *rec)
{
	return (struct snapshot){ .thin = rec->revert.thin, .sectors = rec->origin_sectors };
}

void record_drop(struct record *rec, struct snapshot *snap)
{
	size_t behind = (size_t)(rec->snapshot + rec->count - (snap + 1));

	memmove(snap, snap + 1, behind * sizeof(*snap));
	rec->count--;
}

/* Text to record. */

static int number(const char *text, uint64_t max, uint64_t *value)
{
	return num_u64(text, max, value) < 0 ? -EBADMSG : 0;
}

static int number32(const char *text, uint32_t *value)
{
	uint64_t wide;

	if (number(text, UINT32_MAX, &wide) < 0)
		return -EBADMSG;
	*value = (uint32_t)wide;
	return 0;
}

static int copy_text(char *to, size_t size, const char *text, bool valid)
{
	if (!valid || strlen(text) >= size)
		return -EBADMSG;
	strcpy(to, text);
	return 0;
}

/* The index of @text among @count names. */
static int parse_name_of(const char *text, const char *const *names, unsigned int count, int *index)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (strcmp(text, names[i]) == 0) {
			*index = (int)i;
			return 0;
		}
	}
	return -EBADMSG;
}

/* One word, then facts in a fixed order, each behind its key: split @line, the values into @word. */
static int parse_words(char *line, const char *const *keys, unsigned int count, char **word)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		size_t length = strlen(keys[i]);

		word[i] = strsep(&line, " ");
		if (!word[i] || strncmp(word[i], keys[i], length) != 0)
			return -EBADMSG;
		word[i] += length;
	}
	return line ? -EBADMSG : 0;
}

/* Empty, or ENTRIES:CRC. */
static int parse_seal(char *text, struct seal *seal)
{
	char *crc = strchr(text, ':');

	if (*text == '\0')
		return 0;
	if (!crc)
		return -EBADMSG;
	*crc++ = '\0';
	seal->set = true;
	return number(text, INT64_MAX, &seal->entries) < 0 ? -EBADMSG : number32(crc, &seal->crc);
}

static int parse_snapshot(char *line, struct record *rec)
{
	static const char *const keys[] = {
		"", "uuid=", "thin=", "time=", "sectors=", "state=", "kinds=", "holds=",
		"table=",
	};
	struct snapshot *snap = &rec->snapshot[rec->count];
	char *word[WORDS_MAX];
	int state;

	if (rec->count == SNAPSHOTS_MAX || parse_words(line, keys, 9, word) < 0 ||
	    number32(word[0], &snap->id) < 0 ||
	    copy_text(snap->uuid, sizeof(snap->uuid), word[1], is_uuid(word[1])) < 0 ||
	    number32(word[2], &snap->thin) < 0 || number(word[3], INT64_MAX, &snap->time) < 0 ||
	    number(word[4], INT64_MAX / SECTOR_SIZE, &snap->sectors) < 0 ||
	    parse_name_of(word[5], state_names, DELETING + 1, &state) < 0 ||
	    copy_text(snap->kinds, sizeof(snap->kinds), word[6], is_kinds(word[6])) < 0 ||
	    copy_text(snap->holds, sizeof(snap->holds), word[7], !*word[7] || is_kinds(word[7])) < 0 ||
	    parse_seal(word[8], &snap->seal) < 0)
		return -EBADMSG;
	snap->state = (enum snapshot_state)state;
	rec->count++;
	return 0;
}

static int parse_revert(char *line, struct revert *revert)
{
	static const char *const keys[] = { "", "snapshot=", "thin=" };
	char *word[WORDS_MAX];
	int phase;

	if (revert->phase != REVERT_NONE || parse_words(line, keys, 3, word) < 0 ||
	    parse_name_of(word[0], phase_names, REVERT_DONE + 1, &phase) < 0 ||
	    number32(word[1], &revert->snapshot) < 0 || number32(word[2], &revert->thin) < 0)
		return -EBADMSG;
	revert->phase = (enum revert_phase)phase;
	return 0;
}

static int parse_clone(char *line, struct record *rec)
{
	static const char *const keys[] = {
		"", "snapshot=", "thin=", "store=", "first=", "end=", "state=",
	};
	static const char *const states[] = { "live", "deleting" };
	struct clone *clone = &rec->clone[rec->clones];
	char *word[WORDS_MAX];
	int state;

	if (rec->clones == CLONES_MAX || parse_words(line, keys, 7, word) < 0 ||
	    copy_text(clone->name, sizeof(clone->name), word[0], is_name(word[0])) < 0 ||
	    number32(word[1], &clone->snapshot) < 0 || number32(word[2], &clone->thin) < 0 ||
	    number32(word[3], &clone->store) < 0 || number32(word[4], &clone->first) < 0 ||
	    number32(word[5], &clone->end) < 0 || parse_name_of(word[6], states, 2, &state) < 0)
		return -EBADMSG;
	clone->deleting = state == 1;
	rec->clones++;
	return 0;
}

static bool is_digest(const char *text)
{
	return strspn(text, "0123456789abcdef") == DIGEST_TEXT - 1 && !text[DIGEST_TEXT - 1];
}

static int parse_seen(char *line, struct origin_seen *seen)
{
	static const char *const keys[] = { "", "boot=", "disk=", "written=", "samples=", "digest=" };
	char *word[WORDS_MAX];
	int when;

	if (seen->when != SEEN_NEVER || parse_words(line, keys, 6, word) < 0 ||
	    parse_name_of(word[0], seen_names, SEEN_STOPPED + 1, &when) < 0 ||
	    copy_text(seen->boot, sizeof(seen->boot), word[1], !*word[1] || is_uuid(word[1])) < 0 ||
	    number(word[2], UINT64_MAX, &seen->disk) < 0 ||
	    number(word[3], UINT64_MAX, &seen->written) < 0 || number32(word[4], &seen->samples) < 0 ||
	    copy_text(seen->digest, sizeof(seen->digest), word[5], !*word[5] || is_digest(word[5])) < 0)
		return -EBADMSG;
	seen->when = (enum seen)when;
	return (seen->samples > 0) == (*seen->digest != '\0') ? 0 : -EBADMSG;
}

static int parse_extent(char *line, struct record *rec)
{
	static const char *const keys[] = { "", "sectors=" };
	static const char *const whose[] = { "data", "meta" };
	struct extent *extent = &rec->extent[rec->extents];
	char *word[WORDS_MAX];
	int meta;

	if (rec->extents == EXTENTS_MAX || parse_words(line, keys, 2, word) < 0 ||
	    parse_name_of(word[0], whose, 2, &meta) < 0 ||
	    number(word[1], INT64_MAX / SECTOR_SIZE, &extent->sectors) < 0)
		return -EBADMSG;
	extent->meta = meta == 1;
	rec->extents++;
	return 0;
}

static int parse_place(const char *text, bool *separate)
{
	*separate = strcmp(text, "separate") == 0;
	return *separate || strcmp(text, "store") == 0 ? 0 : -EBADMSG;
}

static int parse_fact(const char *key, char *value, struct record *rec)
{
	if (strcmp(key, "volume") == 0)
		return copy_text(rec->volume, sizeof(rec->volume), value, is_uuid(value));
	if (strcmp(key, "name") == 0)
		return copy_text(rec->name, sizeof(rec->name), value, is_name(value));
	if (strcmp(key, "origin_sectors") == 0)
		return number(value, INT64_MAX / SECTOR_SIZE, &rec->origin_sectors);
	if (strcmp(key, "chunk_sectors") == 0)
		return number(value, INT32_MAX, &rec->chunk_sectors);
	if (strcmp(key, "block_sectors") == 0)
		return number(value, INT32_MAX, &rec->block_sectors);
	if (strcmp(key, "meta_device") == 0)
		return parse_place(value, &rec->separate);
	if (strcmp(key, "meta_sectors") == 0)
		return number(value, INT64_MAX / SECTOR_SIZE, &rec->meta_sectors);
	if (strcmp(key, "data_sectors") == 0)
		return number(value, INT64_MAX / SECTOR_SIZE, &rec->data_sectors);
	if (strcmp(key, "extent") == 0)
		return parse_extent(value, rec);
	if (strcmp(key, "pool") == 0)
		return number(value, UINT64_MAX, &rec->pool);
	if (strcmp(key, "origin_seen") == 0)
		return parse_seen(value, &rec->origin_seen);
	if (strcmp(key, "next_snapshot") == 0)
		return number32(value, &rec->next_snapshot);
	if (strcmp(key, "next_thin") == 0)
		return number32(value, &rec->next_thin);
	if (strcmp(key, "thin_end") == 0)
		return number32(value, &rec->thin_end);
	if (strcmp(key, "pool_volume") == 0)
		return copy_text(rec->pool_volume, sizeof(rec->pool_volume), value, is_uuid(value));
	if (strcmp(key, "snapshot") == 0)
		return parse_snapshot(value, rec);
	if (strcmp(key, "revert") == 0)
		return parse_revert(value, &rec->revert);
	if (strcmp(key, "clone") == 0)
		return parse_clone(value, rec);
	return -EBADMSG;
}

static bool snapshots_consistent(const struct record *rec)
{
	unsigned int i, j;

	for (i = 0; i < rec->count; i++) {
		const struct snapshot *snap = &rec->snapshot[i];

		if (snap->id >= rec->next_snapshot || snap->sectors == 0)
			return false;
		if (i > 0 && snap->id <= snap[-1].id)
			return false;
		if (in_chain(snap) && snap->sectors > rec->origin_sectors)
			return false;
		if (snap->state == PENDING && i + 1 < rec->count)
			return false;
		for (j = 0; j < i; j++)
			if (strcmp(rec->snapshot[j].uuid, snap->uuid) == 0)
				return false;
	}
	return true;
}

/* Each belongs to one of them. */
static bool thins_consistent(const struct record *rec)
{
	uint32_t thin, other;
	unsigned int i, j;

	for (i = 0; record_thin(rec, i, &thin); i++) {
		if (thin == 0 && is_store(rec, i))
			continue;	/* the clone has none */
		if (thin == 0 || thin >= rec->next_thin)
			return false;
		for (j = 0; j < i && record_thin(rec, j, &other); j++)
			if (other == thin)
				return false;
	}
	return true;
}

/* Something was there before it grew. */
static bool extents_consistent(const struct record *rec)
{
	uint64_t meta = rec->meta_sectors, data = rec->data_sectors;
	unsigned int i;

	for (i = 0; i < rec->extents; i++) {
		const struct extent *extent = &rec->extent[i];
		uint64_t *left = extent->meta ? &meta : &data;

		if (extent->sectors == 0 || extent->sectors >= *left || (extent->meta && rec->separate))
			return false;
		*left -= extent->sectors;
	}
	return true;
}

/* A fact left out stays zero, so this also finds what is missing. */
static bool is_consistent(const struct record *rec)
{
	return is_uuid(rec->volume) && is_name(rec->name) && rec->origin_sectors > 0 &&
	       is_power_of_two(rec->chunk_sectors) && rec->block_sectors > 0 &&
	       rec->meta_sectors > 0 && rec->data_sectors > 0 && rec->pool > 0 &&
	       rec->next_snapshot > 0 && rec->next_thin > 0 &&
	       rec->next_thin <= rec->thin_end && rec->thin_end <= THINS_MAX && snapshots_consistent(rec) &&
	       thins_consistent(rec) && extents_consistent(rec);
}

static int record_parse(char *text, struct record *rec)
{
	char *line, *value;
	int r;

	while (*text != '\0') {
		line = strsep(&text, "\n");
		if (!text)
			return -EBADMSG;	/* the last line is not whole */
		value = strchr(line, '=');
		if (!value)
			return -EBADMSG;
		*value++ = '\0';
		r = parse_fact(line, value, rec);
		if (r < 0)
			return r;
	}
	return is_consistent(rec) ? 0 : -EBADMSG;
}

/* Record to text. */

static void print_seen(const struct origin_seen *seen, FILE *out)
{
	if (seen->when != SEEN_NEVER)
		fprintf(out, "origin_seen=%s boot=%s disk=%" PRIu64 " written=%" PRIu64 " samples=%" PRIu32
			" digest=%s\n", seen_names[seen->when], seen->boot, seen->disk, seen->written,
			seen->samples, seen->digest);
}

int record_print(const struct record *rec, FILE *out)
{
	unsigned int i;

	fprintf(out, "volume=%s\nname=%s\n", rec->volume, rec->name);
	fprintf(out, "origin_sectors=%" PRIu64 "\nchunk_sectors=%" PRIu64 "\n",
		rec->origin_sectors, rec->chunk_sectors);
	fprintf(out, "block_sectors=%" PRIu64 "\nmeta_device=%s\n", rec->block_sectors,
		rec->separate ? "separate" : "store");
	fprintf(out, "meta_sectors=%" PRIu64 "\ndata_sectors=%" PRIu64 "\n", rec->meta_sectors,
		rec->data_sectors);
	for (i = 0; i < rec->extents; i++)
		fprintf(out, "extent=%s sectors=%" PRIu64 "\n", rec->extent[i].meta ? "meta" : "data",
			rec->extent[i].sectors);
	fprintf(out, "pool=%" PRIu64 "\nnext_snapshot=%" PRIu32 "\nnext_thin=%" PRIu32 "\nthin_end=%"
		PRIu32 "\n", rec->pool, rec->next_snapshot, rec->next_thin, rec->thin_end);
	if (rec->pool_volume[0])
		fprintf(out, "pool_volume=%s\n", rec->pool_volume);
	print_seen(&rec->origin_seen, out);
	for (i = 0; i < rec->count; i++) {
		const struct snapshot *s = &rec->snapshot[i];

		fprintf(out, "snapshot=%" PRIu32 " uuid=%s thin=%" PRIu32 " time=%" PRIu64
			" sectors=%" PRIu64 " state=%s kinds=%s holds=%s table=", s->id, s->uuid,
			s->thin, s->time, s->sectors, state_names[s->state], s->kinds, s->holds);
		if (s->seal.set)
			fprintf(out, "%" PRIu64 ":%" PRIu32, s->seal.entries, s->seal.crc);
		fputc('\n', out);
	}
	for (i = 0; i < rec->clones; i++) {
		const struct clone *c = &rec->clone[i];

		fprintf(out, "clone=%s snapshot=%" PRIu32 " thin=%" PRIu32 " store=%" PRIu32
			" first=%" PRIu32 " end=%" PRIu32 " state=%s\n", c->name, c->snapshot, c->thin,
			c->store, c->first, c->end, c->deleting ? "deleting" : "live");
	}
	if (rec->revert.phase != REVERT_NONE)
		fprintf(out, "revert=%s snapshot=%" PRIu32 " thin=%" PRIu32 "\n",
			phase_names[rec->revert.phase], rec->revert.snapshot, rec->revert.thin);
	return ferror(out) ? -EIO : 0;
}

/* Slots. */

static uint64_t slot_offset(unsigned int slot)
{
	return SLOT_FIRST + (uint64_t)slot * SLOT_BYTES;
}

static uint32_t slot_crc(const char *slot, size_t bytes)
{
	uLong crc = crc32_z(0, NULL, 0);
	const Bytef *at = (const Bytef *)slot;

	crc = crc32_z(crc, at, LINE_BYTES - DIGITS);
	crc = crc32_z(crc, (const Bytef *)ZERO_CRC, DIGITS);
	return (uint32_t)crc32_z(crc, at + LINE_BYTES, bytes);
}

/* A slot's line must be what printing its three numbers gives, byte for byte. */
static bool line_is(const char *slot, uint64_t generation, uint32_t bytes, uint32_t crc)
{
	char line[LINE_BYTES + 1];

	snprintf(line, sizeof(line), SLOT_LINE, generation, bytes, crc);
	return memcmp(slot, line, LINE_BYTES) == 0;
}

/* Read a slot as far as its line says that it goes; whether that is true is checked behind this. */
static int slot_read(int fd, char *slot, uint64_t offset)
{
	uint64_t generation, end;
	uint32_t bytes;
	int r = io_pread(fd, slot, IO_ALIGN, offset);

	slot[IO_ALIGN] = '\0';
	if (r < 0 || sscanf(slot, SLOT_MAGIC "generation=%16" SCNx64 " bytes=%8" SCNx32, &generation,
			    &bytes) != 2)
		return r;
	end = ((uint64_t)bytes + LINE_BYTES + IO_ALIGN - 1) / IO_ALIGN * IO_ALIGN;
	if (end > SLOT_BYTES)
		end = SLOT_BYTES;
	return io_pread(fd, slot + IO_ALIGN, end - IO_ALIGN, offset + IO_ALIGN);
}

/* As the line has it, true or not; 0 without one. */
static uint64_t slot_generation(const char *slot)
{
	uint64_t generation;

	return sscanf(slot, SLOT_MAGIC "generation=%16" SCNx64, &generation) == 1 ? generation : 0;
}

/* 1: @rec is filled; 0: no slot was ever written here; -EBADMSG: damaged. */
static int slot_parse(char *slot, struct record *rec)
{
	uint64_t generation;
	uint32_t bytes, crc;
	int r;

	memset(rec, 0, sizeof(*rec));
	slot[SLOT_BYTES - 1] = '\0';
	if (strncmp(slot, SLOT_MAGIC, strlen(SLOT_MAGIC)) != 0)
		return 0;
	if (sscanf(slot, SLOT_MAGIC "generation=%16" SCNx64 " bytes=%8" SCNx32 " crc=%8" SCNx32,
		   &generation, &bytes, &crc) != 3)
		return -EBADMSG;
	if (bytes >= SLOT_BYTES - LINE_BYTES || !line_is(slot, generation, bytes, crc) ||
	    slot_crc(slot, bytes) != crc)
		return -EBADMSG;
	slot[LINE_BYTES + bytes] = '\0';
	r = record_parse(slot + LINE_BYTES, rec);
	if (r < 0)
		return r;
	rec->generation = generation;
	return 1;
}

int record_load(int fd, struct record *rec)
{
	struct record *other = malloc(sizeof(*other));
	char *slot = io_alloc(SLOT_BYTES);
	int r = other && slot ? 0 : -ENOMEM;
	bool found = false, damaged = false;
	unsigned int i;

	for (i = 0; i < SLOT_COUNT && r >= 0; i++) {
		r = slot_read(fd, slot, slot_offset(i));
		if (r < 0)
			break;
		if (found && slot_generation(slot) <= rec->generation)
			continue;	/* the twin, nearly always */
		r = slot_parse(slot, found ? other : rec);
		if (r == 1 && found)
			*rec = *other;
		found |= r == 1;
		damaged |= r < 0;
		r = 0;
	}
	free(slot);
	free(other);
	if (r == -ENODATA)
		return -ENOENT;		/* a device too small for a header has no record */
	if (r < 0)
		return r;
	return found ? 0 : damaged ? -EBADMSG : -ENOENT;
}

int record_slots(int fd, uint64_t generation[2])
{
	struct record *rec = malloc(sizeof(*rec));
	char *slot = io_alloc(SLOT_BYTES);
	int r = rec && slot ? 0 : -ENOMEM;
	unsigned int i;

	for (i = 0; i < SLOT_COUNT && r == 0; i++) {
		r = slot_read(fd, slot, slot_offset(i));
		if (r == 0)
			generation[i] = slot_parse(slot, rec) == 1 ? rec->generation : 0;
	}
	free(slot);
	free(rec);
	return r;
}

/* Fill @slot with @rec; the number of bytes to write, a multiple of IO_ALIGN, or -errno. */
static ssize_t slot_build(char *slot, const struct record *rec)
{
	FILE *out = fmemopen(slot + LINE_BYTES, SLOT_BYTES - LINE_BYTES, "w");
	uint32_t bytes, crc;
	char line[LINE_BYTES + 1];
	long end;

	if (!out)
		return -errno;
	record_print(rec, out);
	if (fflush(out) == EOF || ferror(out) || (end = ftell(out)) < 0) {
		fclose(out);
		return -EFBIG;
	}
	fclose(out);
	bytes = (uint32_t)end;
	memset(slot + LINE_BYTES + bytes, 0, SLOT_BYTES - LINE_BYTES - bytes);
	snprintf(line, sizeof(line), SLOT_LINE, rec->generation, bytes, (uint32_t)0);
	memcpy(slot, line, LINE_BYTES);
	crc = slot_crc(slot, bytes);
	snprintf(line, sizeof(line), SLOT_LINE, rec->generation, bytes, crc);
	memcpy(slot, line, LINE_BYTES);
	return (ssize_t)((LINE_BYTES + bytes + IO_ALIGN - 1) / IO_ALIGN * IO_ALIGN);
}

int record_commit(int fd, struct record *rec)
{
	char *slot = io_alloc(SLOT_BYTES);
	unsigned int i;
	ssize_t bytes;
	int r = 0;

	if (!slot)
		return -ENOMEM;
	rec->generation++;
	bytes = slot_build(slot, rec);
	if (bytes < 0)
		r = (int)bytes;
	for (i = 0; i < SLOT_COUNT && r == 0; i++) {
		r = io_pwrite(fd, slot, (size_t)bytes, slot_offset(i));
		if (r == 0 && fdatasync(fd) < 0)
			r = -errno;
	}
	free(slot);
	return r;
}

int record_erase(int fd)
{
	char *header = io_alloc(HEADER_BYTES);
	int r;

	if (!header)
		return -ENOMEM;
	memcpy(header, banner, sizeof(banner));
	r = io_pwrite(fd, header, HEADER_BYTES, 0);
	free(header);
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	return r;
}
