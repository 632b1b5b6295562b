/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sources: QEMU 7.2 docs/system/device-url-syntax.rst.inc; for rbd, which has no URL,
 * block/rbd.c: "rbd:pool/image[@snapshot][:key=value...]", where ':', '@' and '=' in
 * values are escaped with '\'.
 */
#include "guest/import/disk-url.h"

#include <string.h>

typedef struct {
    const char *name;
    const char *host;
    const char *port;
    const char *socket;
} Place;

typedef char *MakeUrl(OstlerImporter *import, xmlNode *source, const Place *place);

/* RFC 3986: what stands for itself in a path. */
static char *path_of(const char *name)
{
    return g_uri_escape_string(name ? name : "", "/:@!$&'()*+,;=", false);
}

/* "host:port", or nothing of it; an IPv6 address gets its brackets. */
static char *authority(const Place *place)
{
    const char *host = place->host ? place->host : "localhost";
    bool is_v6 = strchr(host, ':') && *host != '[';

    return g_strconcat(is_v6 ? "[" : "", host, is_v6 ? "]" : "", place->port ? ":" : "",
                       place->port ? place->port : "", NULL);
}

static char *nbd_url(OstlerImporter *import, xmlNode *source, const Place *place)
{
    g_autofree char *path = path_of(place->name);
    g_autofree char *host = authority(place);

    if (place->socket) {
        g_autofree char *socket = path_of(place->socket);
        return g_strdup_printf("nbd+unix:///%s?socket=%s", path, socket);
    }
    return g_strdup_printf("nbd://%s/%s", host, path);
}

/* libvirt's name is "iqn/lun", and lun 0 when there is none. */
static char *iscsi_url(OstlerImporter *import, xmlNode *source, const Place *place)
{
    g_autofree char *host = authority(place);
    g_autofree char *path = path_of(place->name);

    if (!place->name || !place->host) {
        return NULL;
    }
    return g_strdup_printf("iscsi://%s/%s%s", host, path,
                           strchr(place->name, '/') ? "" : "/0");
}

static char *web_url(OstlerImporter *import, xmlNode *source, const Place *place)
{
    const char *protocol = ostler_import_peek(import, source, "@protocol");
    const char *query = ostler_import_take(import, source, "@query");
    g_autofree char *host = authority(place);
    g_autofree char *path = path_of(place->name);

    if (!place->host) {
        return NULL;
    }
    return g_strdup_printf("%s://%s%s%s%s%s", protocol, host, *path == '/' ? "" : "/",
                           path, query ? "?" : "", query ? query : "");
}

static char *gluster_url(OstlerImporter *import, xmlNode *source, const Place *place)
{
    g_autofree char *path = path_of(place->name);
    g_autofree char *host = authority(place);

    if (!place->name) {
        return NULL;
    }
    if (place->socket) {
        g_autofree char *socket = path_of(place->socket);
        return g_strdup_printf("gluster+unix:///%s?socket=%s", path, socket);
    }
    return g_strdup_printf("gluster://%s/%s", host, path);
}

static char *nfs_url(OstlerImporter *import, xmlNode *source, const Place *place)
{
    g_autofree char *host = authority(place);
    g_autofree char *path = path_of(place->name);

    return place->name
               ? g_strdup_printf("nfs://%s%s%s", host, *path == '/' ? "" : "/", path)
               : NULL;
}

static void append_escaped(GString *url, const char *value)
{
    for (; *value; value++) {
        if (strchr(":@=\\", *value)) {
            g_string_append_c(url, '\\');
        }
        g_string_append_c(url, *value);
    }
}

static void append_monitors(OstlerImporter *import, xmlNode *source, GString *url)
{
    const char *separator = ":mon_host=";

    for (xmlNode *host = ostler_import_first(source, "host"); host;
         host = ostler_import_next(host)) {
        const char *name = ostler_import_take(import, host, "@name");
        const char *port = ostler_import_take(import, host, "@port");

        if (!name) {
            continue;
        }
        g_autofree char *bracketed =
            strchr(name, ':') ? g_strdup_printf("[%s]", name) : g_strdup(name);
        g_string_append(url, separator);
        append_escaped(url, bracketed);
        if (port) {
            g_string_append_printf(url, "\\:%s", port);
        }
        separator = "\\;";
    }
}

static char *rbd_url(OstlerImporter *import, xmlNode *source, const Place *place)
{
    const char *snapshot = ostler_import_take(import, source, "snapshot/@name");
    const char *config = ostler_import_take(import, source, "config/@file");
    g_autoptr(GString) url = g_string_new("rbd:");

    if (!place->name) {
        return NULL;
    }
    append_escaped(url, place->name);
    if (snapshot) {
        g_string_append_c(url, '@');
        append_escaped(url, snapshot);
    }
    append_monitors(import, source, url);
    if (config) {
        g_string_append(url, ":conf=");
        append_escaped(url, config);
    }
    return g_strdup(url->str);
}

static const struct {
    const char *protocol;
    MakeUrl *make;
} protocols[] = {
    { "nbd", nbd_url },  { "rbd", rbd_url },   { "iscsi", iscsi_url },
    { "http", web_url }, { "https", web_url }, { "ftp", web_url },
    { "ftps", web_url }, { "ssh", web_url },   { "gluster", gluster_url },
    { "nfs", nfs_url },
};

const char *ostler_import_disk_url(OstlerImporter *import, xmlNode *source)
{
    const char *protocol = ostler_import_take(import, source, "@protocol");
    Place place = { .name = ostler_import_take(import, source, "@name") };
    xmlNode *host = ostler_import_enter(source, "host");

    if (host) {
        place.host = ostler_import_take(import, host, "@name");
        place.port = ostler_import_take(import, host, "@port");
        place.socket = ostler_import_take(import, host, "@socket");
        if (g_strcmp0(ostler_import_peek(import, host, "@transport"), "rdma") != 0) {
            ostler_import_take(import, host, "@transport");
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(protocols); i++) {
        if (g_strcmp0(protocol, protocols[i].protocol) == 0) {
            char *url = protocols[i].make(import, source, &place);
            g_ptr_array_add(import->strings, url);
            return url;
        }
    }
    return NULL;
}
