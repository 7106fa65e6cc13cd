#include "train/lora_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has(const gr_lora *l, int target) { return l->targets >> target & 1; }

void gr_lora_state_put(gr_json_writer *j, const gr_lora *l)
{
    char seed[17];
    if (!l->targets) {
        gr_json_put_null(j);
        return;
    }
    snprintf(seed, sizeof seed, "%016llx", (unsigned long long)l->seed);
    gr_json_put_object(j);
    gr_json_put_key(j, "layers");
    gr_json_put_array(j);
    for (int i = 0; i < GR_LORA_TARGET_COUNT; i++)
        if (has(l, i))
            gr_json_put_text(j, gr_lora_target_name((gr_lora_target)i));
    gr_json_put_end(j, ']');
    gr_json_put_key(j, "rank");
    gr_json_put_int(j, l->rank);
    gr_json_put_key(j, "alpha");
    gr_json_put_f32(j, l->alpha);
    gr_json_put_key(j, "seed");
    gr_json_put_text(j, seed);
    gr_json_put_end(j, '}');
}

/* --- reading ------------------------------------------------------------------------------------------- */

static void read_layers(gr_json *j, gr_lora *l)
{
    for (gr_json_array(j); gr_json_item(j);) {
        gr_error why = { 0 };
        unsigned target;
        const char *name = gr_json_string(j, NULL);
        if (j->err.status == GR_OK && gr_lora_targets_parse(&target, name, &why) != GR_OK)
            gr_json_fail(j, GR_ERR_FORMAT, "%s", why.msg);
        else if (j->err.status == GR_OK)
            l->targets |= target;
    }
}

static void read_seed(gr_json *j, gr_lora *l)
{
    const char *text = gr_json_string(j, NULL);
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        gr_json_fail(j, GR_ERR_FORMAT, "the seed of adapters is not 16 hex digits");
    else
        l->seed = strtoull(text, NULL, 16);
}

static void read_alpha(gr_json *j, gr_lora *l) { l->alpha = (float)gr_json_number(j); }
static void read_rank(gr_json *j, gr_lora *l) { l->rank = (int)gr_json_int(j, 1, GR_LORA_MAX_RANK); }

static const struct {
    const char *name;
    void (*read)(gr_json *j, gr_lora *l);
} members[] = {
    { "layers", read_layers }, { "rank", read_rank }, { "alpha", read_alpha }, { "seed", read_seed }
};
enum { N_MEMBERS = sizeof members / sizeof *members };

void gr_lora_state_read(gr_json *j, gr_lora *l)
{
    gr_error why = { 0 };
    const char *key;
    *l = (gr_lora){ 0 };
    if (gr_json_null(j))
        return;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        int i = 0;
        while (i < N_MEMBERS && strcmp(members[i].name, key) != 0)
            i++;
        if (i < N_MEMBERS)
            members[i].read(j, l);
        else
            gr_json_skip(j);
    }
    if (j->err.status != GR_OK)
        return;
    if (!l->targets)
        gr_json_fail(j, GR_ERR_FORMAT, "adapters of no layer");
    else if (gr_lora_check(l, &why) != GR_OK)
        gr_json_fail(j, GR_ERR_FORMAT, "%s", why.msg);
}

/* --- comparing ----------------------------------------------------------------------------------------- */

gr_status gr_lora_state_compare(const gr_lora *saved, const gr_lora *now, gr_error *err)
{
    if (!saved->targets != !now->targets)
        return gr_fail(err, GR_ERR_ARG, "it %s adapters, and the model in training %s",
                       saved->targets ? "has" : "has no", now->targets ? "has them" : "has none");
    if (!now->targets)
        return GR_OK;
    for (int i = 0; i < GR_LORA_TARGET_COUNT; i++)
        if (has(saved, i) != has(now, i))
            return gr_fail(err, GR_ERR_ARG, "%s has %s adapter in it, and %s in the model in training",
                           gr_lora_target_name((gr_lora_target)i), has(saved, i) ? "an" : "no",
                           has(now, i) ? "one" : "none");
    if (saved->rank != now->rank)
        return gr_fail(err, GR_ERR_ARG, "its adapters are of rank %d, and those in training of rank %d",
                       saved->rank, now->rank);
    if (saved->alpha != now->alpha)
        return gr_fail(err, GR_ERR_ARG, "its adapters have alpha %g, and those in training alpha %g",
                       (double)saved->alpha, (double)now->alpha);
    return GR_OK;
}
