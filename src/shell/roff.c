/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shell/roff.h"

#include <string.h>

/* groff_char(7): these would be typeset as something else. */
static const struct {
    char character;
    const char *escape;
} escapes[] = {
    { '\\', "\\e" },  { '-', "\\-" },   { '\'', "\\(aq" },
    { '`', "\\(ga" }, { '^', "\\(ha" }, { '~', "\\(ti" },
};

static const char *escape_of(char character)
{
    for (size_t i = 0; i < G_N_ELEMENTS(escapes); i++) {
        if (escapes[i].character == character) {
            return escapes[i].escape;
        }
    }
    return NULL;
}

char *ostler_roff_escape(const char *text)
{
    /* A '.' at the start of a line would be a request. */
    GString *escaped = g_string_new(*text == '.' ? "\\&" : NULL);

    for (; *text; text++) {
        const char *escape = escape_of(*text);
        if (escape) {
            g_string_append(escaped, escape);
        } else {
            g_string_append_c(escaped, *text);
        }
    }
    return g_string_free(escaped, FALSE);
}

void ostler_roff_title(GString *page, const char *name, const char *section,
                       const char *version, const char *manual)
{
    g_autofree char *upper = g_ascii_strup(name, -1);
    g_autofree char *escaped = ostler_roff_escape(upper);

    g_string_append_printf(page, ".TH %s %s \"\" \"%s\" \"%s\"\n", escaped, section,
                           version, manual);
}

void ostler_roff_heading(GString *page, const char *text)
{
    g_autofree char *escaped = ostler_roff_escape(text);

    g_string_append_printf(page, ".SH %s\n", escaped);
}

void ostler_roff_subheading(GString *page, const char *text)
{
    g_autofree char *escaped = ostler_roff_escape(text);

    g_string_append_printf(page, ".SS %s\n", escaped);
}

void ostler_roff_text(GString *page, const char *text)
{
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);

    for (char **at = paragraphs; *at; at++) {
        g_autofree char *escaped = ostler_roff_escape(*at);
        g_string_append_printf(page, ".PP\n%s\n", escaped);
    }
}

void ostler_roff_entry(GString *page, const char *term, const char *plain,
                       const char *explanation)
{
    g_autofree char *bold = ostler_roff_escape(term);
    g_autofree char *regular = ostler_roff_escape(plain ? plain : "");
    g_autofree char *text = ostler_roff_escape(explanation);

    g_string_append_printf(page, ".TP\n\\fB%s\\fR%s\n%s\n", bold, regular, text);
}

void ostler_roff_example(GString *page, const char *line)
{
    g_autofree char *escaped = ostler_roff_escape(line);

    g_string_append_printf(page, ".PP\n.nf\n.RS 4\n%s\n.RE\n.fi\n", escaped);
}
