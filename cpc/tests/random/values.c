/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "random.h"

#include <stdarg.h>
#include <stdio.h>

const char *const type_names[N_TYPES + 1] = {
    "uint8_t",     "uint32_t",     "uint64_t",      "float",        "double",
    "long double", "struct small", "struct floats", "struct large", "union mix",
    "vector",      "uint64_t *",   "void",
};

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators) */
static uint64_t next_random(void)
{
    uint64_t z = (program.seed += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

unsigned below(unsigned n)
{
    return (unsigned)(next_random() % n);
}

bool one_in(unsigned n)
{
    return below(n) == 0;
}

void line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("%*s", (int)program.indent * 4, "");
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

const char *text(const char *format, ...)
{
    static char ring[64][400];
    static unsigned at;
    char *one = ring[at++ % 64];
    va_list args;

    va_start(args, format);
    vsnprintf(one, sizeof(ring[0]), format, args);
    va_end(args);
    return one;
}

/* --- numbers --------------------------------------------------------------------------- */

/* What a variable is worth as a number. */
static const char *number_in(const Var *var)
{
    static const char *const fields[] = { "a", "b", "c" };
    static const char *const floats[] = { "x", "y" };

    switch (var->type) {
    case FLOAT:
    case DOUBLE:
    case LONG_DOUBLE:
        return text("(uint64_t)(int64_t)%s", var->name);
    case SMALL:
        return text("%s.%s", var->name, fields[below(3)]);
    case FLOATS:
        return text("(uint64_t)(int64_t)%s.%s", var->name, floats[below(2)]);
    case LARGE:
        return one_in(2) ? text("%s.many[%u]", var->name, below(6))
                         : text("%s.inner.%s", var->name, fields[below(3)]);
    case MIX:
        return one_in(2) ? text("%s.whole", var->name)
                         : text("%s.bytes[%u]", var->name, below(8));
    case VECTOR:
        return text("%s[%u]", var->name, below(8));
    case POINTER:
        return text("*%s", var->name);
    default:
        return text("%s", var->name);
    }
}

static const char *leaf(void)
{
    if (program.n_vars == 0 || one_in(5)) {
        return text("%uu", below(1000));
    }
    return number_in(&program.vars[below(program.n_vars)]);
}

const char *number(void)
{
    static const char *const operators[] = { "+", "-", "*", "^", "&", "|" };
    const char *a = leaf();

    if (one_in(3)) {
        return a;
    }
    return text("((uint64_t)%s %s (uint64_t)%s)", a, operators[below(6)], leaf());
}

static const char *small_float(void)
{
    return text("(double)(%s & 1023) * 0.25", number());
}

const char *value_of(Type type)
{
    switch (type) {
    case FLOAT:
    case DOUBLE:
    case LONG_DOUBLE:
        return text("(%s)(%s)", type_names[type], small_float());
    case SMALL:
        return text("(struct small){ %s, (uint32_t)%s, %s & 7, 1 }", number(), number(),
                    leaf());
    case FLOATS:
        return text("(struct floats){ (float)(%s), 2.5 }", small_float());
    case LARGE:
        return text("make_large(%s)", number());
    case MIX:
        return text("(union mix){ .whole = %s }", number());
    case VECTOR:
        return text("make_vector((uint32_t)%s)", number());
    case POINTER:
        return "&shared";
    default:
        return text("(%s)%s", type_names[type], number());
    }
}

const char *argument(Type type)
{
    Var *var = find_var(type);

    if (type == POINTER) {
        Var *target = find_var(U64);
        if (target && (!var || one_in(2))) {
            return text("&%s", target->name);
        }
    }
    return var && !one_in(3) ? var->name : value_of(type);
}

/* --- variables ------------------------------------------------------------------------- */

Var *find_var(Type type)
{
    unsigned n = program.n_vars, from = n ? below(n) : 0;

    for (unsigned i = 0; i < n; i++) {
        Var *var = &program.vars[(from + i) % n];
        if (var->type == type) {
            return var;
        }
    }
    return NULL;
}

void note_var(const Var *var)
{
    line("note(%s);", number_in(var));
}

bool has_room_for_vars(void)
{
    return program.n_vars < MAX_VARS - 4;
}

Var *add_var(Type type, const char *prefix)
{
    Var *var = &program.vars[program.n_vars++];

    var->type = type;
    snprintf(var->name, sizeof(var->name), "%s%u", prefix, program.n_names++);
    return var;
}

static void declare_pointer(void)
{
    const Var *target = find_var(U64);

    if (target) {
        const char *name = text("%s", target->name);
        Var *var = add_var(POINTER, "p");
        line("uint64_t *%s = &%s;", var->name, name);
    }
}

void declare_var(Type type)
{
    if (!has_room_for_vars()) {
        return;
    }
    if (type == POINTER) {
        declare_pointer();
        return;
    }
    const char *value = value_of(type);
    Var *var = add_var(type, "v");
    line("%s %s = %s;", type_names[type], var->name, value);
}
