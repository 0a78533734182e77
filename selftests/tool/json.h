/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON as it is written: the caller opens, names and closes things in order.
 */
#ifndef DAXLAB_JSON_H
#define DAXLAB_JSON_H

#include <stdbool.h>
#include <stdio.h>

struct json {
	FILE *out;
	int depth;
	bool first;	/* nothing was written yet at this depth */
};

/* The key is NULL in arrays and for the outermost thing. */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_close(struct json *json, char bracket);	/* '}' or ']' */
void json_string(struct json *json, const char *key, const char *value);	/* NULL: null */
void json_number(struct json *json, const char *key, unsigned long long value);
void json_real(struct json *json, const char *key, double value);
void json_bool(struct json *json, const char *key, bool value);

#endif
