/* cleanup.h - clean_up_tokenization_spaces of the published decoders, byte by byte.
 *
 * Ten replacements, each over the result of the one before (transformers, tokenization_utils_base.py):
 *   " ." "." | " ?" "?" | " !" "!" | " ," "," | " ' " "'" | " n't" "n't" | " 'm" "'m" | " 's" "'s"
 *   | " 've" "'ve" | " 're" "'re"                                                                          */
#ifndef GR_TEXT_CLEANUP_H
#define GR_TEXT_CLEANUP_H

#include <stdint.h>

#define GR_CLEANUP_STEPS 10

typedef struct {
    uint8_t matched[GR_CLEANUP_STEPS]; /* bytes of each step's pattern that are held back */
    void (*put)(void *user, uint8_t byte);
    void *user;
} gr_cleanup;

void gr_cleanup_init(gr_cleanup *c, void (*put)(void *user, uint8_t byte), void *user);
void gr_cleanup_push(gr_cleanup *c, uint8_t byte);
void gr_cleanup_flush(gr_cleanup *c); /* the text ends: lets go what was held back */

#endif
