// SPDX-License-Identifier: GPL-2.0
/*
 * The matrix as one page: nothing is fetched, no script is needed, and it is
 * well-formed as XML. A cell opens on a click; its sentence shows on hovering.
 */
#include "matrix.h"

#include <string.h>

static const char head[] =
"<!DOCTYPE html>\n"
"<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n"
"<head>\n"
"<meta charset=\"utf-8\"/>\n"
"<title>daxlab matrix</title>\n"
"<style>\n"
"body { font: 14px/1.4 sans-serif; margin: 2em; color: #222; background: #fff }\n"
"table { border-collapse: collapse }\n"
"th, td { border: 1px solid #ccc; padding: 2px 6px; text-align: center }\n"
"th.scenario { text-align: left; white-space: nowrap }\n"
"th.variant { text-align: left; font: 12px monospace; white-space: nowrap;\n"
"\twriting-mode: vertical-rl; transform: rotate(180deg) }\n"
"thead th { position: sticky; top: 0; background: #eee; z-index: 1 }\n"
"td.C, span.C { background: #c62828; color: #fff }\n"
"td.P, span.P { background: #2e7d32; color: #fff }\n"
"td.c, span.c { background: #f6c7c7 }\n"
"td.p, span.p { background: #d3ebd4 }\n"
"td.n, span.n { background: #f2f2f2; color: #888 }\n"
"td.odd, span.odd { background: #ffb300; font-weight: bold }\n"
"summary { list-style: none; cursor: pointer }\n"
"summary::-webkit-details-marker { display: none }\n"
"details[open] div { position: absolute; max-width: 60em; text-align: left; z-index: 2;\n"
"\tbackground: #fff; color: #222; border: 1px solid #888; padding: 1em; overflow: auto }\n"
"pre { font-size: 12px; margin: 0.5em 0 0 }\n"
"dl { display: grid; grid-template-columns: max-content auto; gap: 2px 1em }\n"
"dt { font-weight: bold }\n"
"dd { margin: 0 }\n"
"span { padding: 0 6px }\n"
"@media (prefers-color-scheme: dark) {\n"
"\tbody { background: #181818; color: #ddd }\n"
"\tthead th { background: #333 }\n"
"\ttd.c, span.c, td.p, span.p, td.n, span.n { color: #222 }\n"
"}\n"
"</style>\n"
"</head>\n"
"<body>\n"
"<h1>daxlab matrix</h1>\n";

static const char legend[] =
"<h2>Legend</h2>\n"
"<p><span class=\"C\">C</span> caught and <span class=\"P\">P</span> passed, as expected of this\n"
"scenario in this variant; <span class=\"c\">c</span> caught, <span class=\"p\">p</span> passed,\n"
"<span class=\"n\">-</span> the path was not taken, where the scenario expects nothing;\n"
"<span class=\"odd\">!</span> not as expected. Point at a cell for the verdict, click for the\n"
"kernel's report.</p>\n";

static void escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c >= 0x20 || c == '\n' || c == '\t')
			fputc(c, out);
	}
}

static const char *class_of(char letter)
{
	static const char *const name[] = { ['C'] = "C", ['P'] = "P", ['c'] = "c", ['p'] = "p",
					    ['-'] = "n", ['!'] = "odd", ['?'] = "odd" };

	return name[(unsigned char)letter];
}

static void print_cell(FILE *out, const struct matrix *matrix, int row, int variant)
{
	const struct series *cell = matrix_cell(matrix, row, variant);
	const char *words = cell->unexpected && cell->odd_words ? cell->odd_words : cell->words;
	char letter = matrix_letter(cell), sentence[1024];

	if (letter == ' ') {
		fputs("<td></td>", out);
		return;
	}
	matrix_sentence(cell, sentence, sizeof(sentence));
	fprintf(out, "<td class=\"%s\" title=\"", class_of(letter));
	escaped(out, sentence);
	fprintf(out, "\"><details><summary>%c</summary><div><b>%s ", letter, cell->scenario->id);
	escaped(out, matrix_variant_name(matrix, variant));
	fprintf(out, "</b>: %lu runs, %lu caught, %lu passed, %lu inconclusive<br/>", cell->runs,
		cell->nr[CAUGHT], cell->nr[PASSED], cell->nr[INCONCLUSIVE]);
	escaped(out, sentence);
	if (cell->expect && cell->expect->note) {
		fputs("<br/><i>", out);
		escaped(out, cell->expect->note);
		fputs("</i>", out);
	}
	if (words && *words) {
		fputs("<pre>", out);
		escaped(out, words);
		fputs("</pre>", out);
	}
	fputs("</div></details></td>\n", out);
}

void matrix_print_html(const struct matrix *matrix, FILE *out)
{
	int row, variant;

	fputs(head, out);
	fprintf(out, "<p>%d scenarios in %d variants on %s, %lu runs each, seed %llu.</p>\n",
		matrix->nr_scenarios, matrix->nr_variants, matrix->dev, matrix->repeat,
		matrix->seed);
	fputs("<table>\n<thead><tr><th></th>", out);
	for (variant = 0; variant < matrix->nr_variants; variant++) {
		fputs("<th class=\"variant\">", out);
		escaped(out, matrix_variant_name(matrix, variant));
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n<tbody>\n", out);
	for (row = 0; row < matrix->nr_scenarios; row++) {
		fprintf(out, "<tr><th class=\"scenario\" title=\"%s: ",
			matrix->scenario[row]->name);
		escaped(out, matrix->scenario[row]->title);
		fprintf(out, "\">%s</th>\n", matrix->scenario[row]->id);
		for (variant = 0; variant < matrix->nr_variants; variant++)
			print_cell(out, matrix, row, variant);
		fputs("</tr>\n", out);
	}
	fputs("</tbody>\n</table>\n", out);
	fputs(legend, out);
	fputs("<h2>Scenarios</h2>\n<dl>\n", out);
	for (row = 0; row < matrix->nr_scenarios; row++) {
		fprintf(out, "<dt>%s %s</dt><dd>", matrix->scenario[row]->id,
			matrix->scenario[row]->name);
		escaped(out, matrix->scenario[row]->title);
		fputs("</dd>\n", out);
	}
	fputs("</dl>\n</body>\n</html>\n", out);
}
