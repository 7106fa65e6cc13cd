/* all.c - the table of all operators. */
#include "graph/op.h"
#include "op/ops.h"

#define GR_OP_TABLE(X)    \
    X(linear)             \
    X(linear_dx)          \
    X(linear_dw)          \
    X(add)                \
    X(mul)                \
    X(scale_columns)      \
    X(add_table)          \
    X(times)              \
    X(gelu)               \
    X(gelu_grad)          \
    X(silu)               \
    X(silu_grad)          \
    X(layer_norm)         \
    X(layer_norm_grad)    \
    X(rms_norm)           \
    X(rms_norm_grad)      \
    X(rope)               \
    X(attention)          \
    X(attention_grad)     \
    X(slice_rows)         \
    X(pad_rows)           \
    X(prepend_row)        \
    X(gather_rows)        \
    X(scatter_rows)       \
    X(sum_groups)         \
    X(pad_columns)        \
    X(embed)              \
    X(cross_entropy)      \
    X(cross_entropy_grad) \
    X(top_hit)            \
    X(patchify)           \
    X(mean_pool)          \
    X(mean_pool_grad)     \
    X(roi_align)          \
    X(roi_align_grad)     \
    X(rms_scale)          \
    X(swiglu)             \
    X(add_scaled)

#define X(name) extern const gr_op gr_op_##name;
GR_OP_TABLE(X)
#undef X

const gr_op *const gr_all_ops[] = {
#define X(name) &gr_op_##name,
    GR_OP_TABLE(X)
#undef X
        NULL
};
