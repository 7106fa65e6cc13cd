#include "support/training.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "io/json.h"
#include "train/adamw.h"

/* [name, length, product] */
static void read_row(gr_json *j, training_row *rows, int *n)
{
    int k = 0;
    assert_true(*n < TRAINING_MAX_ROWS);
    training_row *r = &rows[(*n)++];
    for (gr_json_array(j); gr_json_item(j); k++)
        if (k == 0)
            snprintf(r->name, sizeof r->name, "%s", gr_json_string(j, NULL));
        else
            *(k == 1 ? &r->norm : &r->probe) = gr_json_number(j);
}

static void read_rows(gr_json *j, training_row *rows, int *n)
{
    for (gr_json_array(j); gr_json_item(j);)
        read_row(j, rows, n);
}

static void read_lora(gr_json *j, gr_lora *lora)
{
    gr_error err = { 0 };
    const char *key;
    for (gr_json_object(j); gr_json_key(j, &key);)
        if (strcmp(key, "targets") == 0)
            MUST(gr_lora_targets_parse(&lora->targets, gr_json_string(j, NULL), &err));
        else if (strcmp(key, "rank") == 0)
            lora->rank = (int)gr_json_int(j, 1, GR_LORA_MAX_RANK);
        else if (strcmp(key, "alpha") == 0)
            lora->alpha = (float)gr_json_number(j);
        else
            gr_json_skip(j);
}

void training_read_wanted(gr_runtime *rt, const char *file, training_wanted *w)
{
    gr_error err = { 0 };
    char path[1024], *text;
    const char *key;
    size_t size;
    gr_json j;
    memset(w, 0, sizeof *w);
    snprintf(path, sizeof path, TEST_FILE("golden/train/%s.json"), file);
    MUST(gr_file_read(rt, path, 1 << 22, &text, &size, &err));
    gr_json_init(&j, rt, text, size, path, 1 << 20);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, "ids") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                w->ids[w->n_ids++] = (int32_t)gr_json_int(&j, 0, 1 << 20);
        else if (strcmp(key, "first_label") == 0)
            w->first_label = (int)gr_json_int(&j, 1, TRAINING_MAX_IDS);
        else if (strcmp(key, "loss") == 0)
            w->loss = gr_json_number(&j);
        else if (strcmp(key, "loss_noise") == 0)
            w->noise = gr_json_number(&j);
        else if (strcmp(key, "learning_rate") == 0)
            w->rate = gr_json_number(&j);
        else if (strcmp(key, "losses") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                w->losses[w->n_losses++] = gr_json_number(&j);
        else if (strcmp(key, "norms") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                w->norms[w->n_norms++] = gr_json_number(&j);
        else if (strcmp(key, "gradients") == 0)
            read_rows(&j, w->grads, &w->n_grads);
        else if (strcmp(key, "merged") == 0)
            read_rows(&j, w->deltas, &w->n_deltas);
        else if (strcmp(key, "lora") == 0)
            read_lora(&j, &w->lora);
        else
            gr_json_skip(&j);
    }
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
    gr_free(rt, text);
}

/* --- a model in training ------------------------------------------------------------------------------- */

static void open_passes(training *t, const training_setup *s)
{
    gr_error err = { 0 };
    gr_passes_limits limits = {
        .parts = s->parts, .max_rows = t->want.n_ids, .max_tiles = 5, .max_regions = 5, .keeps = s->keeps
    };
    if (s->lora)
        limits.lora = *s->lora;
    MUST(gr_passes_new(&t->passes, t->c.gar, t->c.backend, &t->flat, &limits, &err));
}

static void make_sample(training *t)
{
    for (int i = 0; i < t->want.n_ids; i++)
        t->labels[i] = i >= t->want.first_label ? t->want.ids[i] : -1;
    t->sample =
        (gr_train_sample){ .ids = t->want.ids, .source = t->source, .labels = t->labels, .n = t->want.n_ids };
    golden_case_sources(&t->c, t->want.ids, t->source, (size_t)t->want.n_ids);
    if (golden_case_picture(&t->c, &t->picture))
        t->sample.picture = &t->picture;
}

void training_open(training *t, const training_setup *s)
{
    gr_error err = { 0 };
    memset(t, 0, sizeof *t);
    golden_case_open_on(&t->c, s->name, s->threads, s->cpu, s->backend ? s->backend : gr_backend_cpu_new);
    training_read_wanted(t->c.rt, s->file, &t->want);
    MUST(gr_flat_plan_lora(&t->flat, t->c.gar, s->parts, s->lora, &err));
    MUST(gr_flat_take(&t->flat, t->c.backend, t->c.gar, NULL, NULL, &err));
    assert_true(t->c.gar->tensors.n <= sizeof t->held);
    gr_flat_attach(&t->flat, t->c.gar, t->held);
    MUST(gr_gar_prepare(t->c.gar, t->c.backend, t->want.n_ids, NULL, NULL, &err));
    open_passes(t, s);
    make_sample(t);
}

void training_close(training *t)
{
    gr_passes_free(t->passes);
    gr_flat_detach(t->c.gar);
    gr_flat_fini(&t->flat);
    golden_case_close(&t->c);
}

double training_pass(training *t, float scale)
{
    gr_error err = { 0 };
    double loss;
    MUST(gr_passes_run(t->passes, &t->sample, scale, &loss, &err));
    return loss;
}

double training_unit(const char *name, size_t i)
{
    const uint32_t counter[4] = { (uint32_t)(i / 2), 0, 0, 0 }, key[2] = { 1, gr_fnv1a32(name) };
    const gr_philox_block b = gr_philox(counter, key);
    const uint32_t a = b.v[i % 2 * 2], c = b.v[i % 2 * 2 + 1];
    return ((double)((a & 0xffff) + (a >> 16) + (c & 0xffff) + (c >> 16)) - 131070) / 37837;
}

const gr_range *training_range(const training *t, const char *name)
{
    for (size_t i = 0; i < t->flat.n_ranges; i++)
        if (strcmp(t->flat.ranges[i].name, name) == 0)
            return &t->flat.ranges[i];
    return NULL;
}

training_row training_row_of(const char *name, const float *x, size_t n)
{
    training_row row = { .norm = 0 };
    char stream[200];
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(stream, sizeof stream, "probe.%s", name);
    for (size_t i = 0; i < n; i++) {
        row.norm += (double)x[i] * (double)x[i];
        row.probe += (double)x[i] * training_unit(stream, i);
    }
    row.norm = sqrt(row.norm);
    return row;
}

/* --- against PyTorch ----------------------------------------------------------------------------------- */

#define LOSS     1e-5 /* relative; the golden files' own rounding is about 1e-7 */
#define GRADIENT 1e-4 /* of a tensor's length; PyTorch's f32 and double differ by up to 7e-6 */
/* Times what PyTorch's own losses differ by over the steps between f32 and double (3e-5 to 1e-3; a
 * frozen model moves less). A gradient moves more than the loss. */
#define STEPS      3
#define STEPS_NORM 30

static double rms_of_gradients(const training *t)
{
    double all = 0;
    size_t n = 0;
    for (int g = 0; g < t->want.n_grads; g++) {
        const gr_range *r = training_range(t, t->want.grads[g].name);
        if (!r)
            fail_msg("%s: no gradient of '%s'", t->c.name, t->want.grads[g].name);
        all += t->want.grads[g].norm * t->want.grads[g].norm;
        n += r->count;
    }
    return sqrt(all / (double)n);
}

/* Relative to the length; tensors that hardly move the loss count against a floor of 1e-5 of the RMS of all
 * gradients. */
static double compare_gradient(const training *t, const training_row *want, double rms)
{
    const gr_range *r = training_range(t, want->name);
    const training_row got = training_row_of(r->name, t->flat.grads + r->offset, r->count);
    const double floor = 1e-5 * rms * sqrt((double)r->count), size = fmax(want->norm, floor),
                 error = fmax(fabs(got.norm - want->norm), fabs(got.probe - want->probe)) / size;
    if (!(error < GRADIENT))
        fail_msg("%s: gradient of '%s': length %.9g and product %.9g, expected %.9g and %.9g: off by %.2g",
                 t->c.name, r->name, got.norm, got.probe, want->norm, want->probe, error);
    return error;
}

void training_compare_gradients(const training *t)
{
    const double rms = rms_of_gradients(t);
    double worst = 0;
    assert_int_equal(t->want.n_grads, t->flat.n_ranges);
    for (int g = 0; g < t->want.n_grads; g++)
        worst = fmax(worst, compare_gradient(t, &t->want.grads[g], rms));
    if (getenv("GR_SHOW"))
        printf("%s: worst gradient off by %.2e\n", t->c.name, worst);
}

void training_compare(training *t)
{
    const gr_adamw published = GR_ADAMW_PUBLISHED;
    const training_wanted *w = &t->want;
    assert_true(fabs(training_pass(t, 0) / w->loss - 1) < LOSS); /* forward alone */
    for (int step = 0; step < w->n_norms; step++) {
        const double loss = training_pass(t, 1), norm = gr_grad_norm(&t->flat);
        if (step == 0) {
            assert_true(fabs(loss / w->loss - 1) < LOSS);
            training_compare_gradients(t);
        }
        if (getenv("GR_SHOW"))
            printf("%s: step %d: loss %.8g (%.8g), norm %.8g (%.8g)\n", t->c.name, step, loss,
                   w->losses[step], norm, w->norms[step]);
        assert_true(fabs(loss / w->losses[step] - 1) < fmax(STEPS * w->noise, LOSS));
        assert_true(fabs(norm / w->norms[step] - 1) < fmax(STEPS_NORM * w->noise, GRADIENT));
        gr_adamw_step(&published, &t->flat, step + 1, w->rate, norm);
    }
    assert_true(fabs(training_pass(t, 0) / w->losses[w->n_norms] - 1) < fmax(STEPS * w->noise, LOSS));
}
