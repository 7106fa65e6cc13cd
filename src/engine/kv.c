#include "engine/kv.h"

#include "base/alloc.h"

static size_t page_bytes(const gr_kv_pages *p)
{
    return (size_t)p->n_layers * 2 * gr_kv_half_page(p) * sizeof(float);
}

static float *page_at(const gr_kv_pages *p, int32_t page)
{
    return p->memory + (size_t)page * (page_bytes(p) / sizeof(float));
}

size_t gr_kv_bytes(int n_layers, int kv_heads, int head_dim, int n_pages)
{
    const gr_kv_pages p = { .n_layers = n_layers, .kv_heads = kv_heads, .head_dim = head_dim };
    return page_bytes(&p) * (size_t)n_pages;
}

gr_status gr_kv_init(gr_kv *kv, gr_backend *b, int n_layers, int kv_heads, int head_dim, int n_pages,
                     gr_error *err)
{
    *kv = (gr_kv){ .backend = b };
    kv->pages =
        (gr_kv_pages){ .n_layers = n_layers, .kv_heads = kv_heads, .head_dim = head_dim, .n_pages = n_pages };
    kv->pages.memory = b->ops->place(b, gr_kv_bytes(n_layers, kv_heads, head_dim, n_pages), err);
    kv->users = gr_calloc(b->rt, (size_t)n_pages, sizeof *kv->users);
    kv->free_list = gr_calloc(b->rt, (size_t)n_pages, sizeof *kv->free_list);
    if (!kv->pages.memory || !kv->users || !kv->free_list) {
        gr_kv_fini(kv);
        return gr_fail(err, GR_ERR_MEM, "no memory for %d KV pages", n_pages);
    }
    while (kv->n_free < n_pages) { /* page 0 is handed out first */
        kv->free_list[kv->n_free] = n_pages - 1 - kv->n_free;
        kv->n_free++;
    }
    return GR_OK;
}

void gr_kv_fini(gr_kv *kv)
{
    if (!kv->backend)
        return;
    kv->backend->ops->release(kv->backend, kv->pages.memory);
    gr_free(kv->backend->rt, kv->users);
    gr_free(kv->backend->rt, kv->free_list);
    *kv = (gr_kv){ 0 };
}

gr_status gr_kv_sequence_init(gr_kv_sequence *s, const gr_kv *kv, int max_tokens, gr_error *err)
{
    *s = (gr_kv_sequence){ .max_pages = (max_tokens + GR_PAGE_TOKENS - 1) / GR_PAGE_TOKENS };
    s->pages = gr_calloc(kv->backend->rt, (size_t)s->max_pages, sizeof *s->pages);
    return s->pages ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for the page list of a conversation");
}

static void drop_page(gr_kv *kv, int32_t page)
{
    if (--kv->users[page] == 0)
        kv->free_list[kv->n_free++] = page;
}

void gr_kv_truncate(gr_kv *kv, gr_kv_sequence *s, int n_tokens)
{
    if (n_tokens >= s->n_tokens)
        return;
    const int keep = (n_tokens + GR_PAGE_TOKENS - 1) / GR_PAGE_TOKENS;
    while (s->n_pages > keep)
        drop_page(kv, s->pages[--s->n_pages]);
    s->n_tokens = n_tokens;
}

void gr_kv_sequence_fini(gr_kv *kv, gr_kv_sequence *s)
{
    if (!s->pages)
        return;
    while (s->n_pages > 0)
        drop_page(kv, s->pages[--s->n_pages]);
    gr_free(kv->backend->rt, s->pages);
    *s = (gr_kv_sequence){ 0 };
}

static gr_status take_page(gr_kv *kv, int32_t *page, gr_error *err)
{
    if (kv->n_free == 0)
        return gr_fail(
            err, GR_ERR_LIMIT,
            "all %d KV pages of %d tokens are in use: a longer context or fewer conversations are needed",
            kv->pages.n_pages, GR_PAGE_TOKENS);
    *page = kv->free_list[--kv->n_free];
    kv->users[*page] = 1;
    return GR_OK;
}

gr_status gr_kv_reserve(gr_kv *kv, gr_kv_sequence *s, int n, gr_error *err)
{
    const int want = (s->n_tokens + n + GR_PAGE_TOKENS - 1) / GR_PAGE_TOKENS;
    if (want > s->max_pages)
        return gr_fail(err, GR_ERR_LIMIT, "the conversation would have %d tokens, the limit is %d",
                       s->n_tokens + n, s->max_pages * GR_PAGE_TOKENS);
    const int writing = s->n_tokens / GR_PAGE_TOKENS;
    if (n > 0 && writing < s->n_pages && kv->users[s->pages[writing]] > 1) {
        int32_t own = 0;
        GR_TRY(take_page(kv, &own, err));
        kv->backend->ops->copy(kv->backend, page_at(&kv->pages, own), page_at(&kv->pages, s->pages[writing]),
                               page_bytes(&kv->pages));
        drop_page(kv, s->pages[writing]);
        s->pages[writing] = own;
    }
    for (; s->n_pages < want; s->n_pages++)
        GR_TRY(take_page(kv, &s->pages[s->n_pages], err));
    return GR_OK;
}

gr_status gr_kv_fork(gr_kv *kv, const gr_kv_sequence *from, gr_kv_sequence *to, gr_error *err)
{
    const int used = (from->n_tokens + GR_PAGE_TOKENS - 1) / GR_PAGE_TOKENS;
    if (to->n_pages != 0 || used > to->max_pages)
        return gr_fail(err, GR_ERR_LIMIT, "a conversation of %d tokens cannot be continued by one that %s",
                       from->n_tokens, to->n_pages ? "is not empty" : "has less room");
    for (to->n_pages = 0; to->n_pages < used; to->n_pages++) {
        to->pages[to->n_pages] = from->pages[to->n_pages];
        kv->users[to->pages[to->n_pages]]++;
    }
    to->n_tokens = from->n_tokens;
    return GR_OK;
}
