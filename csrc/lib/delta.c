// SPDX-License-Identifier: GPL-2.0-or-later
/* delta.c - see delta.h. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "io.h"

static_assert((int)DELTA_DIGEST == SHA256_DIGEST_SIZE, "the chain is of SHA-256");
static_assert((int)DELTA_BLOCK == (int)IO_ALIGN, "extents must be fit for O_DIRECT");

#define TIME_MAX UINT64_C(253402300799)		/* the year 9999, where calendars end */
#define VOLUME_MAX (UINT64_C(1) << 60)		/* sums of two addresses fit 64 bits, signed */
#define CHUNK_MAX (UINT64_C(1) << 30)

static const char must[] = "must-";

bool delta_is_full(const struct delta_facts *facts)
{
	return strcmp(facts->base, "none") == 0;
}

/* Text. */

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

int delta_next_line(char **text, char **key, char **value)
{
	char *line = *text, *end = strchr(line, '\n'), *equals;

	if (line[0] == '\0')
		return 0;
	if (!end)
		return -EBADMSG;
	*end = '\0';
	*text = end + 1;
	equals = strchr(line, '=');
	if (!equals || equals == line || !is_printable(line))
		return -EBADMSG;
	*equals = '\0';
	*key = line;
	*value = equals + 1;
	return 1;
}

int delta_ignored(const char *key)
{
	return strncmp(key, must, sizeof(must) - 1) == 0 ? -EBADMSG : 0;
}

/* Facts. */

enum fact_type { CONSTANT, UUID, BASE, NAME, KINDS, NUMBER, MODE };

static const struct fact {
	const char *key;
	enum fact_type type;
	const char *constant;
	size_t at;			/* in struct delta_facts */
	uint64_t max;
	bool optional;
} facts_known[] = {
	{ "format", CONSTANT, .constant = "1" },
	{ "volume", UUID, .at = offsetof(struct delta_facts, volume) },
	{ "name", NAME, .at = offsetof(struct delta_facts, name) },
	{ "base", BASE, .at = offsetof(struct delta_facts, base) },
	{ "snapshot", UUID, .at = offsetof(struct delta_facts, snapshot) },
	{ "time", NUMBER, .at = offsetof(struct delta_facts, time), .max = TIME_MAX },
	{ "kinds", KINDS, .at = offsetof(struct delta_facts, kinds) },
	{ "volume_bytes", NUMBER, .at = offsetof(struct delta_facts, volume_bytes),
	  .max = VOLUME_MAX },
	{ "chunk_bytes", NUMBER, .at = offsetof(struct delta_facts, chunk_bytes),
	  .max = CHUNK_MAX },
	{ "must-resume", NUMBER, .at = offsetof(struct delta_facts, resume), .max = VOLUME_MAX,
	  .optional = true },
	{ "mode", MODE, .optional = false },
	{ "digest", CONSTANT, .constant = "sha256" },
};

enum { FACTS = sizeof(facts_known) / sizeof(facts_known[0]) };

/* Each is_...() bounds the length by the size of the field it guards. */
static int fact_take(struct delta_facts *facts, const struct fact *fact, const char *value)
{
	void *to = (char *)facts + fact->at;
	bool valid = false;

	switch (fact->type) {
	case MODE:
		facts->xor = strcmp(value, "xor") == 0;
		return facts->xor || strcmp(value, "raw") == 0 ? 0 : -EBADMSG;
	case CONSTANT:
		return strcmp(value, fact->constant) == 0 ? 0 : -EBADMSG;
	case NUMBER:
		return num_u64(value, fact->max, to) < 0 ? -EBADMSG : 0;
	case UUID:
		valid = is_uuid(value);
		break;
	case BASE:
		valid = is_uuid(value) || strcmp(value, "none") == 0;
		break;
	case NAME:
		valid = is_name(value);
		break;
	case KINDS:
		valid = is_kinds(value);
		break;
	}
	if (!valid)
		return -EBADMSG;
	strcpy(to, value);
	return 0;
}

/* The others are constants of the format, or have a default. */
static bool is_of_description(const struct fact *fact)
{
	return fact->type != CONSTANT && fact->type != MODE;
}

static int fact_find(const char *key)
{
	int i;

	for (i = 0; i < FACTS; i++)
		if (strcmp(facts_known[i].key, key) == 0)
			return i;
	return -1;
}

static bool facts_sound(const struct delta_facts *facts, const char **wrong)
{
	*wrong = "volume_bytes";
	if (facts->volume_bytes == 0 || facts->volume_bytes % SECTOR_SIZE != 0)
		return false;
	*wrong = "must-resume";
	if (facts->resume > facts->volume_bytes ||
	    (facts->resume % DELTA_BLOCK != 0 && facts->resume != facts->volume_bytes))
		return false;
	*wrong = "mode";
	if (facts->xor && delta_is_full(facts))
		return false;
	*wrong = "chunk_bytes";
	return is_power_of_two(facts->chunk_bytes) && facts->chunk_bytes >= DELTA_BLOCK;
}

/* 0, or -EBADMSG: a key or value that is wrong, or that was there before. */
static int facts_line(struct delta_facts *facts, unsigned int *seen, bool described,
		      const char *key, const char *value)
{
	int i = fact_find(key);

	if (i < 0)
		return described ? -EBADMSG : delta_ignored(key);
	if (*seen & 1U << i)
		return -EBADMSG;
	*seen |= 1U << i;
	return fact_take(facts, &facts_known[i], value);
}

int delta_facts_parse(struct delta_facts *facts, char *text, bool described, const char **wrong)
{
	unsigned int seen = 0;
	char *key, *value;
	int r, i;

	memset(facts, 0, sizeof(*facts));
	*wrong = "a line";
	while ((r = delta_next_line(&text, &key, &value)) > 0) {
		*wrong = key;
		r = facts_line(facts, &seen, described, key, value);
		if (r < 0)
			return r;
		*wrong = "a line";
	}
	if (r < 0)
		return r;
	for (i = 0; i < FACTS; i++) {
		*wrong = facts_known[i].key;
		if (!(seen & 1U << i) && !facts_known[i].optional &&
		    !(described && !is_of_description(&facts_known[i])))
			return -EBADMSG;
	}
	return facts_sound(facts, wrong) ? 0 : -EBADMSG;
}

size_t delta_facts_text(const struct delta_facts *facts, char text[DELTA_HEADER_TEXT])
{
	int length = snprintf(text, DELTA_HEADER_TEXT,
			      "volume=%s\nname=%s\nbase=%s\nsnapshot=%s\ntime=%" PRIu64 "\n"
			      "kinds=%s\nvolume_bytes=%" PRIu64 "\nchunk_bytes=%" PRIu64 "\n",
			      facts->volume, facts->name, facts->base, facts->snapshot, facts->time,
			      facts->kinds, facts->volume_bytes, facts->chunk_bytes);

	if (facts->resume > 0)
		length += snprintf(text + length, DELTA_HEADER_TEXT - (size_t)length,
				   "must-resume=%" PRIu64 "\n", facts->resume);
	if (facts->xor)
		length += snprintf(text + length, DELTA_HEADER_TEXT - (size_t)length, "mode=xor\n");
	return (size_t)length;
}

size_t delta_header_text(const struct delta_facts *facts, char text[DELTA_HEADER_TEXT])
{
	char middle[DELTA_HEADER_TEXT];
	int length;

	delta_facts_text(facts, middle);
	length = snprintf(text, DELTA_HEADER_TEXT, "format=1\n%s%sdigest=sha256\n", middle,
			  facts->xor ? "" : "mode=raw\n");
	return (size_t)length;
}

/* Segments. */

void delta_extent_add(struct delta_extent *list, unsigned int *count, uint64_t offset,
		      uint64_t length)
{
	struct delta_extent *last = *count > 0 ? &list[*count - 1] : NULL;

	if (last && last->offset + last->length == offset)
		last->length += length;
	else
		list[(*count)++] = (struct delta_extent){ offset, length };
}

struct delta_segment *delta_segment_new(void)
{
	struct delta_segment *seg = calloc(1, sizeof(*seg));

	if (!seg)
		return NULL;
	seg->buffer = io_alloc(DELTA_SEGMENT_BYTES);
	if (!seg->buffer) {
		free(seg);
		return NULL;
	}
	return seg;
}

void delta_segment_free(struct delta_segment *seg)
{
	if (seg)
		free(seg->buffer);
	free(seg);
}

void delta_segment_clear(struct delta_segment *seg)
{
	seg->data_count = 0;
	seg->zero_count = 0;
	seg->xor_count = 0;
	seg->bytes = 0;
}

/* 0 if each extent is aligned, in the volume and behind the one before, with a gap. */
static int extents_check(const struct delta_extent *list, unsigned int count, uint64_t floor,
			 uint64_t volume_bytes, uint64_t *sum)
{
	uint64_t end;
	unsigned int i;

	*sum = 0;
	for (i = 0; i < count; i++) {
		if (__builtin_add_overflow(list[i].offset, list[i].length, &end))
			return -EBADMSG;
		if (list[i].length == 0 || list[i].offset < floor || end > volume_bytes)
			return -EBADMSG;
		if (list[i].offset % DELTA_BLOCK != 0)
			return -EBADMSG;
		if (end % DELTA_BLOCK != 0 && end != volume_bytes)
			return -EBADMSG;
		*sum += list[i].length;
		floor = end + 1;
	}
	return 0;
}

static bool lists_overlap(const struct delta_segment *seg)
{
	unsigned int d = 0, z = 0;

	while (d < seg->data_count && z < seg->zero_count) {
		const struct delta_extent *data = &seg->data[d], *zero = &seg->zero[z];

		if (data->offset + data->length <= zero->offset)
			d++;
		else if (zero->offset + zero->length <= data->offset)
			z++;
		else
			return true;
	}
	return false;
}

/* Each in one extent of data; these do not touch. */
static bool xor_in_data(const struct delta_segment *seg)
{
	unsigned int d = 0, x = 0;

	while (d < seg->data_count && x < seg->xor_count) {
		const struct delta_extent *data = &seg->data[d], *xor = &seg->xor[x];

		if (data->offset + data->length <= xor->offset)
			d++;
		else if (xor->offset < data->offset || xor->offset + xor->length > data->offset + data->length)
			return false;
		else
			x++;
	}
	return x == seg->xor_count;
}

int delta_segment_check(const struct delta_segment *seg, const struct delta_facts *facts,
			uint64_t floor)
{
	uint64_t data_bytes, zero_bytes, xor_bytes;
	int r;

	if (seg->data_count + seg->zero_count == 0)
		return -EBADMSG;
	if (seg->data_count > DELTA_EXTENTS || seg->zero_count > DELTA_EXTENTS ||
	    seg->xor_count > DELTA_EXTENTS)
		return -EBADMSG;
	r = extents_check(seg->data, seg->data_count, floor, facts->volume_bytes, &data_bytes);
	if (r < 0)
		return r;
	r = extents_check(seg->zero, seg->zero_count, floor, facts->volume_bytes, &zero_bytes);
	if (r < 0)
		return r;
	r = extents_check(seg->xor, seg->xor_count, floor, facts->volume_bytes, &xor_bytes);
	if (r < 0)
		return r;
	if (!xor_in_data(seg) || (seg->xor_count > 0 && !facts->xor))
		return -EBADMSG;
	if (data_bytes != seg->bytes || seg->bytes > DELTA_SEGMENT_BYTES)
		return -EBADMSG;
	if (delta_is_full(facts) && seg->zero_count > 0)
		return -EBADMSG;
	return lists_overlap(seg) || seg->offset != delta_segment_first(seg) ? -EBADMSG : 0;
}

uint64_t delta_segment_first(const struct delta_segment *seg)
{
	uint64_t data = seg->data_count > 0 ? seg->data[0].offset : UINT64_MAX;
	uint64_t zero = seg->zero_count > 0 ? seg->zero[0].offset : UINT64_MAX;

	return data < zero ? data : zero;
}

static uint64_t list_end(const struct delta_extent *list, unsigned int count)
{
	return count > 0 ? list[count - 1].offset + list[count - 1].length : 0;
}

uint64_t delta_segment_end(const struct delta_segment *seg)
{
	uint64_t data = list_end(seg->data, seg->data_count);
	uint64_t zero = list_end(seg->zero, seg->zero_count);

	return data > zero ? data : zero;
}

size_t delta_segment_at(const struct delta_segment *seg, uint64_t offset)
{
	const struct delta_extent *data = seg->data;
	size_t at = 0;

	for (; data->offset + data->length <= offset; data++)
		at += data->length;
	return at + (size_t)(offset - data->offset);
}

void delta_totals_add(struct delta_totals *totals, const struct delta_segment *seg)
{
	unsigned int i;

	totals->segments++;
	totals->extents += seg->data_count + seg->zero_count;
	totals->data_bytes += seg->bytes;
	for (i = 0; i < seg->zero_count; i++)
		totals->zero_bytes += seg->zero[i].length;
}

/* The chain.  Numbers go in as 64 bits, big-endian; each list behind its count. */

static void hash_number(struct sha256_ctx *hash, uint64_t number)
{
	uint64_t wire = htobe64(number);

	sha256_update(hash, sizeof(wire), (const uint8_t *)&wire);
}

static void hash_extent(struct sha256_ctx *hash, const struct delta_extent *extent)
{
	hash_number(hash, extent->offset);
	hash_number(hash, extent->length);
}

void delta_chain_start(uint8_t chain[DELTA_DIGEST], const char *text, size_t length)
{
	struct sha256_ctx hash;

	sha256_init(&hash);
	sha256_update(&hash, length, (const uint8_t *)text);
	sha256_digest(&hash, DELTA_DIGEST, chain);
}

void delta_chain_add(uint8_t chain[DELTA_DIGEST], struct delta_segment *seg)
{
	const uint8_t *at = seg->buffer;
	struct sha256_ctx hash;
	unsigned int i;

	sha256_init(&hash);
	sha256_update(&hash, DELTA_DIGEST, chain);
	hash_number(&hash, seg->offset);
	hash_number(&hash, seg->data_count);
	for (i = 0; i < seg->data_count; i++) {
		hash_extent(&hash, &seg->data[i]);
		sha256_update(&hash, seg->data[i].length, at);
		at += seg->data[i].length;
	}
	hash_number(&hash, seg->zero_count);
	for (i = 0; i < seg->zero_count; i++)
		hash_extent(&hash, &seg->zero[i]);
	sha256_digest(&hash, DELTA_DIGEST, chain);
	memcpy(seg->chain, chain, DELTA_DIGEST);
}

void delta_chain_hex(const uint8_t chain[DELTA_DIGEST], char hex[DELTA_HEX])
{
	int i;

	for (i = 0; i < DELTA_DIGEST; i++)
		snprintf(hex + 2 * i, 3, "%02x", chain[i]);
}
