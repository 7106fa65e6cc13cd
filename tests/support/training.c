#include "support/training.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "io/json.h"
#include "train/trainer.h"

/* [name, length, product], of changes also first, count, first, count, ... of elements that are left out. */
static void read_row(gr_json *j, training_wanted *w, training_row *rows, int *n)
{
    int k = 0;
    assert_true(*n < TRAINING_MAX_ROWS);
    training_row *r = &rows[*n];
    for (gr_json_array(j); gr_json_item(j); k++) {
        if (k == 0)
            snprintf(r->name, sizeof r->name, "%s", gr_json_string(j, NULL));
        else if (k <= 2)
            *(k == 1 ? &r->norm : &r->probe) = gr_json_number(j);
        else if (k % 2 == 1) {
            assert_true(w->n_below < TRAINING_MAX_RUNS);
            w->below[w->n_below++] = (training_run){ *n, (size_t)gr_json_int(j, 0, 1 << 30), 0 };
        } else
            w->below[w->n_below - 1].count = (size_t)gr_json_int(j, 1, 1 << 30);
    }
    (*n)++;
}

static void read_rows(gr_json *j, training_wanted *w, training_row *rows, int *n)
{
    for (gr_json_array(j); gr_json_item(j);)
        read_row(j, w, rows, n);
}

static int read_ids(gr_json *j, int32_t *ids)
{
    int n = 0;
    for (gr_json_array(j); gr_json_item(j); n++) {
        assert_true(n < TRAINING_MAX_IDS);
        ids[n] = (int32_t)gr_json_int(j, 0, 1 << 20);
    }
    return n;
}

static int read_numbers(gr_json *j, double *x, int most)
{
    int n = 0;
    for (gr_json_array(j); gr_json_item(j); n++) {
        assert_true(n < most);
        x[n] = gr_json_number(j);
    }
    return n;
}

static void read_noise(gr_json *j, training_noise *noise)
{
    double x[4];
    assert_int_equal(read_numbers(j, x, 4), 4);
    *noise = (training_noise){ x[0], x[1], x[2], x[3] };
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
            w->n_ids = read_ids(&j, w->ids);
        else if (strcmp(key, "other_ids") == 0)
            w->n_other_ids = read_ids(&j, w->other_ids);
        else if (strcmp(key, "first_label") == 0)
            w->first_label = (int)gr_json_int(&j, 1, TRAINING_MAX_IDS);
        else if (strcmp(key, "loss") == 0)
            w->loss = gr_json_number(&j);
        else if (strcmp(key, "noise") == 0)
            read_noise(&j, &w->noise);
        else if (strcmp(key, "learning_rate") == 0)
            w->rate = gr_json_number(&j);
        else if (strcmp(key, "iterations") == 0)
            w->iterations = (int)gr_json_int(&j, 1, 1 << 20);
        else if (strcmp(key, "rates") == 0)
            w->n_rates = read_numbers(&j, w->rates, 16);
        else if (strcmp(key, "losses") == 0)
            w->n_losses = read_numbers(&j, w->losses, 16);
        else if (strcmp(key, "norms") == 0)
            w->n_norms = read_numbers(&j, w->norms, 16);
        else if (strcmp(key, "gradients") == 0)
            read_rows(&j, w, w->grads, &w->n_grads);
        else if (strcmp(key, "changes") == 0)
            read_rows(&j, w, w->changes, &w->n_changes);
        else if (strcmp(key, "merged") == 0)
            read_rows(&j, w, w->deltas, &w->n_deltas);
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

static int longest(const training *t)
{
    return t->want.n_ids > t->want.n_other_ids ? t->want.n_ids : t->want.n_other_ids;
}

static void open_passes(training *t, const training_setup *s)
{
    gr_error err = { 0 };
    gr_passes_limits limits = {
        .parts = s->parts, .max_rows = longest(t), .max_tiles = 5, .max_regions = 5, .keeps = s->keeps
    };
    if (s->lora)
        limits.lora = *s->lora;
    MUST(gr_passes_new(&t->passes, t->c.gar, t->c.backend, &t->flat, &limits, &err));
}

static gr_train_sample make_sample(training *t, int which, const int32_t *ids, int n)
{
    int32_t *source = t->source[which], *labels = t->labels[which];
    for (int i = 0; i < n; i++)
        labels[i] = i >= t->want.first_label ? ids[i] : -1;
    golden_case_sources(&t->c, ids, source, (size_t)n);
    return (gr_train_sample){ .ids = ids, .source = source, .labels = labels, .n = n };
}

static void make_samples(training *t)
{
    t->sample = make_sample(t, 0, t->want.ids, t->want.n_ids);
    t->other = make_sample(t, 1, t->want.other_ids, t->want.n_other_ids);
    if (golden_case_picture(&t->c, &t->picture))
        t->sample.picture = t->other.picture = &t->picture;
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
    MUST(gr_gar_prepare(t->c.gar, t->c.backend, longest(t), NULL, NULL, &err));
    open_passes(t, s);
    make_samples(t);
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
/* Times what PyTorch's own numbers differ by over ten steps between f32 and double: a product with a drawn
 * direction has the length of the difference as its standard deviation. */
#define TIMES      3
#define LEAST_LOSS 1e-5 /* relative, where that noise is less */
#define LEAST_NORM 1e-5

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

/* The two samples of every step. */
static gr_status give(void *user, uint32_t epoch, uint64_t element, gr_train_item *out, gr_error *err)
{
    const training *t = user;
    (void)epoch, (void)err;
    *out = (gr_train_item){ .sample = element % 2 == 0 ? t->sample : t->other, .name = t->c.name };
    return GR_OK;
}

static float *copy_of_weights(const training *t)
{
    float *w = malloc(t->flat.n * sizeof *w);
    assert_non_null(w);
    t->c.backend->ops->read(t->c.backend, w, t->flat.weights, t->flat.n * sizeof *w);
    return w;
}

static bool near(double got, double want, double noise, double least)
{
    return fabs(got / want - 1) < fmax(TIMES * noise, least);
}

/* Steps of the trainer itself, on the flat buffers of the test. */
static void make_steps(training *t)
{
    gr_error err = { 0 };
    const training_wanted *w = &t->want;
    const gr_schedule schedule = { w->rate, 1e-5, (int64_t)(0.03 * w->iterations), w->iterations };
    const gr_train_source source = { .give = give, .user = t, .count = 2 };
    gr_trainer trainer = { .rt = t->c.rt,
                           .backend = t->c.backend,
                           .gar = t->c.gar,
                           .flat = t->flat,
                           .passes = t->passes,
                           .o.adamw = GR_ADAMW_PUBLISHED };
    gr_trainer_result r;
    for (int step = 0; step < w->n_norms; step++) {
        const double lr = gr_schedule_lr(&schedule, 2 * step + 1);
        assert_true(fabs(lr / w->rates[step] - 1) < 1e-12);
        MUST(gr_trainer_step(&trainer, &source, 0, 2 * (uint64_t)step, 2, lr, &r, &err));
        if (getenv("GR_SHOW"))
            printf("%s: step %d: loss %.9g (%.9g), norm %.9g (%.9g)\n", t->c.name, step, r.loss,
                   w->losses[step], r.norm, w->norms[step]);
        assert_true(near(r.loss, w->losses[step], w->noise.loss, LEAST_LOSS));
        assert_true(near(r.norm, w->norms[step], w->noise.norm, LEAST_NORM));
    }
    gr_validation v;
    MUST(gr_trainer_validate(&trainer, &source, 2, NULL, NULL, &v, &err));
    assert_true(near(v.all.loss, w->losses[w->n_norms], w->noise.loss, LEAST_LOSS));
}

/* What the steps added to a tensor, but for the elements below the floor. */
static training_row change_of(const training *t, int row, const float *before)
{
    const training_wanted *w = &t->want;
    const gr_range *r = training_range(t, w->changes[row].name);
    if (!r)
        fail_msg("%s: '%s' is not trained", t->c.name, w->changes[row].name);
    float *change = malloc(r->count * sizeof *change);
    assert_non_null(change);
    for (size_t i = 0; i < r->count; i++)
        change[i] = t->flat.weights[r->offset + i] - before[r->offset + i];
    for (int b = 0; b < w->n_below; b++)
        if (w->below[b].row == row) {
            assert_true(w->below[b].first + w->below[b].count <= r->count);
            memset(change + w->below[b].first, 0, w->below[b].count * sizeof *change);
        }
    const training_row got = training_row_of(r->name, change, r->count);
    free(change);
    return got;
}

/* Each tensor by itself, and all of them together, which is sharper: the differences of the products add up
 * to the length of the difference of all weights. */
static void compare_changes(const training *t, const float *before)
{
    const training_wanted *w = &t->want;
    double worst = 0, off = 0, all = 0;
    assert_int_equal(w->n_changes, t->flat.n_ranges);
    for (int row = 0; row < w->n_changes; row++) {
        const training_row got = change_of(t, row, before), *want = &w->changes[row];
        const double product = got.probe - want->probe,
                     error = fmax(fabs(got.norm - want->norm), fabs(product)) / want->norm;
        if (!(error < TIMES * w->noise.change))
            fail_msg("%s: ten steps changed '%s' by length %.9g and product %.9g, expected %.9g and %.9g: "
                     "off by %.2g",
                     t->c.name, got.name, got.norm, got.probe, want->norm, want->probe, error);
        worst = fmax(worst, error);
        off += product * product;
        all += want->norm * want->norm;
    }
    if (getenv("GR_SHOW"))
        printf("%s: worst change off by %.2e (noise %.2e), all changes by %.2e (%.2e)\n", t->c.name, worst,
               w->noise.change, sqrt(off / all), w->noise.changes);
    assert_true(sqrt(off / all) < TIMES * w->noise.changes);
}

void training_compare(training *t)
{
    const training_wanted *w = &t->want;
    assert_true(fabs(training_pass(t, 0) / w->loss - 1) < LOSS); /* forward alone */
    assert_true(fabs(training_pass(t, 1) / w->loss - 1) < LOSS);
    training_compare_gradients(t);
    gr_grads_clear(&t->flat);
    assert_true(w->n_norms == 10 && w->n_rates == 10 && w->n_losses == 11);
    float *before = copy_of_weights(t);
    make_steps(t);
    compare_changes(t, before);
    free(before);
}
