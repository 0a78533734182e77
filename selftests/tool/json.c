// SPDX-License-Identifier: GPL-2.0
/*
 * JSON as it is written; json.h says what each function does.
 */
#include "json.h"

static void text(struct json *json, const char *s)
{
	fputc('"', json->out);
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			fprintf(json->out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", json->out);
		else if (c == '\t')
			fputs("\\t", json->out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(json->out, "\\u%04x", c);
		else
			fputc(c, json->out);
	}
	fputc('"', json->out);
}

static void before(struct json *json, const char *key)
{
	if (json->depth)
		fprintf(json->out, "%s\n%*s", json->first ? "" : ",", 2 * json->depth, "");
	json->first = false;
	if (key) {
		text(json, key);
		fputs(": ", json->out);
	}
}

static void open_bracket(struct json *json, const char *key, char bracket)
{
	before(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->first = true;
}

void json_object(struct json *json, const char *key)
{
	open_bracket(json, key, '{');
}

void json_array(struct json *json, const char *key)
{
	open_bracket(json, key, '[');
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (!json->first)
		fprintf(json->out, "\n%*s", 2 * json->depth, "");
	json->first = false;
	fputc(bracket, json->out);
	if (!json->depth)
		fputc('\n', json->out);
}

void json_string(struct json *json, const char *key, const char *value)
{
	before(json, key);
	if (value)
		text(json, value);
	else
		fputs("null", json->out);
}

void json_number(struct json *json, const char *key, unsigned long long value)
{
	before(json, key);
	fprintf(json->out, "%llu", value);
}

void json_real(struct json *json, const char *key, double value)
{
	before(json, key);
	fprintf(json->out, "%.3f", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	before(json, key);
	fputs(value ? "true" : "false", json->out);
}
