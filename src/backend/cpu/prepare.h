/* prepare.h - makes the forms of a weight in memory that the caller gives. Shared by the backends that live
 * on the host. */
#ifndef GR_BACKEND_CPU_PREPARE_H
#define GR_BACKEND_CPU_PREPARE_H

#include "backend/weight.h"
#include "grasp/error.h"
#include "grasp/runtime.h"

/* Type of the panels that a weight will have: F32, BF16 or F16. */
gr_dtype gr_panel_dtype(const gr_weight *w);

/* GR_ERR_UNSUPPORTED unless the stored type is one of those three. */
gr_status gr_prepare_check(const gr_weight *w, gr_error *err);

/* Both read the weight and check its type and every value: one that is not finite is GR_ERR_FORMAT with name,
 * row and column; a file that became shorter is GR_ERR_IO. `to` has gr_weight_form_bytes bytes. GR_ERR_MEM.
 */
gr_status gr_prepare_vector(float *to, const gr_weight *w, gr_error *err);
gr_status gr_prepare_panels(gr_runtime *rt, void *to, const gr_weight *w, gr_error *err);

#endif
