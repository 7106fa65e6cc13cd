/* profile.h - where released code and paper differ: switches with names, and two sets of values.
 *
 * "released" is what the published GAR code does, quirk for quirk (weights may expect it); "paper" is what
 * the text of the paper describes. A checkpoint says which it was trained for, or the released behaviour is
 * taken. docs/profiles.md lists every switch. */
#ifndef GRASP_PROFILE_H
#define GRASP_PROFILE_H

#include <stddef.h>
#include "grasp/error.h"

#define GR_PROFILE_MAX 16

/* Values of all switches, by their row in the table. Plain data: copy it freely. */
typedef struct {
    unsigned char value[GR_PROFILE_MAX];
} gr_profile;

/* One switch of the table: its name, the names of its values (NULL ends them), which of them the two sets
 * take, and what it is about. */
typedef struct {
    const char *name;
    const char *values[5];
    unsigned char released, paper;
    const char *quirk; /* section of the specification, e.g. "Q-a" */
    const char *about;
} gr_profile_switch;

/* Row i of the table; NULL after the last one. */
GR_API const gr_profile_switch *gr_profile_switch_at(size_t i);

/* `set` is "released" or "paper". GR_ERR_ARG otherwise. */
GR_API gr_status gr_profile_init(gr_profile *p, const char *set, gr_error *err);

/* `text` is a set, perhaps followed by switches: "paper,double_bos=on". GR_ERR_ARG. */
GR_API gr_status gr_profile_parse(gr_profile *p, const char *text, gr_error *err);

/* `text` is "NAME=VALUE". GR_ERR_ARG: the sentence lists what there is. */
GR_API gr_status gr_profile_set(gr_profile *p, const char *text, gr_error *err);

/* The value's name of switch i. */
GR_API const char *gr_profile_value(const gr_profile *p, size_t i);

#endif
