/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random-program SEED - print a C program that uses coroutines in every way that C allows
 *
 * The program runs a few coroutines in turn and prints a hash of all they did.  Its
 * behaviour is defined by the standard and by coroutine.h, so the hash must not depend on
 * the backend or on the -O level; differ.sh compares them.
 *
 * How it ends:   every call and every round of a loop takes one from "fuel"; without fuel
 *                functions return and loops end.
 * How it stays defined:  integers are unsigned, floats stay small, and every variable has
 *                a value from its declaration on.
 * Who calls whom:  a function calls those with higher numbers, and itself.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_FUNCTIONS  9
#define N_PLAIN      3
#define MAX_PARAMS   10
#define MAX_VARS     40
#define N_COROUTINES 3

typedef enum {
    U8,
    U32,
    U64,
    FLOAT,
    DOUBLE,
    LONG_DOUBLE,
    SMALL,   /* in registers */
    FLOATS,  /* in float registers */
    LARGE,   /* in memory */
    VECTOR,  /* aligned more than the arena is */
    POINTER, /* to a u64 of the caller */
    N_TYPES,
    NONE = N_TYPES,
} Type;

static const char *const type_names[] = {
    "uint8_t",      "uint32_t",    "uint64_t",     "float",
    "double",       "long double", "struct small", "struct floats",
    "struct large", "vector",      "uint64_t *",   "void",
};

typedef struct {
    Type type;
    char name[16];
} Var;

typedef struct {
    Type result;
    Type params[MAX_PARAMS];
    unsigned n_params;
    bool is_mixed;
} Function;

static uint64_t state;
static Function functions[N_FUNCTIONS];
static Var vars[MAX_VARS];
static unsigned n_vars, n_names, n_labels, indent, current;

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators) */
static uint64_t next_random(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
    return (unsigned)(next_random() % n);
}

static bool one_in(unsigned n)
{
    return below(n) == 0;
}

__attribute__((format(printf, 1, 2))) static void line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("%*s", (int)indent * 4, "");
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

/* --- values ------------------------------------------------------------------------ */

/* Expressions are written into a string that lives until the 64th after it. */
__attribute__((format(printf, 1, 2))) static const char *text(const char *format, ...)
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
    if (n_vars == 0 || one_in(5)) {
        return text("%uu", below(1000));
    }
    return number_in(&vars[below(n_vars)]);
}

static const char *number(void)
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

static const char *value_of(Type type)
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
    case VECTOR:
        return text("make_vector((uint32_t)%s)", number());
    case POINTER:
        return NULL;
    default:
        return text("(%s)%s", type_names[type], number());
    }
}

static Var *find_var(Type type)
{
    unsigned from = n_vars ? below(n_vars) : 0;

    for (unsigned i = 0; i < n_vars; i++) {
        Var *var = &vars[(from + i) % n_vars];
        if (var->type == type) {
            return var;
        }
    }
    return NULL;
}

static void note_var(const Var *var)
{
    line("note(%s);", number_in(var));
}

static Var *add_var(Type type, const char *prefix)
{
    Var *var = &vars[n_vars++];

    var->type = type;
    snprintf(var->name, sizeof(var->name), "%s%u", prefix, n_names++);
    return var;
}

static void declare_var(Type type)
{
    if (n_vars >= MAX_VARS - 4) {
        return;
    }
    if (type == POINTER) {
        const Var *target = find_var(U64);
        if (target) {
            const char *target_name = text("%s", target->name);
            Var *var = add_var(POINTER, "p");
            line("uint64_t *%s = &%s;", var->name, target_name);
        }
        return;
    }
    const char *value = value_of(type);
    Var *var = add_var(type, "v");
    line("%s %s = %s;", type_names[type], var->name, value);
}

/* --- statements ---------------------------------------------------------------------- */

static void block(unsigned depth);

static const char *argument(Type type)
{
    Var *var = find_var(type);

    if (type == POINTER) {
        Var *target = find_var(U64);
        if (target && (!var || one_in(2))) {
            return text("&%s", target->name);
        }
        return var ? var->name : "&shared";
    }
    return var && !one_in(3) ? var->name : value_of(type);
}

static void print_arguments(const Function *function)
{
    for (unsigned i = 0; i < function->n_params; i++) {
        printf("%s%s", i ? ", " : "", argument(function->params[i]));
    }
}

static void emit_call_of(unsigned callee)
{
    const Function *function = &functions[callee];
    bool is_kept = function->result != NONE && n_vars < MAX_VARS - 4;
    Var *var = is_kept ? add_var(function->result, "r") : NULL;
    printf("%*s", (int)indent * 4, "");
    if (var) {
        printf("%s %s = ", type_names[var->type], var->name);
        n_vars--; /* not yet */
    }
    printf(!function->is_mixed && one_in(3) ? "(*pointer_%u)(" : "f%u(", callee);
    print_arguments(function);
    printf(");\n");
    if (var) {
        n_vars++;
        note_var(var);
    }
}

/* Not too deep: a stack is what the other backend has. */
static void emit_recursion(void)
{
    unsigned before = n_vars;

    line("if (depth_%u++ < 20) {", current);
    emit_call_of(current);
    line("}");
    line("depth_%u--;", current);
    n_vars = before;
}

static void emit_call(void)
{
    if (current > 0 && one_in(6)) {
        emit_recursion();
    } else if (current + 1 < N_FUNCTIONS) {
        emit_call_of(current + 1 + below(N_FUNCTIONS - current - 1));
    } else {
        line("cpc_yield();");
    }
}

static void emit_assignment(void)
{
    if (n_vars == 0) {
        return;
    }
    Var *var = &vars[below(n_vars)];

    if (var->type == POINTER) {
        line("*%s += %s;", var->name, number());
    } else {
        line("%s = %s;", var->name, value_of(var->type));
    }
}

static void emit_field(void)
{
    Var *var = find_var(LARGE);

    if (var) {
        line("%s.many[%s %% 6] ^= %s;", var->name, number(), number());
        line("%s.inner.c = %s & 15;", var->name, number());
    }
}

static void emit_if(unsigned depth)
{
    line("if (%s & %u) {", number(), 1u << below(3));
    block(depth);
    if (one_in(2)) {
        line("} else {");
        block(depth);
    }
    line("}");
}

static void emit_for(unsigned depth)
{
    unsigned name = n_names++;

    line("for (unsigned i%u = 0; i%u < %u && burn(); i%u++) {", name, name,
         1 + below(5), name);
    block(depth);
    if (one_in(3)) {
        line("    if (i%u == %u) %s;", name, below(4),
             one_in(2) ? "break" : "continue");
    }
    line("    note(i%u);", name);
    line("}");
}

static void emit_switch(unsigned depth)
{
    line("switch (%s %% 4) {", number());
    for (unsigned i = 0; i < 3; i++) {
        line("case %u: {", i);
        block(depth);
        line("}%s", one_in(3) ? " /* fall through */" : " break;");
    }
    line("default: note(%u);", below(100));
    line("}");
}

static void emit_goto(unsigned depth)
{
    unsigned label = n_labels++;

    line("again_%u:", label);
    line("note(%u);", label);
    line("{");
    block(depth);
    line("}");
    line("if (burn() && (%s & 3) == 1) goto again_%u;", number(), label);
}

static void emit_array(unsigned depth)
{
    unsigned name = n_names++;

    line("{");
    indent++;
    line("unsigned n%u = 1 + (unsigned)(%s %% 40);", name, number());
    line("uint64_t a%u[n%u];", name, name);
    line("for (unsigned k = 0; k < n%u; k++) a%u[k] = k * %uu;", name, name, below(99));
    line("uint64_t *e%u = &a%u[%s %% n%u];", name, name, number(), name);
    block(depth);
    line("plain_0(e%u, %u);", name, below(9));
    line("for (unsigned k = 0; k < n%u; k++) note(a%u[k]);", name, name);
    indent--;
    line("}");
}

static void emit_cleanup(unsigned depth)
{
    line("{");
    indent++;
    line("__attribute__((cleanup(note_at_end))) uint64_t c%u = %s;", n_names++,
         number());
    block(depth);
    indent--;
    line("}");
}

static void emit_statement_expression(void)
{
    line("note(({ uint64_t t = %s; cpc_yield(); t * 3; }));", number());
}

static void emit_address(void)
{
    Var *var = find_var(U64);

    if (var) {
        line("uint64_t *held_%u = keep(&%s);", n_names, var->name);
        line("cpc_yield();");
        line("*held_%u += %u; note(%s);", n_names, below(50), var->name);
        n_names++;
    }
}

static void emit_plain(void)
{
    line("plain_%u(%s, %u);", below(N_PLAIN), argument(POINTER), below(50));
}

static void emit_alloca(void)
{
    unsigned name = n_names++;

    line("uint32_t *m%u = alloca(%u);", name, 4 + below(200));
    line("*m%u = (uint32_t)%s;", name, number());
    line("cpc_yield();");
    line("note(*m%u);", name);
}

static void emit_thread_local(void)
{
    line("per_thread += %s; cpc_yield(); note(per_thread);", number());
}

static void statement(unsigned depth)
{
    switch (below(depth > 0 ? 19 : 12)) {
    case 0:
    case 1:
        line("cpc_yield();");
        break;
    case 2:
    case 3:
        emit_call();
        break;
    case 4:
        declare_var(below(N_TYPES));
        break;
    case 5:
        emit_field();
        break;
    case 6:
        emit_address();
        break;
    case 7:
        emit_plain();
        break;
    case 8:
        emit_statement_expression();
        break;
    case 9:
        emit_thread_local();
        break;
    case 10:
    case 11:
        emit_assignment();
        break;
    case 12:
        emit_if(depth - 1);
        break;
    case 13:
    case 14:
        emit_for(depth - 1);
        break;
    case 15:
        emit_switch(depth - 1);
        break;
    case 16:
        emit_goto(depth - 1);
        break;
    case 17:
        emit_array(depth - 1);
        break;
    default:
        emit_cleanup(depth - 1);
        break;
    }
}

/* Its variables are gone at its end.  A label must not stand before a declaration. */
static void block(unsigned depth)
{
    unsigned before = n_vars;

    indent++;
    for (unsigned n = 1 + below(4); n > 0; n--) {
        statement(depth);
    }
    indent--;
    n_vars = before;
}

/* --- functions ------------------------------------------------------------------------- */

static void choose_function(Function *function)
{
    function->result = below(N_TYPES + 1);
    if (function->result == POINTER) {
        function->result = NONE;
    }
    function->n_params = one_in(4) ? below(MAX_PARAMS + 1) : below(5);
    for (unsigned i = 0; i < function->n_params; i++) {
        function->params[i] = below(N_TYPES);
    }
    function->is_mixed = one_in(5);
}

static void print_head(unsigned index, const char *before, const char *after)
{
    const Function *function = &functions[index];

    printf("%s%s %s%s%u%s(", before, type_names[function->result],
           function->is_mixed ? "coroutine_mixed_fn " : "coroutine_fn ", after, index,
           strcmp(after, "f") == 0 ? "" : ")");
    for (unsigned i = 0; i < function->n_params; i++) {
        printf("%s%s q%u", i ? ", " : "", type_names[function->params[i]], i);
    }
    printf("%s)", function->n_params ? "" : "void");
}

static void declare_function(unsigned index)
{
    print_head(index, one_in(3) ? "static " : "", "f");
    printf(";\nstatic unsigned depth_%u;\n", index);
    if (!functions[index].is_mixed) {
        print_head(index, "static ", "(*volatile pointer_");
        printf(" = f%u;\n", index);
    }
}

static void print_return(const Function *function)
{
    if (function->result == NONE) {
        line("return;");
    } else {
        line("return %s;", value_of(function->result));
    }
}

static void print_function(unsigned index)
{
    const Function *function = &functions[index];

    current = index;
    n_vars = 0;
    print_head(index, "", "f");
    printf("\n{\n");
    indent = 1;
    for (unsigned i = 0; i < function->n_params; i++) {
        vars[n_vars].type = function->params[i];
        snprintf(vars[n_vars++].name, sizeof(vars[0].name), "q%u", i);
    }
    line("if (!burn()) {");
    line("    %s", "shared++;");
    print_return(function);
    line("}");
    if (function->is_mixed) {
        line("if (cpc_in_coroutine()) {");
    }
    declare_var(U64);
    declare_var(below(N_TYPES));
    declare_var(below(N_TYPES));
    for (unsigned n = 2 + below(3); n > 0; n--) {
        statement(2);
        emit_call();
        statement(0);
    }
    if (one_in(3)) {
        emit_alloca();
    }
    for (unsigned i = 0; i < n_vars; i++) {
        note_var(&vars[i]);
    }
    print_return(function);
    if (function->is_mixed) {
        line("}");
        n_vars = function->n_params;
        line("note(%s);", number());
        print_return(function);
    }
    indent = 0;
    printf("}\n\n");
}

static const char prelude[] =
    "#include <alloca.h>\n"
    "#include <cpc/coroutine.h>\n"
    "#include <inttypes.h>\n"
    "#include <stdio.h>\n\n"
    "struct small { uint64_t a; uint32_t b; unsigned c : 5; unsigned d : 3; };\n"
    "struct floats { float x; double y; };\n"
    "struct large { uint64_t many[6]; struct small inner; uint8_t odd[3]; };\n"
    "typedef uint32_t vector __attribute__((vector_size(32)));\n\n"
    "static uint64_t hash = 0xcbf29ce484222325, shared;\n"
    "static _Thread_local uint64_t per_thread;\n"
    "static unsigned fuel = 3000;\n"
    "static unsigned burn(void) { return fuel ? fuel-- : 0; }\n"
    "static void note(uint64_t x)\n"
    "{ hash = (hash ^ x) * 0x100000001b3; hash ^= hash >> 29; }\n"
    "static void note_at_end(uint64_t *x) { note(*x); }\n"
    "static uint64_t *volatile kept;\n"
    "__attribute__((noinline)) static uint64_t *keep(uint64_t *x)\n"
    "{ kept = x; return kept; }\n"
    "static struct large make_large(uint64_t x)\n"
    "{ return (struct large){ { x, x + 1, x * 2, 4, x ^ 5, 6 }, { x, 2, 3, 4 }, { 1, "
    "2,\n"
    "3 } }; }\n"
    "static vector make_vector(uint32_t x)\n"
    "{ return (vector){ x, x + 1, x * 3, 4, 5, 6, x ^ 7, 8 }; }\n"
    "static void plain_0(uint64_t *p, unsigned n) { *p += n; note(*p); }\n"
    "__attribute__((noinline)) static void plain_1(uint64_t *p, unsigned n)\n"
    "{ uint64_t old[4] = { *p, n, 1, 2 }; *p ^= old[n % 4]; shared += n; }\n"
    "static void plain_2(uint64_t *p, unsigned n)\n"
    "{ uint8_t some[n + 1]; some[n] = (uint8_t)*p; *keep(p) = some[n] * 3u; }\n\n";

static const char main_function[] = "static void coroutine_fn entry(void *opaque)\n"
                                    "{\n"
                                    "    unsigned *left = opaque;\n"
                                    "    cpc_yield();\n"
                                    "    f0(*left);\n"
                                    "    *left = 0;\n"
                                    "}\n\n"
                                    "int main(void)\n"
                                    "{\n"
                                    "    unsigned left[N];\n"
                                    "    Coroutine *co[N];\n"
                                    "    for (unsigned i = 0; i < N; i++) {\n"
                                    "        left[i] = i + 1;\n"
                                    "        co[i] = cpc_create(entry, &left[i]);\n"
                                    "    }\n"
                                    "    for (unsigned any = 1; any;) {\n"
                                    "        any = 0;\n"
                                    "        for (unsigned i = 0; i < N; i++) {\n"
                                    "            if (left[i]) {\n"
                                    "                note(i);\n"
                                    "                cpc_enter(co[i]);\n"
                                    "                any |= left[i];\n"
                                    "            }\n"
                                    "        }\n"
                                    "    }\n";

static void print_main(void)
{
    printf("#define N %u\n%s", N_COROUTINES, main_function);
    n_vars = 0;
    indent = 1;
    for (unsigned i = 1; i < N_FUNCTIONS; i++) {
        if (functions[i].is_mixed) {
            printf("    f%u(", i);
            print_arguments(&functions[i]);
            printf(");\n");
        }
    }
    printf("    printf(\"%%016\" PRIx64 \" %%u\\n\", hash ^ shared, fuel);\n"
           "    return 0;\n}\n");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SEED\n", argv[0]);
        return 2;
    }
    state = strtoull(argv[1], NULL, 0);
    for (unsigned i = 0; i < N_FUNCTIONS; i++) {
        choose_function(&functions[i]);
    }
    functions[0] = (Function){ NONE, { U32 }, 1, false };

    printf("/* random-program %s */\n%s", argv[1], prelude);
    for (unsigned i = 0; i < N_FUNCTIONS; i++) {
        declare_function(i);
    }
    printf("\n");
    for (unsigned i = 0; i < N_FUNCTIONS; i++) {
        print_function(i);
    }
    print_main();
    return 0;
}
