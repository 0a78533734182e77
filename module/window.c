// SPDX-License-Identifier: GPL-2.0
/*
 * Windows: names, crossings
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "window.h"
#include "entry.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

static const struct {
	const char *name;
	const char *meaning;
	const char *upstream;
	unsigned int flags;
} dxl_windows[] = {
#define DXL_WINDOW_ROW(window, name, flags, meaning, upstream)		\
	{ name, meaning, upstream, flags },
	DXL_WINDOW_TABLE(DXL_WINDOW_ROW)
#undef DXL_WINDOW_ROW
};

/**
 * dxl_window_name() - "path.point".
 * @window: the window
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_window_name(enum dxl_window window)
{
	return dxl_windows[window].name;
}

/**
 * dxl_window_meaning() - What is true there.
 * @window: the window
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_window_meaning(enum dxl_window window)
{
	return dxl_windows[window].meaning;
}

/**
 * dxl_window_upstream() - Where it is in the kernel's own code.
 * @window: the window
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_window_upstream(enum dxl_window window)
{
	return dxl_windows[window].upstream;
}

/**
 * dxl_window_flags() - What may be done there.
 * @window: the window
 *
 * Context: Any context.
 * Return: DXL_WIN_* bits.
 */
unsigned int dxl_window_flags(enum dxl_window window)
{
	return dxl_windows[window].flags;
}

/**
 * dxl_window_find() - The window of a name.
 * @name: "path.point"
 *
 * Context: Any context.
 * Return: enum dxl_window or -EINVAL.
 */
int dxl_window_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxl_windows); i++)
		if (!strcmp(name, dxl_windows[i].name))
			return i;
	return -EINVAL;
}

/**
 * dxl_window_crossed() - A task is at a window; use dxl_window().
 * @window: which
 * @tree: in whose paths
 * @index: page index that the path is about
 * @order: its order
 * @access: read or write, where it is known
 *
 * Context: As the window's flags say.
 * Return: 0.
 */
int dxl_window_crossed(enum dxl_window window, struct dxl_tree *tree,
		       pgoff_t index, unsigned int order,
		       enum dxl_access access)
{
	dxl_note(tree, DXL_EV_WINDOW, index, order, index, window);
	return 0;
}
