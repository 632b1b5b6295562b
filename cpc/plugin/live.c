/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Theory of operation
 *
 * A value is live into a block when a path leads from there to a use of it without passing
 * its definition.  In SSA form that is found value by value: from each use backwards along
 * the edges, up to the block that defines it (Boissinot and others, "Computing Liveness
 * Sets for SSA-Form Programs", 2011).
 */
#include "live.h"

#include "body.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    LLVMBasicBlockRef block;
    size_t first_edge; /* in edges: from where it is entered */
    size_t n_edges;
} Node;

typedef struct {
    Node *nodes; /* by address */
    size_t n;
    size_t *edges; /* numbers of nodes */
    bool *is_live; /* into each */
    size_t *to_do;
    size_t n_to_do;
} Graph;

static int compare_nodes(const void *a, const void *b)
{
    LLVMBasicBlockRef first = ((const Node *)a)->block,
                      second = ((const Node *)b)->block;

    return (first > second) - (first < second);
}

static size_t number_of(const Graph *graph, LLVMBasicBlockRef block)
{
    Node key = { .block = block };
    Node *found = bsearch(&key, graph->nodes, graph->n, sizeof(key), compare_nodes);

    return (size_t)(found - graph->nodes);
}

typedef void Edge(Graph *graph, size_t from, size_t to);

static void for_each_edge(Graph *graph, Edge *edge)
{
    for (size_t i = 0; i < graph->n; i++) {
        LLVMValueRef terminator = LLVMGetBasicBlockTerminator(graph->nodes[i].block);
        for (unsigned j = 0; j < LLVMGetNumSuccessors(terminator); j++) {
            edge(graph, i, number_of(graph, LLVMGetSuccessor(terminator, j)));
        }
    }
}

static void count_edge(Graph *graph, size_t from, size_t to)
{
    graph->nodes[to].n_edges++;
}

static void add_edge(Graph *graph, size_t from, size_t to)
{
    Node *node = &graph->nodes[to];

    graph->edges[node->first_edge + node->n_edges++] = from;
}

static Graph graph_of(LLVMValueRef function)
{
    size_t n = LLVMCountBasicBlocks(function), n_edges = 0;
    Graph graph = {
        .n = n,
        .nodes = calloc(n, sizeof(Node)),
        .is_live = calloc(n, sizeof(bool)),
        .to_do = calloc(n, sizeof(size_t)),
    };
    size_t i = 0;

    for (LLVMBasicBlockRef at = LLVMGetFirstBasicBlock(function); at;
         at = LLVMGetNextBasicBlock(at)) {
        graph.nodes[i++].block = at;
    }
    qsort(graph.nodes, n, sizeof(Node), compare_nodes);
    for_each_edge(&graph, count_edge);
    for (i = 0; i < n; i++) {
        graph.nodes[i].first_edge = n_edges;
        n_edges += graph.nodes[i].n_edges;
        graph.nodes[i].n_edges = 0;
    }
    graph.edges = calloc(n_edges + 1, sizeof(size_t));
    for_each_edge(&graph, add_edge);
    return graph;
}

static void graph_free(Graph *graph)
{
    free(graph->nodes);
    free(graph->edges);
    free(graph->is_live);
    free(graph->to_do);
}

static LLVMBasicBlockRef defining_block(LLVMValueRef function, LLVMValueRef value)
{
    return LLVMIsAInstruction(value) ? LLVMGetInstructionParent(value)
                                     : LLVMGetEntryBasicBlock(function);
}

/* The value is needed at the end of @block, or at its beginning if @is_into. */
static void need_in(Graph *graph, LLVMBasicBlockRef block, LLVMBasicBlockRef defined_in)
{
    size_t number = number_of(graph, block);

    if (block != defined_in && !graph->is_live[number]) {
        graph->is_live[number] = true;
        graph->to_do[graph->n_to_do++] = number;
    }
}

static void need_at_use(Graph *graph, LLVMValueRef user, LLVMValueRef value,
                        LLVMBasicBlockRef defined_in)
{
    if (!LLVMIsAPHINode(user)) {
        need_in(graph, LLVMGetInstructionParent(user), defined_in);
        return;
    }
    for (unsigned i = 0; i < LLVMCountIncoming(user); i++) {
        if (LLVMGetIncomingValue(user, i) == value) {
            need_in(graph, LLVMGetIncomingBlock(user, i), defined_in);
        }
    }
}

static void find_live_blocks(Graph *graph, LLVMValueRef function, LLVMValueRef value)
{
    LLVMBasicBlockRef defined_in = defining_block(function, value);

    memset(graph->is_live, 0, graph->n * sizeof(bool));
    for (LLVMUseRef use = LLVMGetFirstUse(value); use; use = LLVMGetNextUse(use)) {
        need_at_use(graph, LLVMGetUser(use), value, defined_in);
    }
    while (graph->n_to_do > 0) {
        const Node *node = &graph->nodes[graph->to_do[--graph->n_to_do]];
        for (size_t i = 0; i < node->n_edges; i++) {
            need_in(graph, graph->nodes[graph->edges[node->first_edge + i]].block,
                    defined_in);
        }
    }
}

static void add_if_live(CpcLives *lives, const Graph *graph, LLVMValueRef value,
                        const LLVMBasicBlockRef *blocks, size_t n)
{
    bool *is_needed = calloc(n, sizeof(bool)), is_any = false;

    for (size_t i = 0; i < n; i++) {
        is_needed[i] = graph->is_live[number_of(graph, blocks[i])];
        is_any = is_any || is_needed[i];
    }
    if (!is_any) {
        free(is_needed);
        return;
    }
    lives->items = realloc(lives->items, (lives->n + 1) * sizeof(*lives->items));
    lives->items[lives->n++] = (CpcLive){ value, LLVMTypeOf(value), is_needed };
}

static bool is_place(LLVMValueRef function, LLVMValueRef value)
{
    return LLVMIsAAllocaInst(value) && LLVMIsAConstantInt(LLVMGetOperand(value, 0)) &&
           LLVMGetInstructionParent(value) == LLVMGetEntryBasicBlock(function);
}

CpcLives cpc_lives_find(LLVMValueRef function, const LLVMBasicBlockRef *blocks,
                        size_t n)
{
    Graph graph = graph_of(function);
    LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function);
    CpcLives lives = { 0 };

    for (unsigned i = 0; i < LLVMCountParams(function); i++) {
        find_live_blocks(&graph, function, LLVMGetParam(function, i));
        add_if_live(&lives, &graph, LLVMGetParam(function, i), blocks, n);
    }
    for (; block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef at = LLVMGetFirstInstruction(block);
        for (; at; at = LLVMGetNextInstruction(at)) {
            if (LLVMGetFirstUse(at) && !is_place(function, at)) {
                find_live_blocks(&graph, function, at);
                add_if_live(&lives, &graph, at, blocks, n);
            }
        }
    }
    graph_free(&graph);
    return lives;
}

void cpc_lives_free(CpcLives *lives)
{
    for (size_t i = 0; i < lives->n; i++) {
        free(lives->items[i].is_needed);
    }
    free(lives->items);
}

/* --- values kept in variables ----------------------------------------------------------- */

typedef struct {
    LLVMBuilderRef builder;
    LLVMTypeRef type;
    LLVMValueRef variable;
} Demotion;

static LLVMValueRef load_before(const Demotion *demotion, LLVMValueRef instruction)
{
    cpc_position_before(demotion->builder, instruction);
    return LLVMBuildLoad2(demotion->builder, demotion->type, demotion->variable, "");
}

/* A phi must get one value from one block, even by two edges. */
static LLVMValueRef load_for_phi(const Demotion *demotion, LLVMValueRef phi,
                                 unsigned index, LLVMValueRef value)
{
    LLVMBasicBlockRef from = LLVMGetIncomingBlock(phi, index);

    for (unsigned i = 0; i < LLVMCountIncoming(phi); i++) {
        LLVMValueRef other = LLVMGetIncomingValue(phi, i);
        if (LLVMGetIncomingBlock(phi, i) == from && other != value) {
            return other;
        }
    }
    return load_before(demotion, LLVMGetBasicBlockTerminator(from));
}

static void replace_in_phi(const Demotion *demotion, LLVMValueRef phi,
                           LLVMValueRef value)
{
    for (unsigned i = 0; i < LLVMCountIncoming(phi); i++) {
        if (LLVMGetIncomingValue(phi, i) == value) {
            LLVMSetOperand(phi, i, load_for_phi(demotion, phi, i, value));
        }
    }
}

static void replace_in(const Demotion *demotion, LLVMValueRef user, LLVMValueRef value)
{
    if (LLVMIsAPHINode(user)) {
        replace_in_phi(demotion, user, value);
        return;
    }
    LLVMValueRef loaded = load_before(demotion, user);
    for (int i = 0; i < LLVMGetNumOperands(user); i++) {
        if (LLVMGetOperand(user, (unsigned)i) == value) {
            LLVMSetOperand(user, (unsigned)i, loaded);
        }
    }
}

/* Where @value has just been computed. */
static LLVMValueRef first_after(LLVMValueRef function, LLVMValueRef value)
{
    if (!LLVMIsAInstruction(value)) {
        return cpc_first_after_locals(function);
    }
    do {
        value = LLVMGetNextInstruction(value);
    } while (LLVMIsAPHINode(value));
    return value;
}

LLVMValueRef cpc_lives_demote(const CpcIr *ir, LLVMValueRef function,
                              LLVMValueRef value)
{
    Demotion demotion = { .builder = LLVMCreateBuilderInContext(ir->context),
                          .type = LLVMTypeOf(value) };
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(function);
    LLVMUseRef use;

    LLVMPositionBuilderBefore(demotion.builder, LLVMGetFirstInstruction(entry));
    demotion.variable = LLVMBuildAlloca(demotion.builder, demotion.type, "");
    while ((use = LLVMGetFirstUse(value))) {
        replace_in(&demotion, LLVMGetUser(use), value);
    }
    LLVMPositionBuilderBefore(demotion.builder, first_after(function, value));
    LLVMBuildStore(demotion.builder, value, demotion.variable);
    LLVMDisposeBuilder(demotion.builder);
    return demotion.variable;
}
