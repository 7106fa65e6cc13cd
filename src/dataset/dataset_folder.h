/* dataset_folder.h - a data set as Hugging Face's `save_to_disk` leaves it, or a single Arrow file: shards in
 * order, as one table.
 *
 *     NAME/state.json                    the list of shards: "_data_files": [{"filename": "..."}, ...]
 *     NAME/data-00000-of-00042.arrow     Arrow streams of the same columns
 *     NAME/dataset_info.json             "features"; may be missing, since the streams tell the same
 *     NAME/dataset_dict.json             only where NAME is a folder of splits: {"splits": ["train", ...]}
 *
 * Source: huggingface/datasets, src/datasets/arrow_dataset.py (save_to_disk, load_from_disk). */
#ifndef GR_DATASET_DATASET_FOLDER_H
#define GR_DATASET_DATASET_FOLDER_H

#include "base/hash.h"
#include "dataset/arrow_cursor.h"

#define GR_DATASET_JSON_MAX ((size_t)64 << 20) /* bytes of each of the JSON files */

typedef struct gr_dataset gr_dataset;

/* Opens a folder or an `.arrow` file and indexes all shards; they stay open. `split` chooses of a folder of
 * splits, and may be NULL where there is only one. Shards without a state.json are taken in the order of
 * their names, with a warning in the log. On failure *out is NULL. Sentences begin with the path.
 *
 * GR_ERR_IO: there is no such folder or shard. GR_ERR_FORMAT: a JSON file or a shard breaks a rule, a shard
 * has other columns than the first, a file name leads out of the folder. GR_ERR_ARG: which split is not clear
 * (the sentence lists them). GR_ERR_LIMIT, GR_ERR_UNSUPPORTED, GR_ERR_MEM. */
gr_status gr_dataset_open(gr_dataset **out, gr_runtime *rt, const char *path, const char *split,
                          gr_error *err);
/* NULL is fine. Cursors that read it are freed, or made to forget, before. */
void gr_dataset_close(gr_dataset *d);

uint64_t gr_dataset_n_rows(const gr_dataset *d);
const gr_arrow_schema *gr_dataset_schema(const gr_dataset *d);
const char *gr_dataset_path(const gr_dataset *d);        /* as given, with the split */
const char *gr_dataset_fingerprint(const gr_dataset *d); /* "_fingerprint" of state.json, or "" */
/* Of what opening saw: columns, rows and bytes of every batch, "_fingerprint". Another content of the very
 * same sizes is told apart by "_fingerprint" alone. */
gr_hash gr_dataset_hash(const gr_dataset *d);
size_t gr_dataset_n_shards(const gr_dataset *d);
const gr_arrow_file *gr_dataset_shard(const gr_dataset *d, size_t i);

/* As gr_arrow_cursor_read, for a row < n_rows of the whole. From any thread, each with its own cursor. */
gr_status gr_dataset_read(const gr_dataset *d, gr_arrow_cursor *c, uint64_t row, int field,
                          const gr_arrow_value **out, gr_error *err);

#endif
