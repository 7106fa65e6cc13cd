/* load_by_name.c - the library as a ctypes module sees it: found by its name, functions by theirs, and
 * structs by sizes and offsets that were written down once. They may only ever grow at the end. For 64-bit
 * machines. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <grasp/bench.h>
#include <grasp/error.h>
#include <grasp/eval.h>
#include <grasp/image.h>
#include <grasp/new.h>
#include <grasp/session.h>
#include <grasp/synth.h>
#include <grasp/train.h>
#include <grasp/tokenizer_train.h>
#include <grasp/verify.h>
#include <grasp/version.h>

static const struct {
    const char *what;
    size_t found, want;
} layout[] = {
#define SIZE(type)         "sizeof " #type, sizeof(type)
#define FIELD(type, field) #type "." #field, offsetof(type, field)
    { SIZE(gr_error), 516 },
    { FIELD(gr_error, status), 0 },
    { FIELD(gr_error, msg), 4 },
    { SIZE(gr_allocator), 24 },
    { FIELD(gr_allocator, alloc), 0 },
    { FIELD(gr_allocator, free), 8 },
    { FIELD(gr_allocator, user), 16 },
    { SIZE(gr_runtime_options), 56 },
    { FIELD(gr_runtime_options, size), 0 },
    { FIELD(gr_runtime_options, n_threads), 8 },
    { FIELD(gr_runtime_options, cpu_mask), 12 },
    { FIELD(gr_runtime_options, allocator), 16 },
    { FIELD(gr_runtime_options, log), 40 },
    { FIELD(gr_runtime_options, log_user), 48 },
    { SIZE(gr_image_options), 32 },
    { FIELD(gr_image_options, max_pixels), 8 },
    { FIELD(gr_image_options, max_side), 16 },
    { FIELD(gr_image_options, exif), 20 },
    { FIELD(gr_image_options, lenient), 24 },
    { SIZE(gr_image), 40 },
    { FIELD(gr_image, width), 8 },
    { FIELD(gr_image, height), 12 },
    { FIELD(gr_image, channels), 16 },
    { FIELD(gr_image, pixels), 24 },
    { FIELD(gr_image, orientation), 32 },
    { FIELD(gr_image, upright), 36 },
    { SIZE(gr_profile), 16 },
    { SIZE(gr_profile_switch), 72 },
    { FIELD(gr_profile_switch, name), 0 },
    { FIELD(gr_profile_switch, values), 8 },
    { FIELD(gr_profile_switch, released), 48 },
    { FIELD(gr_profile_switch, paper), 49 },
    { FIELD(gr_profile_switch, quirk), 56 },
    { FIELD(gr_profile_switch, about), 64 },
    { SIZE(gr_model_options), 16 },
    { FIELD(gr_model_options, numerics), 8 },
    { SIZE(gr_model_part), 32 },
    { FIELD(gr_model_part, name), 0 },
    { FIELD(gr_model_part, tensors), 8 },
    { FIELD(gr_model_part, parameters), 16 },
    { FIELD(gr_model_part, stored_bytes), 24 },
    { SIZE(gr_model_info), 344 },
    { FIELD(gr_model_info, dir), 8 },
    { FIELD(gr_model_info, family), 16 },
    { FIELD(gr_model_info, tower), 24 },
    { FIELD(gr_model_info, license), 32 },
    { FIELD(gr_model_info, base_license), 40 },
    { FIELD(gr_model_info, dtypes), 48 },
    { FIELD(gr_model_info, tile_px), 56 },
    { FIELD(gr_model_info, patch_px), 60 },
    { FIELD(gr_model_info, tower_dim), 64 },
    { FIELD(gr_model_info, tower_depth), 68 },
    { FIELD(gr_model_info, tower_heads), 72 },
    { FIELD(gr_model_info, class_token), 76 },
    { FIELD(gr_model_info, tokens_per_tile), 80 },
    { FIELD(gr_model_info, rows_per_region), 84 },
    { FIELD(gr_model_info, max_tiles), 88 },
    { FIELD(gr_model_info, n_prompts), 92 },
    { FIELD(gr_model_info, max_tiles_stated), 96 },
    { FIELD(gr_model_info, hidden), 100 },
    { FIELD(gr_model_info, layers), 104 },
    { FIELD(gr_model_info, heads), 108 },
    { FIELD(gr_model_info, kv_heads), 112 },
    { FIELD(gr_model_info, head_dim), 116 },
    { FIELD(gr_model_info, ffn), 120 },
    { FIELD(gr_model_info, vocab), 124 },
    { FIELD(gr_model_info, context), 128 },
    { FIELD(gr_model_info, rope_theta), 136 },
    { FIELD(gr_model_info, rope_factor), 144 },
    { FIELD(gr_model_info, tied), 152 },
    { FIELD(gr_model_info, tensors), 156 },
    { FIELD(gr_model_info, parameters), 160 },
    { FIELD(gr_model_info, stored_bytes), 168 },
    { FIELD(gr_model_info, parts), 176 },
    { FIELD(gr_model_info, tokens), 336 },
    { SIZE(gr_engine_options), 56 },
    { FIELD(gr_engine_options, max_sessions), 8 },
    { FIELD(gr_engine_options, max_context), 12 },
    { FIELD(gr_engine_options, chunk_rows), 16 },
    { FIELD(gr_engine_options, max_tiles), 20 },
    { FIELD(gr_engine_options, max_regions), 24 },
    { FIELD(gr_engine_options, progress), 32 },
    { FIELD(gr_engine_options, progress_user), 40 },
    { FIELD(gr_engine_options, max_branches), 48 },
    { SIZE(gr_memory), 56 },
    { FIELD(gr_memory, weights), 0 },
    { FIELD(gr_memory, kv), 8 },
    { FIELD(gr_memory, arena), 16 },
    { FIELD(gr_memory, features), 24 },
    { FIELD(gr_memory, buffers), 32 },
    { FIELD(gr_memory, picture), 40 },
    { FIELD(gr_memory, total), 48 },
    { SIZE(gr_mask), 24 },
    { FIELD(gr_mask, width), 8 },
    { FIELD(gr_mask, height), 12 },
    { FIELD(gr_mask, data), 16 },
    { SIZE(gr_bounds), 16 },
    { FIELD(gr_bounds, x1), 8 },
    { SIZE(gr_region), 880 },
    { FIELD(gr_region, mask), 0 },
    { FIELD(gr_region, bounds), 8 },
    { FIELD(gr_region, area), 24 },
    { FIELD(gr_region, source), 32 },
    { FIELD(gr_region, name), 40 },
    { FIELD(gr_region, n_warnings), 104 },
    { FIELD(gr_region, warnings), 108 },
    { SIZE(gr_region_frame), 64 },
    { FIELD(gr_region_frame, width), 8 },
    { FIELD(gr_region_frame, height), 12 },
    { FIELD(gr_region_frame, orientation), 16 },
    { FIELD(gr_region_frame, image), 24 },
    { FIELD(gr_region_frame, load), 32 },
    { FIELD(gr_region_frame, load_user), 40 },
    { FIELD(gr_region_frame, earlier), 48 },
    { FIELD(gr_region_frame, n_earlier), 56 },
    { SIZE(gr_request), 112 },
    { FIELD(gr_request, image), 8 },
    { FIELD(gr_request, regions), 16 },
    { FIELD(gr_request, n_regions), 24 },
    { FIELD(gr_request, question), 32 },
    { FIELD(gr_request, system), 40 },
    { FIELD(gr_request, profile), 48 },
    { FIELD(gr_request, max_tiles), 64 },
    { FIELD(gr_request, progress), 72 },
    { FIELD(gr_request, progress_user), 80 },
    { FIELD(gr_request, cancelled), 88 },
    { FIELD(gr_request, cancel_user), 96 },
    { FIELD(gr_request, dump), 104 },
    { SIZE(gr_request_size), 20 },
    { FIELD(gr_request_size, prompt_rows), 0 },
    { FIELD(gr_request_size, image_rows), 4 },
    { FIELD(gr_request_size, region_rows), 8 },
    { FIELD(gr_request_size, across), 12 },
    { FIELD(gr_request_size, down), 16 },
    { SIZE(gr_answer_options), 72 },
    { FIELD(gr_answer_options, max_tokens), 8 },
    { FIELD(gr_answer_options, temperature), 16 },
    { FIELD(gr_answer_options, top_p), 24 },
    { FIELD(gr_answer_options, top_k), 32 },
    { FIELD(gr_answer_options, seed), 40 },
    { FIELD(gr_answer_options, stops), 48 },
    { FIELD(gr_answer_options, n_stops), 56 },
    { FIELD(gr_answer_options, ignore_end), 64 },
    { FIELD(gr_answer_options, keep_special), 65 },
    { SIZE(gr_choice_options), 56 },
    { FIELD(gr_choice_options, texts), 8 },
    { FIELD(gr_choice_options, n), 16 },
    { FIELD(gr_choice_options, temperature), 24 },
    { FIELD(gr_choice_options, seed), 32 },
    { FIELD(gr_choice_options, cancelled), 40 },
    { FIELD(gr_choice_options, cancel_user), 48 },
    { SIZE(gr_eval_options), 104 },
    { FIELD(gr_eval_options, images), 8 },
    { FIELD(gr_eval_options, journal), 16 },
    { FIELD(gr_eval_options, resume), 24 },
    { FIELD(gr_eval_options, limit), 32 },
    { FIELD(gr_eval_options, free_text), 40 },
    { FIELD(gr_eval_options, max_tokens), 44 },
    { SIZE(gr_eval_row), 72 },
    { SIZE(gr_eval_statements), 112 },
    { FIELD(gr_eval_statements, name), 8 },
    { FIELD(gr_eval_statements, items), 16 },
    { FIELD(gr_eval_statements, answered), 24 },
    { FIELD(gr_eval_statements, stated), 32 },
    { FIELD(gr_eval_statements, stated_true), 40 },
    { FIELD(gr_eval_statements, precision), 48 },
    { FIELD(gr_eval_statements, precision_low), 56 },
    { FIELD(gr_eval_statements, known), 72 },
    { FIELD(gr_eval_statements, known_stated), 80 },
    { FIELD(gr_eval_statements, recall), 88 },
    { FIELD(gr_eval_statements, recall_low), 96 },
    { SIZE(gr_synth_options), 104 },
    { FIELD(gr_synth_options, seed), 8 },
    { FIELD(gr_synth_options, count), 16 },
    { FIELD(gr_synth_options, split), 24 },
    { FIELD(gr_synth_options, form), 32 },
    { FIELD(gr_synth_options, font), 40 },
    { FIELD(gr_synth_options, sheet), 48 },
    { FIELD(gr_synth_options, nothing_else), 56 },
    { FIELD(gr_synth_options, captions), 64 },
    { FIELD(gr_synth_options, progress), 72 },
    { FIELD(gr_synth_options, progress_user), 80 },
    { FIELD(gr_synth_options, looking), 88 },
    { FIELD(gr_synth_options, closeups), 96 },
    { SIZE(gr_synth_written), 40 },
    { FIELD(gr_synth_written, rows), 8 },
    { FIELD(gr_synth_written, regions), 32 },
    { SIZE(gr_choice), 16 },
    { FIELD(gr_choice, probability), 8 },
    { SIZE(gr_new_options), 72 },
    { FIELD(gr_new_options, seed), 8 },
    { FIELD(gr_new_options, dtype), 16 },
    { FIELD(gr_new_options, tokenizer), 24 },
    { FIELD(gr_new_options, shard_bytes), 32 },
    { FIELD(gr_new_options, progress), 40 },
    { FIELD(gr_new_options, progress_user), 48 },
    { FIELD(gr_new_options, for_training), 56 },
    { FIELD(gr_new_options, fit_vocab), 57 },
    { FIELD(gr_new_options, profile), 64 },
    { SIZE(gr_new_size), 32 },
    { FIELD(gr_new_size, tensors), 0 },
    { FIELD(gr_new_size, files), 4 },
    { FIELD(gr_new_size, parameters), 8 },
    { FIELD(gr_new_size, bytes), 16 },
    { FIELD(gr_new_size, dtype), 24 },
    { FIELD(gr_synth_written, captions), 16 },
    { FIELD(gr_synth_written, turns), 24 },
    { SIZE(gr_tokenizer_train_options), 88 },
    { FIELD(gr_tokenizer_train_options, vocab_size), 8 },
    { FIELD(gr_tokenizer_train_options, min_frequency), 12 },
    { FIELD(gr_tokenizer_train_options, field), 16 },
    { FIELD(gr_tokenizer_train_options, whole_files), 24 },
    { FIELD(gr_tokenizer_train_options, specials), 32 },
    { FIELD(gr_tokenizer_train_options, n_specials), 40 },
    { FIELD(gr_tokenizer_train_options, bos), 48 },
    { FIELD(gr_tokenizer_train_options, eos), 56 },
    { FIELD(gr_tokenizer_train_options, max_words), 64 },
    { FIELD(gr_tokenizer_train_options, progress), 72 },
    { FIELD(gr_tokenizer_train_options, progress_user), 80 },
    { SIZE(gr_tokenizer_training), 56 },
    { FIELD(gr_tokenizer_training, bytes), 8 },
    { FIELD(gr_tokenizer_training, texts), 16 },
    { FIELD(gr_tokenizer_training, words), 24 },
    { FIELD(gr_tokenizer_training, distinct), 32 },
    { FIELD(gr_tokenizer_training, vocab_size), 40 },
    { FIELD(gr_tokenizer_training, n_learned), 44 },
    { FIELD(gr_tokenizer_training, n_specials), 48 },
    { SIZE(gr_verify_options), 72 },
    { FIELD(gr_verify_options, images), 8 },
    { FIELD(gr_verify_options, grid), 16 },
    { FIELD(gr_verify_options, limit), 24 },
    { FIELD(gr_verify_options, max_tokens), 32 },
    { FIELD(gr_verify_options, watch), 40 },
    { SIZE(gr_trainer_memory), 40 },
    { FIELD(gr_trainer_memory, total), 32 },
    { SIZE(gr_train_record), 88 },
    { FIELD(gr_train_record, loss), 24 },
    { FIELD(gr_train_record, peak_bytes), 80 },
    { SIZE(gr_train_outcome), 40 },
    { FIELD(gr_train_outcome, stopped), 32 },
    { SIZE(gr_train_watch), 56 },
    { FIELD(gr_train_watch, user), 48 },
    { SIZE(gr_verify_summary), 48 },
    { FIELD(gr_verify_summary, items), 8 },
    { FIELD(gr_verify_summary, answers), 40 },
    { SIZE(gr_verify_row), 56 },
    { SIZE(gr_bench_row), 144 },
    { FIELD(gr_bench_row, kind), 0 },
    { FIELD(gr_bench_row, name), 8 },
    { FIELD(gr_bench_row, rows), 16 },
    { FIELD(gr_bench_row, inputs), 20 },
    { FIELD(gr_bench_row, outputs), 24 },
    { FIELD(gr_bench_row, heads), 28 },
    { FIELD(gr_bench_row, kv_heads), 32 },
    { FIELD(gr_bench_row, weights), 40 },
    { FIELD(gr_bench_row, threads), 48 },
    { FIELD(gr_bench_row, unit), 56 },
    { FIELD(gr_bench_row, flop), 64 },
    { FIELD(gr_bench_row, bytes), 72 },
    { FIELD(gr_bench_row, repeats), 80 },
    { FIELD(gr_bench_row, median), 88 },
    { FIELD(gr_bench_row, min), 96 },
    { FIELD(gr_bench_row, max), 104 },
    { FIELD(gr_bench_row, seconds_median), 112 },
    { FIELD(gr_bench_row, seconds_min), 120 },
    { FIELD(gr_bench_row, seconds_max), 128 },
    { FIELD(gr_bench_row, fraction), 136 },
    { SIZE(gr_bench_machine), 160 },
    { FIELD(gr_bench_machine, processor), 8 },
    { FIELD(gr_bench_machine, isa), 136 },
    { FIELD(gr_bench_machine, threads), 144 },
    { FIELD(gr_bench_machine, processors), 148 },
    { FIELD(gr_bench_machine, l3_bytes), 152 },
    { SIZE(gr_bench_options), 72 },
    { FIELD(gr_bench_options, preset), 8 },
    { FIELD(gr_bench_options, filter), 16 },
    { FIELD(gr_bench_options, weights), 24 },
    { FIELD(gr_bench_options, repeats), 28 },
    { FIELD(gr_bench_options, seconds), 32 },
    { FIELD(gr_bench_options, watch), 40 },
    { FIELD(gr_bench_options, numerics), 64 },
    { SIZE(gr_bench_stage_options), 96 },
    { FIELD(gr_bench_stage_options, file), 8 },
    { FIELD(gr_bench_stage_options, file_bytes), 16 },
    { FIELD(gr_bench_stage_options, tiles), 24 },
    { FIELD(gr_bench_stage_options, max_tokens), 56 },
    { FIELD(gr_bench_stage_options, repeats), 60 },
    { FIELD(gr_bench_stage_options, seconds), 64 },
    { FIELD(gr_bench_stage_options, watch), 72 },
    { SIZE(gr_bench_train_options), 96 },
    { FIELD(gr_bench_train_options, parts), 8 },
    { FIELD(gr_bench_train_options, lora_rank), 16 },
    { FIELD(gr_bench_train_options, lora_layers), 24 },
    { FIELD(gr_bench_train_options, tiles), 32 },
    { FIELD(gr_bench_train_options, rows), 36 },
    { FIELD(gr_bench_train_options, repeats), 40 },
    { FIELD(gr_bench_train_options, seconds), 48 },
    { FIELD(gr_bench_train_options, memory_gb), 56 },
    { FIELD(gr_bench_train_options, watch), 64 },
    { FIELD(gr_bench_train_options, bf16_products), 88 },
    { SIZE(gr_token), 32 },
    { FIELD(gr_token, id), 0 },
    { FIELD(gr_token, logprob), 8 },
    { FIELD(gr_token, bytes), 16 },
    { FIELD(gr_token, n_bytes), 24 },
    { SIZE(gr_session_stats), 72 },
    { FIELD(gr_session_stats, prompt_rows), 8 },
    { FIELD(gr_session_stats, image_rows), 12 },
    { FIELD(gr_session_stats, region_rows), 16 },
    { FIELD(gr_session_stats, tiles), 20 },
    { FIELD(gr_session_stats, across), 24 },
    { FIELD(gr_session_stats, down), 28 },
    { FIELD(gr_session_stats, picture_ms), 32 },
    { FIELD(gr_session_stats, encode_ms), 40 },
    { FIELD(gr_session_stats, prefill_ms), 48 },
    { FIELD(gr_session_stats, decode_ms), 56 },
    { FIELD(gr_session_stats, tiles_kept), 64 },
};

/* Growing structs: their init writes the size first. Some inits read a second argument. */
static const gr_image picture = { .width = 3, .height = 2, .channels = 3 };
static const struct {
    const char *init;
    size_t size;
    const void *from; /* second argument where `two` */
    bool two;
} growing[] = {
    { "gr_runtime_options_init", sizeof(gr_runtime_options), NULL, false },
    { "gr_image_options_init", sizeof(gr_image_options), NULL, false },
    { "gr_model_options_init", sizeof(gr_model_options), NULL, false },
    { "gr_engine_options_init", sizeof(gr_engine_options), NULL, false },
    { "gr_new_options_init", sizeof(gr_new_options), NULL, false },
    { "gr_synth_options_init", sizeof(gr_synth_options), NULL, false },
    { "gr_tokenizer_train_options_init", sizeof(gr_tokenizer_train_options), NULL, false },
    { "gr_answer_options_init", sizeof(gr_answer_options), NULL, false },
    { "gr_eval_options_init", sizeof(gr_eval_options), NULL, false },
    { "gr_choice_options_init", sizeof(gr_choice_options), NULL, false },
    { "gr_region_frame_init", sizeof(gr_region_frame), &picture, true },
    { "gr_bench_options_init", sizeof(gr_bench_options), NULL, false },
    { "gr_bench_stage_options_init", sizeof(gr_bench_stage_options), NULL, false },
    { "gr_bench_train_options_init", sizeof(gr_bench_train_options), NULL, false },
    { "gr_verify_options_init", sizeof(gr_verify_options), NULL, false },
    { "gr_request_init", sizeof(gr_request), NULL, true },
};

static int check_growing(void *library)
{
    int failures = 0;
    for (size_t i = 0; i < sizeof growing / sizeof *growing; i++) {
        union {
            size_t size;
            char bytes[4096];
        } options;
        memset(&options, 0xff, sizeof options);
        void *symbol = dlsym(library, growing[i].init);
        void (*init)(void *);
        void (*init_from)(void *, const void *);
        *(void **)&init = *(void **)&init_from = symbol;
        if (symbol && growing[i].two)
            init_from(&options, growing[i].from);
        else if (symbol)
            init(&options);
        if (!symbol || options.size != growing[i].size || options.bytes[growing[i].size] != (char)0xff) {
            printf("%s: missing, or it does not write exactly %zu bytes\n", growing[i].init, growing[i].size);
            failures++;
        }
    }
    return failures;
}

int main(int argc, char **argv)
{
    int failures = argc != 2;
    for (size_t i = 0; i < sizeof layout / sizeof *layout; i++)
        if (layout[i].found != layout[i].want) {
            printf("%s is %zu, was published as %zu\n", layout[i].what, layout[i].found, layout[i].want);
            failures++;
        }

    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        printf("%s\n", dlerror());
        return 1;
    }
    const char *(*version)(void);
    void (*init)(gr_runtime_options *);
    gr_status (*runtime_new)(gr_runtime **, const gr_runtime_options *, gr_error *);
    *(void **)&version = dlsym(library, "gr_version");
    *(void **)&init = dlsym(library, "gr_runtime_options_init");
    *(void **)&runtime_new = dlsym(library, "gr_runtime_new");
    if (!version || !init || !runtime_new) {
        printf("%s lacks a function: %s\n", argv[1], dlerror());
        return 1;
    }

    char header[32];
    snprintf(header, sizeof header, "%d.%d.%d", GR_VERSION_MAJOR, GR_VERSION_MINOR, GR_VERSION_PATCH);
    gr_runtime_options options;
    init(&options);
    failures += strcmp(version(), header) != 0;
    failures += check_growing(library);

    options.size -=
        8; /* an older caller's struct, or one that was never initialised, is refused with a sentence */
    gr_runtime *rt = NULL;
    gr_error err = { 0 };
    failures +=
        runtime_new(&rt, &options, &err) != GR_ERR_ARG || rt != NULL || strstr(err.msg, "size") == NULL;
    printf("%s %s: %d failures\n", argv[1], version(), failures);
    return failures != 0;
}
