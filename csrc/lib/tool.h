/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool.h - what the main() of every dm-* program begins and ends with.
 *
 * The one part of csrc/lib that prints and exits.
 */
#ifndef ZUMASTOR_TOOL_H
#define ZUMASTOR_TOOL_H

#include <stdint.h>

#include "stack.h"

/*
 * tool_open - the stack of @volume on the device @store, or one line on stderr and an exit.  Its slice is short.
 */
struct stack *tool_open(const char *volume, const char *store);

/*
 * tool_block_device - the number of the block device at @path, or one line on stderr and an exit.
 * tool_need_sectors - exit unless it has so many.
 */
dev_t tool_block_device(const char *path);
void tool_need_sectors(const char *path, uint64_t sectors);

/*
 * tool_match_meta - exit unless a metadata device was given where the volume has one of its own, and only there.
 */
void tool_match_meta(const struct stack *stack, bool given);

/*
 * tool_need_up - exit unless the volume runs; then recover what a crash or kill left.
 */
void tool_need_up(struct stack *stack);

/*
 * tool_snapshot - the snapshot whose id is in @text, or one line on stderr and an exit.
 */
struct snapshot *tool_snapshot(struct stack *stack, const char *text);

/*
 * tool_end - wait for udev, close, flush stdout; when @r is an error say that @action failed.
 *
 * Returns the exit code for main.
 */
int tool_end(struct stack *stack, const char *action, int r);

#endif
