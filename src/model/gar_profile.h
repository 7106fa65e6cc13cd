/* gar_profile.h - the rows of the profile table by name, for the code that they steer. */
#ifndef GR_MODEL_GAR_PROFILE_H
#define GR_MODEL_GAR_PROFILE_H

#include "grasp/profile.h"

/* Order of the rows; the values are numbered as they are listed in gar_profile.c. */
enum {
    GR_SWITCH_ROI_MODE,      /* 0 released: scaled twice; 1 paper */
    GR_SWITCH_MULTI_BBOX,    /* 0 last; 1 own */
    GR_SWITCH_BBOX,          /* 0 inclusive; 1 exclusive */
    GR_SWITCH_DOUBLE_BOS,    /* 0 off; 1 on */
    GR_SWITCH_MASK_RESAMPLE, /* 0 nearest; 1 bicubic */
    GR_SWITCH_WORDING,       /* 0 released: "this masked region"; 1 paper: "the masked region" */
    GR_SWITCH_EXTRA_PROMPTS, /* 0 refuse; 1 released; 2 reuse */
    GR_SWITCH_SINGLE_PROMPT, /* 0: <Prompt0>; 1: <Prompt1> */
    GR_SWITCH_STOP,          /* 0 eot alone; 1 every end token of the configuration */
    GR_SWITCH_COUNT
};

#endif
