/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "list.h"

#include "../cocheck/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char **names; /* sorted */
    size_t n;
} List;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add(List *list, const char *name)
{
    if ((list->n & (list->n - 1)) == 0) {
        size_t room = list->n == 0 ? 1 : list->n * 2;
        list->names = realloc(list->names, room * sizeof(*list->names));
    }
    list->names[list->n++] = strdup(name);
}

static List read_list(const char *path)
{
    List list = { 0 };
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    FILE *file = fopen(path, "r");

    if (!file) {
        fprintf(stderr, "cpc: Cannot read CPC_LIST '%s'\n", path);
        exit(EXIT_FAILURE);
    }
    while ((length = getline(&line, &room, file)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        add(&list, line);
    }
    free(line);
    fclose(file);
    qsort(list.names, list.n, sizeof(*list.names), by_name);
    return list;
}

/* clang runs one pass at a time, and asks nothing of it after that. */
static const List *the_list(void)
{
    static List list;
    static bool is_read;
    const char *path = getenv("CPC_LIST");

    if (path && !is_read) {
        list = read_list(path);
        is_read = true;
    }
    return &list;
}

bool cpc_list_is_given(void)
{
    return the_list()->n > 0;
}

bool cpc_list_has(const char *name)
{
    const List *list = the_list();

    return list->n > 0 &&
           bsearch(&name, list->names, list->n, sizeof(*list->names), by_name);
}

/* What comes from the caller is not looked up: a twin's parameters have other numbers. */
static bool may_be_any(const char *place)
{
    return cocheck_is_vague(place) ||
           strncmp(place, "parameter ", strlen("parameter ")) == 0;
}

static void ask(const CocheckPlace *place, void *opaque)
{
    bool *has = opaque;
    size_t length;

    if (place->function) {
        *has = *has || cpc_list_has(LLVMGetValueName2(place->function, &length));
    } else {
        *has = *has || may_be_any(place->text) || cpc_list_has(place->text);
    }
}

bool cpc_list_has_pointer(LLVMValueRef call)
{
    bool has = false;

    if (cpc_list_is_given() && !LLVMIsAInlineAsm(LLVMGetCalledValue(call))) {
        cocheck_find_callees(LLVMGetCalledValue(call), LLVMGetCalledFunctionType(call),
                             ask, &has);
    }
    return has;
}
