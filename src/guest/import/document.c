/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/import/document.h"

#include "guest/import/report.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

/* Without XML_PARSE_HUGE libxml2 keeps its own limits (depth 256, names 50 kB, text
 * 10 MB); without NOENT, DTDLOAD and DTDATTR it has no reason to read another file. */
#define PARSE_OPTIONS                                                                  \
    (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |   \
     XML_PARSE_BIG_LINES)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlParserCtxt, xmlFreeParserCtxt)

/* What the parser met first: later complaints follow from it. */
typedef struct {
    bool has_dtd;
    int line;
    char *why;
} Trouble;

/* A domain has no use for a DTD, and a DTD is where entity bombs and references to
 * other files live: stop at its first word. */
static void refuse_dtd(void *data, const xmlChar *name, const xmlChar *external_id,
                       const xmlChar *system_id)
{
    xmlParserCtxt *parser = data;
    Trouble *trouble = parser->_private;

    trouble->has_dtd = true;
    xmlStopParser(parser);
}

#if LIBXML_VERSION >= 21200
typedef const xmlError ParserError;
#else
typedef xmlError ParserError;
#endif

static void remember_trouble(void *data, ParserError *error)
{
    Trouble *trouble = ((xmlParserCtxt *)data)->_private;

    if (!trouble->why && error->level >= XML_ERR_ERROR && error->message) {
        trouble->line = error->line;
        trouble->why = ostler_import_shorten(error->message);
    }
}

static bool fail(const char *file, long line, const char *why, GError **error)
{
    g_set_error(error, OSTLER_IMPORT_ERROR, OSTLER_IMPORT_ERROR_SYNTAX, "%s:%ld: %s",
                file, MAX(line, 1), why);
    return false;
}

static void fail_to_parse(const Trouble *trouble, const char *file, GError **error)
{
    if (trouble->has_dtd) {
        fail(file, 1, "A domain must not have a DOCTYPE", error);
    } else {
        fail(file, trouble->line, trouble->why ? trouble->why : "This is no XML",
             error);
    }
}

/* In document order, without recursion; @depth follows along. */
static const xmlNode *step(const xmlNode *node, unsigned *depth)
{
    if (node->type == XML_ELEMENT_NODE && node->children) {
        (*depth)++;
        return node->children;
    }
    while (node && !node->next) {
        node = node->parent;
        (*depth)--;
    }
    return node && *depth > 0 ? node->next : NULL;
}

static bool check_limits(xmlDoc *document, const char *file, GError **error)
{
    unsigned depth = 1;
    unsigned n_elements = 0;

    for (const xmlNode *node = xmlDocGetRootElement(document); node;
         node = step(node, &depth)) {
        n_elements += node->type == XML_ELEMENT_NODE;
        if (depth > OSTLER_IMPORT_MAX_DEPTH) {
            return fail(file, xmlGetLineNo(node),
                        "Elements are nested deeper than any domain's", error);
        }
        if (n_elements > OSTLER_IMPORT_MAX_ELEMENTS) {
            return fail(file, xmlGetLineNo(node), "More elements than any domain has",
                        error);
        }
    }
    return true;
}

static xmlDoc *read_document(const char *xml, size_t size, const char *file,
                             GError **error)
{
    Trouble trouble = { 0 };
    g_autoptr(xmlParserCtxt) parser = xmlNewParserCtxt();

    parser->_private = &trouble;
    parser->sax->internalSubset = refuse_dtd;
    parser->sax->externalSubset = refuse_dtd;
    parser->sax->serror = remember_trouble;

    g_autoptr(xmlDoc) document =
        xmlCtxtReadMemory(parser, xml, (int)size, NULL, NULL, PARSE_OPTIONS);
    g_autofree char *why = trouble.why; /* owned from here */
    if (!document || trouble.has_dtd || !xmlDocGetRootElement(document)) {
        fail_to_parse(&trouble, file, error);
        return NULL;
    }
    return g_steal_pointer(&document);
}

xmlDoc *ostler_import_parse(const char *xml, size_t size, const char *file,
                            GError **error)
{
    if (size > OSTLER_IMPORT_MAX_BYTES) {
        fail(file, 1, "Longer than any domain's XML", error);
        return NULL;
    }
    if (size == 0) {
        fail(file, 1, "The file is empty", error);
        return NULL;
    }

    g_autoptr(xmlDoc) document = read_document(xml, size, file, error);
    if (!document || !check_limits(document, file, error)) {
        return NULL;
    }
    return g_steal_pointer(&document);
}
