/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Gives up for good what a decoder of strangers' pictures has no need of: from now on no file is opened or looked at,
 * no socket made, no process or program started, no memory made executable; memory, time and descriptors are bounded;
 * the death of who started us is ours.  False:
 * the system refuses, say why() and end.
 */
bool sandbox_enter(const char **why);
