/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * operations.h - single operations that others are made of; each returns as operation_run().
 */
#ifndef ZUMASTOR_MODEL_OPERATIONS_H
#define ZUMASTOR_MODEL_OPERATIONS_H

#include "model.h"

int op_snapshot(struct model *model);
int op_revert(struct model *model);

#endif
