// SPDX-License-Identifier: GPL-2.0-or-later
/* history.c - see history.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

static struct promise *find(struct history *history, const char *uuid)
{
	unsigned int i;

	for (i = 0; i < history->promises; i++)
		if (strncmp(history->promise[i].uuid, uuid, UUID_TEXT - 1) == 0)
			return &history->promise[i];
	return NULL;
}

const struct promise *history_find(const struct history *history, const char *uuid)
{
	return find((struct history *)history, uuid);
}

static int add_promise(struct history *history, const char *text)
{
	struct promise *promise = &history->promise[history->promises];

	if (history->promises == PROMISES_MAX)
		return -ENOSPC;
	*promise = (struct promise){ 0 };
	if (sscanf(text, "%36[0-9a-f-]:%" SCNx64, promise->uuid, &promise->sum) != 2)
		return -EBADMSG;
	history->promises++;
	return 0;
}

static int set_promise(struct history *history, const char *uuid, bool removing)
{
	struct promise *promise = find(history, uuid);

	if (!promise)
		return -EBADMSG;
	promise->returned = true;
	promise->removing |= removing;
	return 0;
}

static int set_synced(struct history *history, const char *text)
{
	history->synced = UINT64_MAX;
	if (strcmp(text, "-") == 0)
		return 0;
	return sscanf(text, "%" SCNu64 ":%" SCNu64, &history->seed, &history->synced) == 2 ? 0 : -EBADMSG;
}

static int set_shows(struct history *history, const char *text)
{
	int got = sscanf(text, "%" SCNx64 ",%" SCNx64, &history->shows[0], &history->shows[1]);

	history->shown = got > 0 ? (unsigned int)got : 0;
	history->layered = strcmp(text, "-") == 0;
	return 0;
}

static struct clone_promise *find_clone(struct history *history, const char *name)
{
	unsigned int i;

	for (i = 0; i < history->clones; i++)
		if (strcmp(history->clone[i].name, name) == 0)
			return &history->clone[i];
	return NULL;
}

static int set_clone(struct history *history, const char *text)
{
	struct clone_promise said = { .known = true }, *clone;
	char sum[17];

	if (sscanf(text, "%63[^:]:%16s", said.name, sum) != 2)
		return -EBADMSG;
	if (strcmp(sum, "-") == 0)
		said.known = false;
	else if (sscanf(sum, "%" SCNx64, &said.sum) != 1)
		return -EBADMSG;
	clone = find_clone(history, said.name);
	if (!clone && history->clones == CLONES_PROMISED_MAX)
		return -ENOSPC;
	if (!clone)
		clone = &history->clone[history->clones++];
	*clone = said;
	return 0;
}

static int set_unclone(struct history *history, const char *name)
{
	struct clone_promise *clone = find_clone(history, name);

	if (!clone)
		return -EBADMSG;
	clone->removing = true;
	return 0;
}

/* The text behind @word, or NULL. */
static const char *after(const char *mark, const char *word)
{
	size_t length = strlen(word);

	return strncmp(mark, word, length) == 0 ? mark + length : NULL;
}

int history_add(struct history *history, const char *mark)
{
	const char *text;

	if ((text = after(mark, "op:")))
		snprintf(history->op, sizeof(history->op), "%s", text);
	else if ((text = after(mark, "ready")))
		history->ready = true;
	else if ((text = after(mark, "taken:")))
		return add_promise(history, text);
	else if ((text = after(mark, "returned:")))
		return set_promise(history, text, false);
	else if ((text = after(mark, "removing:")))
		return set_promise(history, text, true);
	else if ((text = after(mark, "synced:")))
		return set_synced(history, text);
	else if ((text = after(mark, "shows:")))
		return set_shows(history, text);
	else if ((text = after(mark, "clone:")))
		return set_clone(history, text);
	else if ((text = after(mark, "unclone:")))
		return set_unclone(history, text);
	else
		return -EBADMSG;
	return 0;
}
