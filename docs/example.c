/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * example.c - start a guest, say where it is reached, and shut it down
 *
 *     cc example.c $(pkg-config --cflags --libs ostler) -o example && ./example web
 */
#include <ostler/ostler.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(OstlerError *error)
{
    int code = ostler_error_code(error);

    fprintf(stderr, "example: %s\n", ostler_error_message(error));
    ostler_error_free(error);
    exit(code);
}

int main(int argc, char **argv)
{
    OstlerError *error = NULL;
    OstlerHost *host = ostler_host_open(&error);
    OstlerGuest *guest =
        host ? ostler_host_find(host, argc > 1 ? argv[1] : "", &error) : NULL;

    if (!guest || !ostler_guest_start(guest, NULL, NULL, &error)) {
        return fail(error);
    }
    OstlerGuestNet *net = ostler_guest_net(guest, 30000, &error);
    if (net) {
        const OstlerGuestAddress *first = ostler_guest_net_address(net, 0);
        printf("%s has %s (%s)\n", ostler_guest_name(guest), first->address,
               first->source);
        ostler_guest_net_free(net);
    }
    if (error || !ostler_guest_destroy(guest, &error)) {
        return fail(error);
    }
    ostler_guest_free(guest);
    ostler_host_free(host);
    return 0;
}
